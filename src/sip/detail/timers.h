// The two timers of a transaction. Those that repeat are few and short: a heap. Those that end a state have
// one of a handful of lengths, so that timers of one length run out in the order in which they were set: a
// queue for each length, constant time for all it does, which matters with tens of thousands of transactions
// lingering.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/timer_heap.h"
#include "sip/detail/machine.h"

namespace bw::sip::detail {

struct TimerKey {
  std::uint32_t slot = 0;
  Event fires = Event::kTimerA;
  bool server = false;
};

// The part of a transaction that machines and timers work on. Its address must not change.
struct Progress {
  const Machine* machine = nullptr;
  Duration interval{0};  // of the repeating timer
  TimerHandle repeat;
  State state = State::kTerminated;

  // The ending timer; a link of its queue.
  bool end_armed = false;
  Span end_queue = Span::k64T1;
  TimerKey end_key;
  Instant end_at;
  Progress* end_before = nullptr;
  Progress* end_after = nullptr;
};

class Timers {
 public:
  void arm_repeat(Progress& progress, Instant at, TimerKey key) { repeating_.arm(progress.repeat, at, key); }
  void cancel_repeat(Progress& progress) { repeating_.cancel(progress.repeat); }

  // `length` names the queue; `at` is now plus that length.
  void arm_end(Progress& progress, Span length, Instant at, TimerKey key) {
    cancel_end(progress);
    progress.end_armed = true;
    progress.end_queue = length;
    progress.end_key = key;
    progress.end_at = at;
    Queue& queue = queues_[static_cast<std::size_t>(length)];
    // Time does not run backwards, so the loop is over at once; if it did, the order would still be kept.
    Progress* before = queue.last;
    while (before != nullptr && before->end_at > at) before = before->end_before;
    progress.end_before = before;
    progress.end_after = before != nullptr ? before->end_after : queue.first;
    (before != nullptr ? before->end_after : queue.first) = &progress;
    (progress.end_after != nullptr ? progress.end_after->end_before : queue.last) = &progress;
  }
  void cancel_end(Progress& progress) {
    if (!progress.end_armed) return;
    Queue& queue = queues_[static_cast<std::size_t>(progress.end_queue)];
    (progress.end_before != nullptr ? progress.end_before->end_after : queue.first) = progress.end_after;
    (progress.end_after != nullptr ? progress.end_after->end_before : queue.last) = progress.end_before;
    progress.end_armed = false;
    progress.end_before = progress.end_after = nullptr;
  }

  std::optional<Instant> next() const {
    const Queue* queue = earliest();
    const auto repeat = repeating_.next();
    if (queue == nullptr) return repeat;
    return repeat && *repeat < queue->first->end_at ? *repeat : queue->first->end_at;
  }

  // One timer that is due, earliest first; it is armed no more.
  std::optional<TimerKey> pop_due(Instant now) {
    const Queue* queue = earliest();
    const auto repeat = repeating_.next();
    if (queue == nullptr || (repeat && *repeat <= queue->first->end_at)) return repeating_.pop_due(now);
    Progress& progress = *queue->first;
    if (progress.end_at > now) return std::nullopt;
    const TimerKey key = progress.end_key;
    cancel_end(progress);
    return key;
  }

 private:
  struct Queue {
    Progress* first = nullptr;
    Progress* last = nullptr;
  };

  const Queue* earliest() const {
    const Queue* best = nullptr;
    for (const Queue& queue : queues_) {
      if (queue.first == nullptr) continue;
      if (best == nullptr || queue.first->end_at < best->first->end_at) best = &queue;
    }
    return best;
  }

  TimerHeap<TimerKey> repeating_;
  std::array<Queue, kSpanCount> queues_;
};

}  // namespace bw::sip::detail
