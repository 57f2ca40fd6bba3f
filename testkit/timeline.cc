#include "testkit/timeline.h"

#include <algorithm>

namespace bw::testkit {

void Timeline::at(Instant when, Action action) {
  events_.push({std::max(when, now_), ++sequence_, std::move(action)});
}

bool Timeline::step(Instant limit) {
  if (!stuck_.empty()) return false;
  Instant next = events_.empty() ? Instant::far_future() : events_.top().at;
  Actor* who = nullptr;
  std::string_view why = "an event";
  for (Actor* actor : actors_) {
    const Deadline d = actor->deadline();
    if (d.at < next) {
      next = d.at;
      who = actor;
      why = d.why;
    }
  }
  if (next > limit) {
    now_ = std::max(now_, limit);
    return false;
  }
  steps_now_ = next > now_ ? 0 : steps_now_ + 1;
  now_ = std::max(now_, next);
  ++steps_;
  if (steps_now_ > kStepsOfOneInstant) {
    stuck_ = "time does not go on: " + std::string{why};
    return false;
  }
  if (who != nullptr) {
    who->wake();
    return true;
  }
  Action action = std::move(const_cast<Event&>(events_.top()).action);  // top() is const, pop() comes next
  events_.pop();
  action();
  return true;
}

}  // namespace bw::testkit
