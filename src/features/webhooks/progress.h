// What is remembered of the deliveries to one subscription: enough to go on after a crash without sending
// again what was acknowledged, as far as it was stored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "webhooks/subscription.h"

namespace bw::webhooks {

// An event that failed on its own while others went through, or stands behind such a one.
struct Deferred {
  std::uint64_t seq = 0;
  std::string key;  // what it must stay in order with
  std::uint32_t failures = 0;
  Instant first_failed;  // zero: never tried
  Instant next;
  friend bool operator==(const Deferred&, const Deferred&) = default;
};

// A stretch of the journal, and how far it is dealt with.
struct Place {
  std::uint64_t cursor = 0;         // everything up to here is done, deferred or given up
  std::vector<std::uint64_t> done;  // beyond it, ascending
  std::vector<Deferred> deferred;   // ascending
  std::uint64_t until = 0;          // the last seq of a replay; 0: the journal has no end
  friend bool operator==(const Place&, const Place&) = default;
};

struct DeadLetter {
  std::uint64_t seq = 0;
  std::string event_id;
  std::string type;
  std::string key;
  Instant at;         // given up
  std::string error;  // of the last attempt
};

// One attempt, for people.
struct DeliveryRecord {
  std::string event_id;
  std::string type;
  std::uint64_t seq = 0;
  std::uint32_t attempt = 1;
  Instant at;
  int status = 0;
  std::string error;
  Duration latency{};
  std::string excerpt;
};

struct Progress {
  Place place;
  std::optional<Place> replay;
  std::vector<DeadLetter> dead;
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  std::optional<Instant> last_sent;
  std::optional<Instant> failing_since;
};

// As it lies in the database.
struct Saved {
  Subscription subscription;
  Progress progress;
  std::vector<DeliveryRecord> log;  // oldest first
};

}  // namespace bw::webhooks
