// The stretch of the journal that one subscription still has to get, in lanes: what must stay in order
// follows one another in a lane, lanes go in parallel. The journal is the queue; of it only a window is in
// memory.
//
// Ready lanes are taken in turn. A lane whose first event failed sleeps. An event that failed for long while
// others went through is deferred, with those behind it in its lane, so that the window can move on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "webhooks/letter.h"
#include "webhooks/limits.h"
#include "webhooks/progress.h"

namespace bw::webhooks::detail {

class Queue {
 public:
  Queue(const Limits& limits, const Place& place);

  // ---- reading ----
  std::uint64_t read_to() const { return read_to_; }
  bool has_room() const { return window_.size() < limits_->window_low; }
  bool reads_on(std::uint64_t newest) const { return has_room() && read_to_ < end(newest); }
  // Takes what follows read_to() as far as there is room. The events are gapless from the first on, or what
  // is missing is gone for good.
  void take(const std::vector<events::StoredEvent>& batch, const Subscription& subscription);
  // Nothing more is to be found up to `seq`.
  void skip_to(std::uint64_t seq);
  // Deferred events whose text is not in memory (after a restart, or called back from the dead); each told
  // once.
  std::vector<std::uint64_t> take_unloaded();
  void load(const events::StoredEvent& event, Instant now);
  void forget(std::uint64_t seq);     // it is no longer in the journal
  void ask_again(std::uint64_t seq);  // its text did not come
  void add_deferred(const DeadLetter& letter, Instant now);

  // ---- sending ----
  void wake(Instant now);  // lanes that have slept enough are ready
  bool has_ready() const { return !ready_.empty(); }
  // For a look at a failing receiver: the lane that would wake first counts as ready.
  bool wake_one();
  struct Item {
    std::uint64_t seq;
    const Letter* letter;
    std::uint32_t failures;
  };
  std::optional<Item> start_next();
  Item item(std::uint64_t seq) const;  // of one that is under way
  struct Flown {
    std::uint32_t failures = 0;  // this one included
    Instant first_failed;
    const Letter* letter = nullptr;
  };
  Flown failed(std::uint64_t seq, Instant now);
  void rest(std::uint64_t seq, Instant until);
  void done(std::uint64_t seq);
  void defer(std::uint64_t seq);  // and its lane, as far as there is room
  std::optional<DeadLetter> bury(std::uint64_t seq, Instant now);
  std::optional<Instant> next_waking() const;

  // ---- figures ----
  Place place() const;
  bool finished() const {  // a replay
    return until_ != 0 && read_to_ >= until_ && window_.empty() && deferred_.empty();
  }
  std::uint64_t waiting(std::uint64_t newest) const;
  std::size_t in_memory() const { return window_.size() + deferred_.size(); }
  std::size_t deferred_room() const {
    return limits_->deferred - std::min(limits_->deferred, deferred_.size());
  }

 private:
  enum class LaneState : std::uint8_t { kIdle, kReady, kFlying, kSleeping, kLoading };
  struct Lane {
    std::string key;
    std::set<std::uint64_t> waiting;  // the flying one included
    LaneState state = LaneState::kIdle;
    std::uint64_t flying = 0;
    std::pair<Instant, std::uint64_t> wakes;  // while it sleeps: when, and its first event
  };
  struct Slot {
    Lane* lane = nullptr;
    std::optional<Letter> letter;  // none: not loaded, or done
    std::uint32_t failures = 0;
    Instant first_failed;
    bool done = false;
    bool asked = false;  // for its text
  };

  std::uint64_t end(std::uint64_t newest) const { return until_ != 0 ? until_ : newest; }
  Lane& lane(const std::string& key);
  Slot* find(std::uint64_t seq);
  const Slot* find(std::uint64_t seq) const;
  void take_one(const events::StoredEvent& event);
  void enter(Lane& lane, LaneState state, Instant until = {});
  void settle(Lane& lane);  // after its flying one is back, or its first one changed
  void leave(std::uint64_t seq, Slot& slot);
  void advance();

  const Limits* limits_;
  std::uint64_t until_;
  std::uint64_t read_to_;
  std::set<std::uint64_t> done_before_;  // of the last run, not met yet
  std::map<std::uint64_t, Slot> window_;
  std::map<std::uint64_t, Slot> deferred_;
  std::unordered_map<std::string, Lane> lanes_;
  std::deque<Lane*> ready_;
  std::map<std::pair<Instant, std::uint64_t>, Lane*> sleeping_;
};

}  // namespace bw::webhooks::detail
