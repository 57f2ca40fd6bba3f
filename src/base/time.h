// Time as a value. Nothing below src/io reads a clock: an Instant always comes in as an argument.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace bw {

using Duration = std::chrono::nanoseconds;
using namespace std::chrono_literals;

// A point in time, in nanoseconds of the Unix epoch. The server derives it from the monotonic clock
// plus the wall-clock offset read once at start, so it never runs backwards and can still be written
// into a record (docs/decisions/002-one-clock.md).
class Instant {
 public:
  constexpr Instant() = default;
  constexpr explicit Instant(Duration since_epoch) : since_epoch_(since_epoch) {}
  static constexpr Instant far_future() { return Instant{Duration::max()}; }

  constexpr Duration since_epoch() const { return since_epoch_; }
  constexpr std::int64_t unix_ms() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch_).count();
  }
  constexpr std::int64_t unix_s() const {
    return std::chrono::duration_cast<std::chrono::seconds>(since_epoch_).count();
  }

  friend constexpr auto operator<=>(Instant, Instant) = default;
  friend constexpr Instant operator+(Instant t, Duration d) { return Instant{t.since_epoch_ + d}; }
  friend constexpr Instant operator-(Instant t, Duration d) { return Instant{t.since_epoch_ - d}; }
  friend constexpr Duration operator-(Instant a, Instant b) { return a.since_epoch_ - b.since_epoch_; }

 private:
  Duration since_epoch_{0};
};

}  // namespace bw
