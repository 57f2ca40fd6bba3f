#include "rtp/jitter_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/rng.h"

namespace bw::rtp {
namespace {

using Kind = JitterBuffer::Step::Kind;

// A sender of 20 ms packets of 8 kHz whose payload is its number, and a listener that takes 20 ms at a time.
class Stream : public ::testing::Test {
 protected:
  Header header(std::uint32_t number) const {
    return {false, 0, static_cast<std::uint16_t>(first + number), first_timestamp + number * 160, 7};
  }
  void arrives(std::uint32_t number) {
    const std::vector<std::uint8_t> payload{static_cast<std::uint8_t>(number),
                                            static_cast<std::uint8_t>(number >> 8U)};
    buffer.push(header(number), payload, now);
  }
  // Numbers of packets as text, "." for a concealed one, "" for nothing.
  std::string hears() {
    const auto step = buffer.next(now);
    switch (step.kind) {
      case Kind::kNothing:
        return "";
      case Kind::kEmpty:
        return ".";
      case Kind::kGap:
        buffer.played(step.ticks);
        return step.payload.empty() ? "." : "r";
      case Kind::kPacket:
        buffer.played(160);
        if (step.surplus && leave_out) {
          buffer.left_out();
          ++left_out;
          return hears();
        }
        return std::to_string(step.payload[0] | step.payload[1] << 8U) + " ";
    }
    return "?";
  }
  std::string hears(int times) {
    std::string heard;
    for (int i = 0; i < times; ++i) {
      heard += hears();
      now = now + 20ms;
    }
    return heard;
  }

  Instant now{1'800'000'000s};
  std::uint16_t first = 65'530;
  std::uint32_t first_timestamp = 0xffff'ff00;
  JitterBuffer buffer{8'000};
  bool leave_out = true;
  int left_out = 0;
};

TEST_F(Stream, OrderIsRestoredAcrossTheWrapOfNumbers) {
  for (const std::uint32_t n : {2u, 0u, 1u, 4u, 3u, 5u, 6u, 8u, 7u}) arrives(n);
  EXPECT_EQ(hears(9), "0 1 2 3 4 5 6 7 8 ");
  EXPECT_EQ(buffer.late(), 0u);
}

TEST_F(Stream, LostPacketIsConcealedOnceAndItsSuccessorMayRepairIt) {
  for (const std::uint32_t n : {0u, 1u, 3u, 4u, 7u}) arrives(n);
  EXPECT_EQ(hears(8), "0 1 r3 4 .r7 ");
  EXPECT_EQ(buffer.lost(), 3u);
}

TEST_F(Stream, DuplicatesAndLatecomersAreNotHeard) {
  for (const std::uint32_t n : {0u, 0u, 1u, 3u}) arrives(n);
  EXPECT_EQ(hears(3), "0 1 r");
  arrives(2);
  arrives(1);
  EXPECT_EQ(hears(2), "3 .");
  EXPECT_EQ(buffer.late(), 2u);
}

TEST_F(Stream, BeginsAfterTheDelay) {
  arrives(0);
  EXPECT_EQ(hears(1), "");
  arrives(1);
  EXPECT_EQ(hears(1), "0 ");
}

TEST_F(Stream, LatePacketIsHeardAndTheDelayGrows) {
  arrives(0);
  arrives(1);
  EXPECT_EQ(hears(4), "0 1 ..");
  arrives(2);
  arrives(3);
  EXPECT_EQ(hears(2), "2 3 ");
}

// DTX: numbers go on, the timestamp jumps; the silence is as long as it was.
TEST_F(Stream, SilenceOfTheSenderTakesItsTime) {
  const auto say = [&](std::uint16_t sequence, std::uint32_t timestamp) {
    const std::vector<std::uint8_t> payload{static_cast<std::uint8_t>(sequence), 0};
    buffer.push({false, 0, sequence, timestamp, 9}, payload, now);
  };
  say(1, 0);
  say(2, 160);
  EXPECT_EQ(hears(2), "1 2 ");
  EXPECT_EQ(hears(10), "..........");
  say(3, 160 * 12);
  EXPECT_EQ(hears(1), "3 ");
  EXPECT_EQ(buffer.lost(), 0u);
}

TEST_F(Stream, NewSenderIsFollowedAtOnce) {
  arrives(0);
  arrives(1);
  EXPECT_EQ(hears(2), "0 1 ");
  first = 100;
  first_timestamp = 5;
  arrives(0);  // the same SSRC with other numbers: a restart
  arrives(1);
  EXPECT_EQ(hears(2), "0 1 ");
}

TEST_F(Stream, FloodKeepsTheNewest) {
  for (std::uint32_t n = 0; n < 500; ++n) arrives(n);
  EXPECT_EQ(hears(1), "436 ");
  EXPECT_LE(buffer.held(), 64 * 20ms);
}

TEST_F(Stream, DelayFollowsTheNetwork) {
  SeededRng rng{5};
  for (std::uint32_t n = 0; n < 500; ++n) {
    now = now + 20ms;
    arrives(n);
    hears();
  }
  EXPECT_EQ(buffer.delay(), 20ms);
  std::multimap<Instant, std::uint32_t> under_way;
  int concealed = 0;
  for (std::uint32_t n = 500; n < 2'500; ++n) {
    under_way.emplace(now + std::chrono::milliseconds{rng.below(100)}, n);
    while (!under_way.empty() && under_way.begin()->first <= now) {
      arrives(under_way.begin()->second);
      under_way.erase(under_way.begin());
    }
    const std::string heard = hears();
    if (n > 1'500 && !heard.ends_with(' ')) ++concealed;
    now = now + 20ms;
  }
  EXPECT_GE(buffer.delay(), 60ms);
  EXPECT_LE(buffer.delay(), 130ms);
  EXPECT_LT(concealed, 40) << "of a thousand";
}

TEST_F(Stream, FastClockOfTheSenderDoesNotPileUp) {
  Instant sends = now;
  std::uint32_t n = 0;
  Duration most{0};
  for (int i = 0; i < 60'000; ++i) {  // 20 minutes with 0.1 %
    while (sends <= now) {
      arrives(n++);
      sends = sends + 19'980us;
    }
    hears();
    most = std::max(most, buffer.held());
    now = now + 20ms;
  }
  EXPECT_LE(most, 140ms);
  EXPECT_GT(left_out, 40);
}

TEST_F(Stream, SlowClockOfTheSenderCostsOnePauseNowAndThen) {
  Instant sends = now;
  std::uint32_t n = 0;
  int concealed = 0;
  for (int i = 0; i < 60'000; ++i) {
    while (sends <= now) {
      arrives(n++);
      sends = sends + 20'020us;
    }
    if (hears() == ".") ++concealed;
    now = now + 20ms;
  }
  EXPECT_GT(concealed, 40);
  EXPECT_LT(concealed, 90);
  EXPECT_EQ(buffer.late(), 0u);
}

// Any network: what is heard rises, nothing is heard twice, and what is held stays bounded.
TEST(JitterWalk, OrderHoldsUnderLossDelayDoublingAndRestarts) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SeededRng rng{seed};
    JitterBuffer buffer{48'000};
    Instant now{1'800'000'000s};
    std::multimap<Instant, Header> under_way;
    Header sends{false, 111, static_cast<std::uint16_t>(rng.below(65'536)),
                 static_cast<std::uint32_t>(rng.below(1U << 31U)), 1};
    const std::uint64_t loss = rng.below(30);
    const std::uint64_t jitter = 1 + rng.below(300);
    std::uint32_t last_heard = 0;
    std::uint32_t heard_of = 0;
    int heard = 0;
    std::uint32_t quiet = 0;
    for (int i = 0; i < 1'000; ++i) {
      if (rng.below(500) == 0) {
        sends.ssrc += 1;
        sends.sequence = static_cast<std::uint16_t>(rng.below(65'536));
        sends.timestamp = static_cast<std::uint32_t>(rng.below(1U << 31U));
      }
      if (quiet == 0) {
        quiet = rng.below(50) == 0 ? 10 : 1;
        ++sends.sequence;
        sends.timestamp += 960 * quiet;
      }
      const bool says = --quiet == 0;
      if (says && rng.below(100) >= loss)
        under_way.emplace(now + std::chrono::milliseconds{rng.below(jitter)}, sends);
      if (says && rng.below(20) == 0)
        under_way.emplace(now + std::chrono::milliseconds{rng.below(jitter)}, sends);
      while (!under_way.empty() && under_way.begin()->first <= now) {
        const Header h = under_way.begin()->second;
        const std::array<std::uint8_t, 8> payload{
            static_cast<std::uint8_t>(h.timestamp), static_cast<std::uint8_t>(h.timestamp >> 8U),
            static_cast<std::uint8_t>(h.timestamp >> 16U), static_cast<std::uint8_t>(h.timestamp >> 24U),
            static_cast<std::uint8_t>(h.ssrc)};
        buffer.push(h, payload, now);
        under_way.erase(under_way.begin());
      }
      const auto step = buffer.next(now);
      if (step.kind == Kind::kPacket) {
        const auto at = [&](std::size_t n) { return std::uint32_t{step.payload[n]} << 8 * n; };
        const std::uint32_t timestamp = at(0) | at(1) | at(2) | at(3);
        if (step.payload[4] == heard_of) {
          ASSERT_GT(static_cast<std::int32_t>(timestamp - last_heard), 0) << "seed " << seed << " step " << i;
        }
        last_heard = timestamp;
        heard_of = step.payload[4];
        ++heard;
        buffer.played(960);
        if (step.surplus) buffer.left_out();
      } else if (step.kind == Kind::kGap) {
        ASSERT_GT(step.ticks, 0u);
        ASSERT_LE(step.ticks, 48'000u / 50 * 6);
        buffer.played(step.ticks);
      }
      ASSERT_LE(buffer.held(), 64 * 200ms + 10s) << "seed " << seed;
      now = now + 20ms;
    }
    EXPECT_GT(heard, 300) << "seed " << seed;
  }
}

}  // namespace
}  // namespace bw::rtp
