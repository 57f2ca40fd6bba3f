// Keys that a phone without telephone-event says as tones in its voice, over networks that lose packets.
#include <functional>

#include "media/transcoding_fixture.h"

namespace bw::media::transcoding {
namespace {

const std::string kAllKeysTwice = "00112233445566778899**##AABBCCDD";

// By number of the packet.
using Loses = std::function<bool(std::size_t)>;
bool nothing(std::size_t) {
  return false;
}

struct Manner {
  std::chrono::milliseconds on = 100ms;
  std::chrono::milliseconds off = 80ms;
  bool sends_silence = true;
};

class Tones : public Transcoding {
 protected:
  // The voice of a phone whose keys are pressed one after the other, not in step with its packets.
  static std::vector<Bytes> dials(const PayloadFormat& format, std::string_view keys, Manner manner = {}) {
    const CodecKind kind = *audio::codec_kind(format.codec, format.clock_rate, format.channels);
    const std::uint32_t rate = audio::native_rate(kind);
    std::vector<std::int16_t> said;
    const auto say = [&](const audio::Sound& sound, std::chrono::milliseconds length) {
      audio::ToneGenerator tone{sound, rate};
      said.resize(said.size() + static_cast<std::size_t>(length.count()) * rate / 1000);
      tone.fill(audio::Samples{said}.last(static_cast<std::size_t>(length.count()) * rate / 1000));
    };
    say({}, 407ms);
    for (const char key : keys) {
      say(audio::sound_of_key(key), manner.on);
      say({}, manner.off);
    }
    say({}, 1'000ms);
    return packets_of(format, kind, said, manner.sends_silence);
  }

  static std::vector<Bytes> packets_of(const PayloadFormat& format, CodecKind kind, audio::ConstSamples said,
                                       bool sends_silence) {
    const auto encoder = audio::make_encoder(kind, audio::native_rate(kind), {});
    std::vector<Bytes> packets;
    const std::size_t tick = audio::tick_samples(encoder->rate());
    std::uint16_t sequence = 65'500;
    std::uint32_t timestamp = 1'000;
    for (; said.size() >= tick; said = said.subspan(tick)) {
      timestamp += audio::rtp_clock(kind) / 50;
      Bytes& packet = packets.emplace_back();
      if (!sends_silence && std::ranges::all_of(said.first(tick), [](int s) { return s == 0; })) continue;
      packet.resize(rtp::kHeaderBytes + audio::kMostPayload);
      packet.resize(rtp::kHeaderBytes +
                    encoder->encode(said.first(tick), std::span{packet}.subspan(rtp::kHeaderBytes)));
      rtp::write_header({false, format.payload, ++sequence, timestamp, 4}, packet);
    }
    return packets;
  }

  // An empty one is 20 ms of nothing.
  void arrive(const std::vector<Bytes>& packets, const Loses& lost) {
    for (std::size_t i = 0; i < packets.size(); ++i) {
      if (!packets[i].empty() && !lost(i)) {
        if (const auto direct = arrives(kAlicePort, alice, packets[i])) heard.push_back(direct->bytes);
      }
      pass(20ms);
      for (const Bytes& b : made_for(kBobPort)) heard.push_back(b);
    }
    pass(5s);  // events are slower than who dials fast
    for (const Bytes& b : made_for(kBobPort)) heard.push_back(b);
  }

  std::vector<Bytes> heard;  // by Bob
};

// What the far end has beside the voice: the same codec, which is relayed, or another.
struct Case {
  PayloadFormat from;
  std::vector<PayloadFormat> to;
};

class TonesBetween : public Tones, public ::testing::WithParamInterface<Case> {
 protected:
  // Anew for each run.
  std::string told_of(const std::vector<Bytes>& packets, const Loses& lost) {
    call({GetParam().from}, GetParam().to);
    heard.clear();
    const std::size_t before = told().size();
    arrive(packets, lost);
    tell(CloseLeg{kAlice});
    tell(CloseLeg{kBob});
    pass(10s);
    return told().substr(before);
  }
  // Codecs that remember need a while after each loss, of the tone as of the pause.
  static Manner manner(std::chrono::milliseconds on, std::chrono::milliseconds off) {
    const bool remembers = GetParam().from.codec == "G722" || GetParam().from.codec == "opus";
    return remembers ? Manner{.on = on + 120ms, .off = off + 80ms} : Manner{.on = on, .off = off};
  }
  std::string events_heard() const {
    const PayloadFormat& events = GetParam().to.back();
    return keys_in(heard, events.payload, events.clock_rate);
  }
};

TEST_P(TonesBetween, AreToldAndBecomeEventsEachOnce) {
  EXPECT_EQ(told_of(dials(GetParam().from, kAllKeysTwice, {.on = 120ms, .off = 160ms}), nothing),
            kAllKeysTwice);
  EXPECT_EQ(events_heard(), kAllKeysTwice);
}

TEST_P(TonesBetween, AreHeardOnceWhicheverOfTwentyPacketsIsLost) {
  const auto packets = dials(GetParam().from, kAllKeysTwice, manner(80ms, 80ms));
  for (std::size_t first = 0; first < 20; ++first) {
    EXPECT_EQ(told_of(packets, [&](std::size_t i) { return i % 20 == first; }), kAllKeysTwice) << first;
  }
}

// More than a codec that remembers can get over within a press.
class TonesOverAPoorNetwork : public TonesBetween {};

TEST_P(TonesOverAPoorNetwork, AreHeardOnceThoughTwoPacketsAreLostTogether) {
  const auto packets = dials(GetParam().from, kAllKeysTwice, manner(120ms, 100ms));
  for (std::size_t first = 0; first < 30; ++first) {
    const auto lost = [&](std::size_t i) { return i % 30 == first || i % 30 == (first + 1) % 30; };
    EXPECT_EQ(told_of(packets, lost), kAllKeysTwice) << first;
  }
}

TEST_P(TonesOverAPoorNetwork, AreHeardOnceThoughFivePercentIsLostByChance) {
  const auto packets = dials(GetParam().from, kAllKeysTwice, manner(120ms, 100ms));
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SeededRng rng{seed};
    EXPECT_EQ(told_of(packets, [&](std::size_t) { return rng.below(100) < 5; }), kAllKeysTwice) << seed;
  }
}

TEST_P(TonesBetween, PauseThatIsNotSentIsOne) {
  const auto packets = dials(GetParam().from, kAllKeysTwice, {.sends_silence = false});
  EXPECT_EQ(told_of(packets, nothing), kAllKeysTwice);
}

std::string codecs_of(const ::testing::TestParamInfo<Case>& info) {
  return info.param.from.codec + "To" + info.param.to[0].codec;
}
INSTANTIATE_TEST_SUITE_P(Codecs, TonesBetween,
                         ::testing::Values(Case{kPcmu, {kPcmu, kEvents}}, Case{kPcma, {kPcma, kEvents}},
                                           Case{kG722, {kG722, kEvents}}, Case{kOpus, {kOpus, kFastEvents}},
                                           Case{kPcmu, {kOpus, kFastEvents}}, Case{kG722, {kPcma, kEvents}}),
                         codecs_of);
INSTANTIATE_TEST_SUITE_P(Codecs, TonesOverAPoorNetwork,
                         ::testing::Values(Case{kPcmu, {kPcmu, kEvents}}, Case{kPcma, {kPcma, kEvents}},
                                           Case{kPcmu, {kOpus, kFastEvents}}),
                         codecs_of);

TEST_F(Tones, InRelayedVoiceAreMutedOnceTheyAreKnown) {
  call({kPcmu}, {kPcmu, kEvents});
  arrive(dials(kPcmu, "5", {.on = 200ms}), nothing);
  Talker bert{kPcmu, 700, 2};
  for (const Bytes& b : heard) bert.hears(b);
  EXPECT_EQ(keys_in(bert.others, 101, 8'000), "5");
  EXPECT_LE(std::ranges::count_if(bert.heard, [](int s) { return std::abs(s) > 500; }), 60 * 8);
  for (std::size_t i = 1; i < heard.size(); ++i) {
    const auto at = [&](std::size_t n) { return rtp::Packet::parse(heard[n])->header(); };
    if (at(i).ssrc != at(i - 1).ssrc) continue;  // from then on a stream of our own
    EXPECT_EQ(static_cast<std::uint16_t>(at(i).sequence - at(i - 1).sequence), 1) << "nothing seems lost";
  }
}

// Decoding is dear: what nobody could have said in the time is relayed alone.
TEST_F(Tones, AreNotSearchedForInMoreThanTimeAllows) {
  for (const auto& [silence, expected] : {std::pair{4U, "5"}, std::pair{7U, ""}}) {
    call({kOpus}, {kOpus, kFastEvents});
    events.clear();
    auto packets = packets_of(kOpus, CodecKind::kOpus, std::vector<std::int16_t>(silence * 48'000U), true);
    Talker alix{kOpus, 700, 4};
    alix.sequence = rtp::Packet::parse(packets.back())->header().sequence;
    alix.timestamp = rtp::Packet::parse(packets.back())->header().timestamp;
    for (const Bytes& b : dials(kOpus, "5", {.on = 240ms})) {
      Bytes& moved = packets.emplace_back(b);
      rtp::set_sequence(moved, ++alix.sequence);
      rtp::set_timestamp(moved, alix.timestamp += alix.ticks());
    }
    std::size_t relayed = 0;
    for (const Bytes& b : packets) relayed += arrives(kAlicePort, alice, b) ? 1U : 0U;
    EXPECT_EQ(told(), expected) << silence;
    if (silence == 7) EXPECT_EQ(relayed, packets.size());
    tell(CloseLeg{kAlice});
    tell(CloseLeg{kBob});
    pass(10s);
  }
}

TEST_F(Tones, OvertakenPacketsMakeNoPress) {
  call({kPcmu}, {kPcmu, kEvents});
  auto packets = dials(kPcmu, kAllKeysTwice, {.on = 120ms, .off = 100ms});
  for (std::size_t i = 0; i + 1 < packets.size(); i += 7) std::swap(packets[i], packets[i + 1]);
  arrive(packets, nothing);
  EXPECT_EQ(told(), kAllKeysTwice);
}

TEST_F(Tones, BetweenPhonesThatBothHaveNoEventsPassUnheard) {
  call({kPcmu}, {kPcmu});
  const auto packets = dials(kPcmu, "42");
  arrive(packets, nothing);
  EXPECT_EQ(told(), "");
  ASSERT_EQ(heard.size(), packets.size());
  for (std::size_t i = 1; i < packets.size(); ++i) EXPECT_TRUE(heard[i] == packets[i]) << i;
}

}  // namespace
}  // namespace bw::media::transcoding
