#include "rtp/dtmf_receiver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/rng.h"

namespace bw::rtp {
namespace {

constexpr std::string_view kKeys = "0123456789*#ABCD";
const Instant kStart{1'800'000'000s};

struct Sent {
  Header header;
  std::array<std::uint8_t, 4> payload{};
  Instant at;
};

// A phone that presses keys as RFC 4733 §2.5.1 says: an update every 20 ms, the end three times, long presses
// in segments.
class Keypad {
 public:
  explicit Keypad(std::uint32_t clock_rate, std::uint32_t timestamp = 0xffff'f000)
      : clock_(clock_rate), timestamp_(timestamp) {}

  void press(char key, Duration length, Duration pause = 100ms) {
    const std::uint32_t step = clock_ / 50;
    const auto updates = static_cast<std::uint32_t>(length / 20ms);
    std::uint32_t duration = 0;
    bool marker = true;
    for (std::uint32_t i = 0; i < updates; ++i) {
      if (duration + step > 0xffff) {
        timestamp_ += duration;
        duration = 0;
      }
      duration += step;
      send(key, duration, marker, i + 1 == updates);
      marker = false;
      now_ = now_ + 20ms;
    }
    send(key, duration, false, true);
    send(key, duration, false, true);
    timestamp_ += duration + clock_ / 10;
    now_ = now_ + pause;
  }

  std::vector<Sent> packets;

 private:
  void send(char key, std::uint32_t duration, bool marker, bool end) {
    const auto event = static_cast<std::uint8_t>(kKeys.find(key));
    Sent s{{marker, 101, sequence_++, timestamp_, 9}, {}, now_};
    s.payload = {event, static_cast<std::uint8_t>(end ? 0x8a : 0x0a),
                 static_cast<std::uint8_t>(duration >> 8U), static_cast<std::uint8_t>(duration)};
    packets.push_back(s);
  }

  std::uint32_t clock_;
  std::uint32_t timestamp_;
  std::uint16_t sequence_ = 100;
  Instant now_ = kStart;
};

struct Heard {
  std::string keys;
  std::vector<std::uint32_t> durations;
};

Heard listen(std::uint32_t clock, const std::vector<Sent>& packets) {
  DtmfReceiver receiver{clock};
  Heard heard;
  const auto take = [&heard](const Digits& digits) {
    for (const Digit& d : digits) {
      heard.keys += d.key;
      heard.durations.push_back(d.duration_ms);
    }
  };
  for (const Sent& s : packets) {
    if (receiver.deadline().at <= s.at) take(receiver.on_tick(receiver.deadline().at));
    take(receiver.on_packet(s.header, s.payload, s.at));
  }
  if (receiver.deadline().at != Instant::far_future()) take(receiver.on_tick(receiver.deadline().at));
  EXPECT_EQ(receiver.deadline().at, Instant::far_future());
  return heard;
}

TEST(Dtmf, EveryKeyIsHeardOnceWithItsLengthAtBothClocks) {
  for (const std::uint32_t clock : {8000u, 48'000u}) {
    Keypad pad{clock};
    for (const char key : kKeys) pad.press(key, 120ms);
    const Heard heard = listen(clock, pad.packets);
    EXPECT_EQ(heard.keys, kKeys);
    for (const auto ms : heard.durations) EXPECT_EQ(ms, 120u);
  }
}

TEST(Dtmf, SameKeyPressedTwiceIsTwoDigits) {
  Keypad pad{8000};
  pad.press('5', 80ms, 40ms);
  pad.press('5', 80ms, 40ms);
  EXPECT_EQ(listen(8000, pad.packets).keys, "55");
}

TEST(Dtmf, AnyOnePacketOfAPressIsEnough) {
  Keypad pad{8000};
  pad.press('7', 100ms);
  for (const Sent& only : pad.packets) EXPECT_EQ(listen(8000, {only}).keys, "7");
}

TEST(Dtmf, LostEndIsReportedWhenTheNextKeyBeginsOrAfterSilence) {
  Keypad pad{8000};
  pad.press('1', 100ms);
  const std::size_t first = pad.packets.size();
  pad.press('2', 100ms);
  std::vector<Sent> without = pad.packets;
  without.erase(without.begin() + static_cast<std::ptrdiff_t>(first) - 3,
                without.begin() + static_cast<std::ptrdiff_t>(first));
  EXPECT_EQ(listen(8000, without).keys, "12");

  DtmfReceiver receiver{8000};
  EXPECT_TRUE(receiver.on_packet(pad.packets[0].header, pad.packets[0].payload, kStart).empty());
  EXPECT_EQ(receiver.deadline().at, kStart + DtmfReceiver::kSilence);
  EXPECT_TRUE(receiver.on_tick(kStart + DtmfReceiver::kSilence - 1ns).empty());
  EXPECT_EQ(receiver.on_tick(kStart + DtmfReceiver::kSilence).size(), 1u);
  EXPECT_TRUE(receiver.on_packet(pad.packets[3].header, pad.packets[3].payload, kStart + 1s).empty());
}

TEST(Dtmf, LongPressInSegmentsIsOneDigit) {
  for (const std::uint32_t clock : {8000u, 48'000u}) {
    Keypad pad{clock};
    pad.press('#', 20s);
    pad.press('#', 100ms);
    const Heard heard = listen(clock, pad.packets);
    EXPECT_EQ(heard.keys, "##") << clock;
    EXPECT_EQ(heard.durations.at(0), 20'000u) << clock;
  }
}

TEST(Dtmf, OtherEventsAndShortPayloadsAreNoKeys) {
  DtmfReceiver receiver{8000};
  const std::array<std::uint8_t, 4> flash{16, 0x8a, 0, 160};
  EXPECT_TRUE(receiver.on_packet({}, flash, kStart).empty());
  EXPECT_TRUE(receiver.on_packet({}, std::span{flash}.first(3), kStart).empty());
  EXPECT_TRUE(receiver.on_packet({}, {}, kStart).empty());
  EXPECT_EQ(receiver.deadline().at, Instant::far_future());
}

TEST(Dtmf, NewSourceWithOldTimestampsIsHeard) {
  Keypad pad{8000};
  pad.press('4', 100ms);
  std::vector<Sent> twice = pad.packets;
  for (Sent s : pad.packets) {
    s.header.ssrc = 10;
    s.at = s.at + 1s;
    twice.push_back(s);
  }
  EXPECT_EQ(listen(8000, twice).keys, "44");
}

// A network that loses, repeats and reorders by seed, but leaves at least one packet of each press.
TEST(Dtmf, OnePressIsOneDigitWhateverTheNetworkDoes) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    SeededRng rng{seed};
    const std::uint32_t clock = seed % 2 == 0 ? 8000 : 48'000;
    Keypad pad{clock, static_cast<std::uint32_t>(rng.u64())};
    std::string dialled;
    std::vector<std::size_t> starts;
    for (int i = 0; i < 6; ++i) {
      starts.push_back(pad.packets.size());
      dialled += kKeys[rng.below(3)];  // few keys, so that neighbours are often equal
      // Pauses longer than the reordering: which key came first can then be known.
      pad.press(dialled.back(), Duration{(60 + 20 * rng.below(10)) * 1'000'000}, 120ms);
    }
    starts.push_back(pad.packets.size());
    std::vector<Sent> arrived;
    for (std::size_t k = 0; k + 1 < starts.size(); ++k) {
      const std::size_t survivor = starts[k] + rng.below(starts[k + 1] - starts[k]);
      for (std::size_t i = starts[k]; i < starts[k + 1]; ++i) {
        const std::size_t copies = (i == survivor ? 1 : rng.below(2)) + (rng.below(5) == 0 ? 1 : 0);
        for (std::size_t c = 0; c < copies; ++c) {
          Sent s = pad.packets[i];
          s.at = s.at + Duration{rng.below(100'000'000)};
          arrived.push_back(s);
        }
      }
    }
    std::ranges::sort(arrived, {}, &Sent::at);
    ASSERT_EQ(listen(clock, arrived).keys, dialled) << "seed " << seed;
  }
}

TEST(Dtmf, PressOvertakenByTheNextIsReportedFirstAndDoesNotCutIt) {
  Keypad pad{8000};
  pad.press('1', 60ms);
  const auto first = static_cast<std::ptrdiff_t>(pad.packets.size());
  pad.press('2', 200ms);
  std::vector<Sent> arrived(pad.packets.begin() + first, pad.packets.begin() + first + 2);
  arrived.insert(arrived.end(), pad.packets.begin(), pad.packets.begin() + first);
  arrived.insert(arrived.end(), pad.packets.begin() + first + 2, pad.packets.end());
  arrived.push_back(pad.packets[1]);
  for (Sent& s : arrived) s.at = kStart;
  const Heard heard = listen(8000, arrived);
  EXPECT_EQ(heard.keys, "12");
  EXPECT_EQ(heard.durations.at(1), 200u);
}

TEST(Dtmf, PacketsThatChangePlacesBetweenTwoSegmentsAreOnePress) {
  Keypad pad{8000};
  pad.press('9', 10s);
  auto next = std::ranges::adjacent_find(
      pad.packets, [](const Sent& a, const Sent& b) { return a.header.timestamp != b.header.timestamp; });
  ASSERT_NE(next, pad.packets.end());
  std::swap(*next, *(next + 1));
  std::swap(next->at, (next + 1)->at);
  EXPECT_EQ(listen(8000, pad.packets).keys, "9");
}

}  // namespace
}  // namespace bw::rtp
