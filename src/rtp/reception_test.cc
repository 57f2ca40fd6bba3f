#include "rtp/reception.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/rng.h"

namespace bw::rtp {
namespace {

using Verdict = Reception::Verdict;
const Instant kStart{1'800'000'000s};

Header packet(std::uint32_t n, std::uint16_t first = 0) {
  return {false, 0, static_cast<std::uint16_t>(first + n), n * 160, 7};
}

TEST(Reception, PerfectStreamLosesNothingAcrossTheWrapOfSequenceNumbers) {
  Reception r{8000};
  for (std::uint32_t n = 0; n < 140'000; ++n) {
    ASSERT_EQ(r.on_packet(packet(n, 65'000), kStart + n * 20ms), Verdict::kInOrder);
  }
  EXPECT_EQ(r.received(), 140'000u);
  EXPECT_EQ(r.expected(), 140'000u);
  EXPECT_EQ(r.lost(), 0u);
  EXPECT_EQ(r.jitter(), 0u);
  EXPECT_EQ(r.highest_sequence(), 65'000u + 139'999u);
}

TEST(Reception, LateAndDuplicatePacketsAreToldApartAndLossIsExact) {
  Reception r{8000};
  const auto at = [&](std::uint32_t n) { return r.on_packet(packet(n), kStart + n * 20ms); };
  EXPECT_EQ(at(0), Verdict::kInOrder);
  EXPECT_EQ(at(3), Verdict::kInOrder);
  EXPECT_EQ(r.lost(), 2u);
  EXPECT_EQ(at(1), Verdict::kLate);
  EXPECT_EQ(at(1), Verdict::kDuplicate);
  EXPECT_EQ(at(3), Verdict::kDuplicate);
  EXPECT_EQ(r.lost(), 1u);
  EXPECT_EQ(r.received(), 3u);
  EXPECT_EQ(r.duplicates(), 2u);
  EXPECT_EQ(r.late(), 1u);
}

TEST(Reception, StreamThatBeginsWithAnOvertakingPacketIsCountedFromTheEarlierOne) {
  Reception r{8000};
  r.on_packet(packet(1, 65'535), kStart);
  EXPECT_EQ(r.on_packet(packet(0, 65'535), kStart), Verdict::kLate);
  EXPECT_EQ(r.expected(), 2u);
  EXPECT_EQ(r.lost(), 0u);
}

TEST(Reception, OneWildSequenceNumberIsIgnoredTwoInARowAreFollowed) {
  Reception r{8000};
  for (std::uint32_t n = 0; n < 10; ++n) r.on_packet(packet(n), kStart + n * 20ms);
  EXPECT_EQ(r.on_packet(packet(30'000), kStart), Verdict::kOutOfRange);
  EXPECT_EQ(r.on_packet(packet(10), kStart), Verdict::kInOrder);
  EXPECT_EQ(r.on_packet(packet(40'000), kStart), Verdict::kOutOfRange);
  EXPECT_EQ(r.on_packet(packet(40'001), kStart), Verdict::kInOrder);
  EXPECT_EQ(r.on_packet(packet(40'003), kStart), Verdict::kInOrder);
  EXPECT_EQ(r.expected(), 11u + 3u);
  EXPECT_EQ(r.lost(), 1u);
}

// RFC 3550 A.8: for evenly spread delays the estimate settles at the mean difference of two neighbours.
TEST(Reception, JitterSettlesAtTheMeanDifferenceOfNeighbours) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    SeededRng rng{seed};
    Reception r{8000};
    double smallest = 1e9;
    double largest = 0;
    for (std::uint32_t n = 0; n < 20'000; ++n) {
      const auto delay = Duration{rng.below(10'000'000)};  // 0…10 ms
      r.on_packet(packet(n), kStart + n * 20ms + delay);
      if (n > 500) {
        smallest = std::min(smallest, r.jitter_ms());
        largest = std::max(largest, r.jitter_ms());
      }
    }
    // E|a-b| of two uniform values of 0…10 is 10/3.
    EXPECT_GT(smallest, 1.5) << seed;
    EXPECT_LT(largest, 5.5) << seed;
  }
}

TEST(Reception, TelephoneEventsAndAHoldDoNotSpoilTheJitter) {
  Reception r{8000};
  for (std::uint32_t n = 0; n < 50; ++n) r.on_packet(packet(n), kStart + n * 20ms);
  for (std::uint32_t n = 50; n < 80; ++n) {
    r.on_packet({false, 101, static_cast<std::uint16_t>(n), 50 * 160, 7}, kStart + n * 20ms);
  }
  // Ten seconds of hold in which the sender's clock stood still.
  for (std::uint32_t n = 80; n < 90; ++n) r.on_packet(packet(n), kStart + 10s + n * 20ms);
  EXPECT_EQ(r.jitter(), 0u);
  EXPECT_EQ(r.lost(), 0u);
}

TEST(Reception, RandomLossReorderAndDuplicationAreCountedExactly) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SeededRng rng{seed};
    struct Arrival {
      Instant at;
      std::uint32_t n = 0;
    };
    std::vector<Arrival> arrivals;
    std::uint64_t dropped = 0;
    std::uint64_t doubled = 0;
    const std::uint32_t count = 5000;
    for (std::uint32_t n = 0; n < count; ++n) {
      const bool edge = n == 0 || n + 1 == count;  // so that expected is known
      if (!edge && rng.below(100) < 10) {
        ++dropped;
        continue;
      }
      const auto delay = [&] { return edge ? Duration{0} : Duration{rng.below(200'000'000)}; };
      arrivals.push_back({kStart + n * 20ms + delay(), n});
      if (rng.below(100) < 5) {
        arrivals.push_back({kStart + n * 20ms + delay(), n});
        ++doubled;
      }
    }
    std::ranges::sort(arrivals, {}, &Arrival::at);
    Reception r{8000};
    for (const Arrival& a : arrivals) r.on_packet(packet(a.n, 64'000), a.at);
    EXPECT_EQ(r.expected(), count) << seed;
    EXPECT_EQ(r.lost(), dropped) << seed;
    EXPECT_EQ(r.duplicates(), doubled) << seed;
    EXPECT_GT(r.late(), 0u) << seed;
  }
}

TEST(Reception, ReportsSayTheFractionSinceTheLastOne) {
  Reception r{8000};
  for (std::uint32_t n = 0; n < 100; ++n) {
    if (n % 4 != 1) r.on_packet(packet(n), kStart + n * 20ms);
  }
  const ReportBlock first = r.report(7, kStart + 2s);
  EXPECT_EQ(first.ssrc, 7u);
  EXPECT_EQ(first.fraction_lost, 64);
  EXPECT_EQ(first.lost, 25);
  EXPECT_EQ(first.last_sr, 0u);
  for (std::uint32_t n = 100; n < 200; ++n) r.on_packet(packet(n), kStart + n * 20ms);
  const ReportBlock second = r.report(7, kStart + 4s);
  EXPECT_EQ(second.fraction_lost, 0);
  EXPECT_EQ(second.lost, 25);
  EXPECT_EQ(second.highest_sequence, 199u);
  EXPECT_EQ(r.report(7, kStart + 4s).fraction_lost, 0);
}

}  // namespace
}  // namespace bw::rtp
