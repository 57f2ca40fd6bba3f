// All that belongs to one subscription while the server runs.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "webhooks/detail/queue.h"
#include "webhooks/progress.h"
#include "webhooks/wishes.h"

namespace bw::webhooks::detail {

enum class Course : std::uint8_t { kJournal, kReplay };  // which of its two queues

struct Receiver {
  Receiver(const Limits& limits, Saved&& saved);

  bool active() const { return subscription.standing == Standing::kActive; }
  Queue* queue_of(Course course);
  // Nothing but failures, of more than one event: the receiver itself is in trouble, not one event.
  bool looks_dead(const Limits& limits) const;
  void succeeded(Instant now);
  void forget_failures();
  // From here on, as if it had been subscribed now.
  void begin_at(const Limits& limits, std::uint64_t newest);
  void record(const Limits& limits, DeliveryRecord&& delivery);
  void bury(const Limits& limits, DeadLetter&& letter);
  View view(std::uint64_t newest) const;

  Subscription subscription;
  Queue queue;
  std::optional<Queue> replay;
  std::deque<DeadLetter> dead;
  std::deque<DeliveryRecord> log;
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  std::uint64_t attempts = 0;  // of this run
  Duration attempt_time{0};
  std::optional<Instant> last_sent;

  std::optional<Instant> failing_since;  // the first failure since the last success
  std::size_t failures_in_row = 0;
  std::uint64_t first_to_fail = 0;  // seq
  bool several_failed = false;
  bool failing = false;  // one look at a time
  std::uint32_t looks = 0;
  Instant not_before;  // the next look, or what the receiver asked for

  std::size_t in_flight = 0;
  std::uint64_t epoch = 0;  // what flew before the queue began anew is only counted
  bool dirty = false;
  bool dead_dirty = false;
  bool log_dirty = false;
  bool changing = false;              // by a wish, on its way to the database
  std::optional<Instant> keep_again;  // the database refused a change of ours
};

}  // namespace bw::webhooks::detail
