// Virtual time: what happens, in the order of (instant, order of planning). Nothing waits for a wall clock.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

#include "base/core.h"

namespace bw::testkit {

// Somebody with timers of his own (a transaction layer, the exchange).
class Actor {
 public:
  virtual ~Actor() = default;
  virtual Deadline deadline() const = 0;
  virtual void wake() = 0;  // called at deadline()
};

class Timeline {
 public:
  using Action = std::function<void()>;

  explicit Timeline(Instant start) : now_(start) {}

  Instant now() const { return now_; }
  void at(Instant when, Action action);
  void after(Duration d, Action action) { at(now_ + d, std::move(action)); }

  void join(Actor& actor) { actors_.push_back(&actor); }
  void leave(Actor& actor) { std::erase(actors_, &actor); }

  // Does the next thing if it is due at or before `limit`; answers false when there is none, and time stands
  // at `limit` then. Also false for good once somebody asks to be woken without end at one instant.
  bool step(Instant limit);
  // "the exchange: retransmit INVITE", or empty.
  const std::string& stuck() const { return stuck_; }
  std::uint64_t steps() const { return steps_; }

 private:
  struct Event {
    Instant at;
    std::uint64_t sequence;
    Action action;
    friend bool operator<(const Event& a, const Event& b) {
      return a.at != b.at ? a.at > b.at : a.sequence > b.sequence;  // earliest on top
    }
  };
  static constexpr std::uint64_t kStepsOfOneInstant = 200'000;

  Instant now_;
  std::uint64_t sequence_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t steps_now_ = 0;
  std::priority_queue<Event> events_;
  std::vector<Actor*> actors_;
  std::string stuck_;
};

}  // namespace bw::testkit
