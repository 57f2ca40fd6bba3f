// Seeds and percentages, so that a story reads "loses(30_percent)".
#pragma once

#include <cstdint>

namespace bw::testkit {

// Everything random of one story comes from it: the same seed is the same story.
struct Seed {
  std::uint64_t value = 1;
};

struct Percent {
  double value = 0;  // 0 … 100
  friend constexpr auto operator<=>(Percent, Percent) = default;
};

constexpr Percent operator""_percent(unsigned long long value) {
  return {static_cast<double>(value)};
}
constexpr Percent operator""_percent(long double value) {
  return {static_cast<double>(value)};
}

}  // namespace bw::testkit
