// What people and programs ask of the webhooks through the API, and the answers. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/strong.h"
#include "webhooks/progress.h"
#include "webhooks/subscription.h"

namespace bw::webhooks {

using WishId = StrongId<struct WishTag>;

// Members that are absent stay as they are, or as the default is.
struct Draft {
  std::optional<std::string> url;
  std::optional<std::vector<std::string>> events;
  std::optional<std::vector<std::string>> extensions;
  std::optional<Headers> headers;
  std::optional<Secret<std::string>> secret;
  std::optional<bool> enabled;
};

struct List {};
struct Create {
  Draft draft;
};
struct Adopt {  // of config.yml: taken in unless there is one with this URL
  std::vector<Draft> drafts;
};
struct Change {
  SubscriptionId id;
  Draft draft;
};
struct Remove {
  SubscriptionId id;
};
struct RemoveByUrl {
  std::string url;
};
struct Test {
  SubscriptionId id;
};
struct Deliveries {
  SubscriptionId id;
  std::size_t limit = 100;
};
struct RotateSecret {
  SubscriptionId id;
  std::optional<Secret<std::string>> secret;  // absent: one is made
};
// One of: an event, a time, or neither: all dead letters.
struct Replay {
  SubscriptionId id;
  std::string event_id;
  std::optional<Instant> since;
  std::optional<Instant> until;
};
using Wish =
    std::variant<List, Create, Adopt, Change, Remove, RemoveByUrl, Test, Deliveries, RotateSecret, Replay>;

// A subscription as it is shown: without secrets.
struct View {
  SubscriptionId id;
  std::string url;
  std::vector<std::string> events;
  std::vector<std::string> extensions;
  std::vector<std::string> headers;  // names
  bool signs = false;
  bool enabled = true;
  std::string state;   // "active", "failing", "paused", "disabled"
  std::string reason;  // a sentence where the state is not "active"
  Instant created_at;
  std::optional<Instant> last_sent;
  std::uint64_t success_count = 0;
  std::uint64_t failure_count = 0;
  std::uint64_t attempts = 0;  // since the start of the server, and
  Duration attempt_time{0};    // how long they took together
  std::uint64_t pending = 0;   // events of the journal not looked at yet are counted before the filter
  std::size_t dead_letters = 0;
  std::optional<std::uint64_t> replaying_until;
};

struct Listed {
  std::vector<View> subscriptions;
};
struct Shown {
  View subscription;
  std::optional<Secret<std::string>> secret;  // where one was made: shown this once
  std::string warning = {};                   // a sentence: why nothing will reach it as it is
};
struct Removed {
  std::size_t count = 0;
};
struct Tested {
  std::string url;
  std::vector<std::string> headers;  // of the subscription's own only the names
  std::string body;
  DeliveryRecord outcome;
};
struct DeliveryLog {
  std::vector<DeliveryRecord> newest_first;
};
struct Replaying {
  std::uint64_t count = 0;  // at most; the filter may want fewer
};
struct Refused {
  int status = 400;
  std::string code;
  std::string sentence;
  std::string field;
};
using Answer = std::variant<Listed, Shown, Removed, Tested, DeliveryLog, Replaying, Refused>;

}  // namespace bw::webhooks
