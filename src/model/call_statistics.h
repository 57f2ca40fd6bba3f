// Figures over the calls of a period.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bw::model {

struct CallSums {
  std::uint64_t total = 0;     // that started in the period, whether they are over or not
  std::uint64_t answered = 0;  // also those that still last
  std::uint64_t failed = 0;    // over, and never answered
  std::uint64_t duration_s = 0;
  std::uint64_t billed_s = 0;  // from answer to end
};

struct ExtensionSums {
  std::string extension;
  std::uint64_t made = 0;
  std::uint64_t received = 0;
  std::uint64_t answered = 0;  // of both
  std::uint64_t billed_s = 0;
};

struct CallStatistics {
  CallSums sums;
  std::uint64_t no_answer = 0, busy = 0, refused = 0, cancelled = 0;  // what the failed ones died of
  std::array<CallSums, 24> hours{};                                   // by the hour of the day, UTC
  std::vector<ExtensionSums> extensions;                              // those with most calls first
  static constexpr std::size_t kMostExtensions = 1'000;
};

}  // namespace bw::model
