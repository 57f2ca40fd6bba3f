#include "webhooks/detail/receiver.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace bw::webhooks::detail {

Receiver::Receiver(const Limits& limits, Saved&& saved)
    : subscription(std::move(saved.subscription)),
      queue(limits, saved.progress.place),
      dead(std::make_move_iterator(saved.progress.dead.begin()),
           std::make_move_iterator(saved.progress.dead.end())),
      log(std::make_move_iterator(saved.log.begin()), std::make_move_iterator(saved.log.end())),
      successes(saved.progress.successes),
      failures(saved.progress.failures),
      last_sent(saved.progress.last_sent),
      failing_since(saved.progress.failing_since) {
  if (saved.progress.replay) replay.emplace(limits, *saved.progress.replay);
}

Queue* Receiver::queue_of(Course course) {
  if (course == Course::kJournal) return &queue;
  return replay ? &*replay : nullptr;
}

bool Receiver::looks_dead(const Limits& limits) const {
  return several_failed && failures_in_row >= limits.failing_after;
}

void Receiver::forget_failures() {
  failing_since.reset();
  failures_in_row = 0;
  first_to_fail = 0;
  several_failed = failing = false;
  looks = 0;
  not_before = {};
}

void Receiver::succeeded(Instant now) {
  ++successes;
  last_sent = now;
  forget_failures();
}

void Receiver::begin_at(const Limits& limits, std::uint64_t newest) {
  ++epoch;
  in_flight = 0;
  queue = Queue(limits, Place{.cursor = newest});
  replay.reset();
  dirty = true;
}

void Receiver::record(const Limits& limits, DeliveryRecord&& delivery) {
  if (log.size() >= limits.log) log.pop_front();
  log.push_back(std::move(delivery));
  log_dirty = true;
}

void Receiver::bury(const Limits& limits, DeadLetter&& letter) {
  if (dead.size() >= limits.dead_letters) dead.pop_front();
  dead.push_back(std::move(letter));
  dead_dirty = true;
}

View Receiver::view(std::uint64_t newest) const {
  View v;
  v.id = subscription.id;
  v.url = subscription.url;
  v.events = subscription.events;
  v.extensions = subscription.extensions;
  std::ranges::transform(subscription.headers, std::back_inserter(v.headers),
                         [](const auto& h) { return h.first; });
  v.signs = !subscription.secret.reveal().empty();
  v.enabled = active();
  switch (subscription.standing) {
    case Standing::kActive:
      v.state = failing ? "failing" : "active";
      break;
    case Standing::kPaused:
      v.state = "paused";
      break;
    case Standing::kDisabled:
      v.state = "disabled";
      break;
  }
  v.reason = subscription.reason;
  if (v.reason.empty() && failing && !log.empty()) v.reason = "Nothing but failures. " + log.back().error;
  v.created_at = subscription.created_at;
  v.last_sent = last_sent;
  v.success_count = successes;
  v.failure_count = failures;
  v.attempts = attempts;
  v.attempt_time = attempt_time;
  v.pending = subscription.standing == Standing::kDisabled ? 0 : queue.waiting(newest);
  v.dead_letters = dead.size();
  if (replay) v.replaying_until = replay->place().until;
  return v;
}

}  // namespace bw::webhooks::detail
