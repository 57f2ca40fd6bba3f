// Webhooks: events of the journal, posted to those who subscribed, in order, at least once (docs/webhooks.md,
// docs/decisions/030-webhooks.md). A core: what is to be read, posted and stored comes out as values.
//
// The journal is the queue. A subscription has a place in it, and a bounded window in memory.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/core.h"
#include "base/rng.h"
#include "events/stored.h"
#include "ports/outbound_http.h"
#include "webhooks/detail/receiver.h"
#include "webhooks/limits.h"
#include "webhooks/wishes.h"

namespace bw::webhooks {

struct Settings {
  bool enabled = true;  // false: nothing is sent; places in the journal are kept
  std::uint32_t max_retries = 3;
  Duration retry_delay = 5s;
  Duration timeout = 10s;
  std::size_t max_in_flight = 16;
  std::string user_agent = "Bellwire-Webhook";
};

// ---- inputs ----
struct Restored {  // first of all: what the database holds
  std::vector<Saved> subscriptions;
  std::uint64_t newest = 0;  // the last seq of the journal
};
struct SettingsChanged {
  Settings settings;
};
struct Grown {  // a commit; in the order of seq
  events::StoredBatch batch;
  std::uint64_t newest = 0;  // without a batch: so far has the journal grown
};
struct Page {  // the answer to ReadJournal
  bool ok = true;
  std::vector<events::StoredEvent> events;  // fewer than asked for: there were no more
};
struct Loaded {  // the answer to LoadEvents
  SubscriptionId subscription;
  bool ok = true;
  std::vector<std::uint64_t> asked;
  std::vector<events::StoredEvent> found;
};
struct Found {  // the answer to FindEvents
  WishId wish;
  bool ok = true;
  std::uint64_t first = 0;  // 0: there are none
  std::uint64_t last = 0;
  std::uint64_t count = 0;
};
struct Asked {
  WishId wish;
  Wish what;
};
struct Kept {  // the answer to Keep
  std::uint64_t ticket = 0;
  bool ok = true;
};
struct ProgressSaved {
  bool ok = true;
};
struct Closing {};  // nothing new is sent
struct Flush {};    // everything goes to the database, whatever waits there

// ---- outputs ----
struct ReadJournal {
  std::uint64_t after = 0;
  std::size_t limit = 0;
};
struct LoadEvents {
  SubscriptionId subscription;
  std::vector<std::uint64_t> seqs;
};
struct FindEvents {  // an event, or all of a time
  WishId wish;
  std::string event_id;
  std::optional<Instant> since;
  std::optional<Instant> until;
};
struct Keep {  // write a subscription, with its place if it is new, or remove it
  std::uint64_t ticket = 0;
  std::vector<Subscription> save;
  std::uint64_t cursor = 0;  // of the new ones
  std::vector<SubscriptionId> drop;
};
struct Snapshot {
  SubscriptionId subscription;
  Progress progress;
  bool with_dead = false;  // else progress.dead is left as it is stored
  std::optional<std::vector<DeliveryRecord>> log;
};
struct SaveProgress {
  std::vector<Snapshot> snapshots;
};
struct Reply {
  WishId wish;
  Answer answer;
};
struct Note {
  enum class Level : std::uint8_t { kInfo, kWarning };
  Level level = Level::kInfo;
  std::string text;  // no URL, no header: either may be a credential
};

class Webhooks {
 public:
  using Input = std::variant<Restored, SettingsChanged, Grown, Page, Loaded, Found, Asked, Kept,
                             ProgressSaved, http::Outcome, Closing, Flush, Tick>;
  using Output =
      std::variant<ReadJournal, LoadEvents, FindEvents, Keep, SaveProgress, Reply, Note, http::Call>;

  Webhooks(Rng& rng, Settings settings, const Limits& limits = {});

  void handle(const Input& input, Instant now);
  std::optional<Output> poll();
  Deadline deadline() const;

  // Whether there is anybody to tell: if not, Grown need not come until a wish was answered.
  bool listens() const;
  std::size_t in_flight() const { return flights_.size() + tests_.size(); }
  std::size_t in_memory() const;  // events, of all subscriptions

 private:
  using Receiver = detail::Receiver;
  struct Flight {
    SubscriptionId subscription;
    detail::Course course = detail::Course::kJournal;
    std::uint64_t seq = 0;
    std::uint64_t epoch = 0;
  };
  struct TestFlight {
    WishId wish;
    SubscriptionId subscription;
    Letter letter;
    Tested shown;
  };
  struct Change {  // on its way to the database
    WishId wish;
    std::vector<Subscription> save;
    std::vector<SubscriptionId> drop;
    std::uint64_t cursor = 0;
    std::optional<Secret<std::string>> shown_secret;
    bool sets_standing = false;
    bool creates = false;
  };

  void on(const Restored&, Instant now);
  void on(const SettingsChanged&, Instant now);
  void on(const Grown&, Instant now);
  void on(const Page&, Instant now);
  void on(const Loaded&, Instant now);
  void on(const Found&, Instant now);
  void on(const Asked&, Instant now);
  void on(const Kept&, Instant now);
  void on(const ProgressSaved&, Instant now);
  void on(const http::Outcome&, Instant now);
  void on(const Closing&, Instant now);
  void on(const Flush&, Instant now);
  void on(const Tick&, Instant now);

  // ---- sending (detail/sending.cc) ----
  void send(Receiver& receiver, Instant now);
  void start(Receiver& receiver, detail::Course course, const detail::Queue::Item& item, Instant now);
  void test_answered(TestFlight&& test, const http::Outcome& outcome, Instant now);
  void delivery_failed(Receiver& receiver, detail::Queue& queue, const Flight& flight,
                       const http::Outcome& outcome, Instant now);
  void end_replay_if_finished(Receiver& receiver);

  // ---- reading and saving ----
  void read_on(Instant now);
  void load(Receiver& receiver);
  void touched(Receiver& receiver, Instant now);
  void save(Instant now, bool all);
  void stand(Receiver& receiver, Standing standing, std::string reason, Instant now);
  void keep(Receiver& receiver);
  void all_work(Instant now);

  // ---- wishes (detail/wishing.cc) ----
  void wish(WishId id, const List&, Instant now);
  void wish(WishId id, const Create&, Instant now);
  void wish(WishId id, const Adopt&, Instant now);
  void wish(WishId id, const webhooks::Change&, Instant now);
  void wish(WishId id, const Remove&, Instant now);
  void wish(WishId id, const RemoveByUrl&, Instant now);
  void wish(WishId id, const Test&, Instant now);
  void wish(WishId id, const Deliveries&, Instant now);
  void wish(WishId id, const RotateSecret&, Instant now);
  void wish(WishId id, const Replay&, Instant now);
  Receiver* find(const SubscriptionId& id);
  Receiver* find_or_refuse(WishId wish, const SubscriptionId& id, bool to_change);
  Subscription made(const Draft& draft, Instant now);
  void propose(Change&& change);
  void changed(Receiver& receiver, const Subscription& next, bool sets_standing);
  void answer(Change&& change, bool ok);
  void refuse(WishId wish, Refused&& refused);
  void replay_dead(WishId wish, Receiver& receiver, Instant now);

  Rng& rng_;
  Settings settings_;
  Limits limits_;
  std::map<SubscriptionId, Receiver> receivers_;
  std::unordered_map<std::uint64_t, Flight> flights_;
  std::unordered_map<std::uint64_t, TestFlight> tests_;
  std::unordered_map<std::uint64_t, Change> changes_;
  std::unordered_map<WishId, SubscriptionId> replays_;  // that look for their events
  std::deque<Output> out_;
  std::uint64_t last_call_ = 0;
  std::uint64_t last_ticket_ = 0;
  std::uint64_t newest_ = 0;
  struct Read {
    std::uint64_t after = 0;
    std::uint64_t newest = 0;  // when it was asked for
  };
  std::optional<Read> reading_;
  SubscriptionId read_last_;  // whose turn it was
  Instant read_not_before_;
  std::optional<Instant> dirty_since_;
  std::optional<Instant> log_dirty_since_;
  Instant save_not_before_;
  std::vector<SubscriptionId> saving_;
  bool save_under_way_ = false;
  bool closing_ = false;
};

}  // namespace bw::webhooks
