#include "sip/detail/turn.h"

#include <algorithm>

namespace bw::sip::detail {

Duration Turn::length_of(Span span) const {
  switch (span) {
    case Span::kT1:
      return timers.t1;
    case Span::kT4:
      return timers.t4;
    case Span::k64T1:
      return 64 * timers.t1;
    case Span::kC:
      return timers.c;
    case Span::kD:
      return timers.d;
    case Span::k200ms:
      return 200ms;
    case Span::kUntilEIsT2: {
      Duration sum{0};
      for (Duration interval = timers.t1; interval < timers.t2; interval *= 2) sum += interval;
      return sum;
    }
    case Span::kKeep:
      return Duration{0};
  }
  return Duration{0};
}

bool enter_state(Turn& turn, Progress& progress, State state, TimerKey key, bool stream, Instant now) {
  progress.state = state;
  bool keep_repeat = false;
  bool keep_end = false;
  for (const EntryTimer& timer : progress.machine->timers) {
    if (timer.state != state) continue;
    if (stream && timer.on == On::kDatagrams) continue;
    if (stream && timer.on == On::kLingers) return false;
    const bool repeats = timer.slot == Slot::kRepeat;
    (repeats ? keep_repeat : keep_end) = true;
    if (timer.span == Span::kKeep) continue;
    const Duration length = turn.length_of(timer.span);
    key.fires = timer.fires;
    if (repeats) {
      progress.interval = length;
      turn.due.arm_repeat(progress, now + length, key);
    } else {
      turn.due.arm_end(progress, timer.span, now + length, key);
    }
  }
  if (!keep_repeat) turn.due.cancel_repeat(progress);
  if (!keep_end) turn.due.cancel_end(progress);
  return true;
}

void repeat_again(Turn& turn, Progress& progress, Act act, TimerKey key, Instant now) {
  if (has(act, Act::kDouble)) progress.interval *= 2;
  if (has(act, Act::kDoubleToT2)) progress.interval = std::min(2 * progress.interval, turn.timers.t2);
  if (has(act, Act::kEveryT2)) progress.interval = turn.timers.t2;
  turn.due.arm_repeat(progress, now + progress.interval, key);
}

}  // namespace bw::sip::detail
