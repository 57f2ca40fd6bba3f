#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <complex>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "audio/codec.h"
#include "audio/dtmf_detector.h"
#include "audio/prompt_player.h"
#include "audio/resampler.h"
#include "audio/tones.h"

namespace bw::audio {
namespace {

using Pcm = std::vector<std::int16_t>;

Pcm sine(double hertz, std::uint32_t rate, std::size_t count, double level = 0.3) {
  Pcm out(count);
  ToneGenerator generator{{{hertz, 0}, level, {}}, rate};
  generator.fill(out);
  return out;
}

// How much of the power lies at this frequency, 0 to 1 (Goertzel as a plain correlation).
double share_of(double hertz, ConstSamples pcm, std::uint32_t rate) {
  std::complex<double> sum = 0;
  double power = 0;
  for (std::size_t i = 0; i < pcm.size(); ++i) {
    const double s = pcm[i];
    sum += s * std::polar(1.0, -2 * std::numbers::pi * hertz * static_cast<double>(i) / rate);
    power += s * s;
  }
  if (power == 0) return 0;
  return 2 * std::norm(sum) / (power * static_cast<double>(pcm.size()));
}

struct Case {
  CodecKind kind;
  std::uint32_t rate;
};
constexpr std::array kCases{Case{CodecKind::kPcmu, 8'000},  Case{CodecKind::kPcma, 8'000},
                            Case{CodecKind::kG722, 16'000}, Case{CodecKind::kGsm, 8'000},
                            Case{CodecKind::kOpus, 8'000},  Case{CodecKind::kOpus, 16'000},
                            Case{CodecKind::kOpus, 48'000}};

struct Heard {
  Pcm pcm;
  std::size_t bytes = 0;
};
// Every `lost_each`-th packet does not arrive (0: all do); with `repair` the next one helps.
Heard through(const Case& c, const Pcm& said, std::size_t lost_each = 0, std::string_view fmtp = {}) {
  const auto encoder = make_encoder(c.kind, c.rate, fmtp);
  const auto decoder = make_decoder(c.kind, c.rate);
  const std::size_t tick = tick_samples(c.rate);
  Heard heard;
  std::array<std::int16_t, kMostSamples> room{};
  std::array<std::uint8_t, kMostPayload> payload{};
  bool missing = false;
  for (std::size_t i = 0; (i + 1) * tick <= said.size(); ++i) {
    const std::size_t size = encoder->encode(ConstSamples{said}.subspan(i * tick, tick), payload);
    EXPECT_GT(size, 0u);
    heard.bytes += size;
    if (lost_each != 0 && i % lost_each == lost_each - 1) {
      missing = true;
      continue;
    }
    if (std::exchange(missing, false)) {
      const Samples gap = Samples{room}.first(tick);
      decoder->recover(std::span{payload}.first(size), gap);
      heard.pcm.insert(heard.pcm.end(), gap.begin(), gap.end());
    }
    const std::size_t count = decoder->decode(std::span{payload}.first(size), room);
    EXPECT_EQ(count, tick);
    heard.pcm.insert(heard.pcm.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return heard;
}

std::string name(const Case& c) {
  return std::to_string(static_cast<int>(c.kind)) + " at " + std::to_string(c.rate);
}

TEST(Codecs, ToneComesOutAsItWentIn) {
  for (const Case& c : kCases) {
    const Heard heard = through(c, sine(440, c.rate, c.rate));
    ASSERT_GE(heard.pcm.size(), c.rate * 9 / 10) << name(c);
    const auto second_half = ConstSamples{heard.pcm}.subspan(c.rate / 2);
    EXPECT_GT(share_of(440, second_half, c.rate), 0.9) << name(c);
    EXPECT_LT(share_of(1000, second_half, c.rate), 0.05) << name(c);
  }
}

TEST(Codecs, WidebandKeepsWhatNarrowbandCannot) {
  for (const Case& c : {Case{CodecKind::kG722, 16'000}, Case{CodecKind::kOpus, 48'000}}) {
    const Heard heard = through(c, sine(6000, c.rate, c.rate));
    EXPECT_GT(share_of(6000, ConstSamples{heard.pcm}.subspan(c.rate / 2), c.rate), 0.8) << name(c);
  }
}

TEST(Codecs, LostPacketsAreFilledWithTheSameSound) {
  for (const Case& c : kCases) {
    const Heard heard = through(c, sine(400, c.rate, 2 * c.rate), 10, "useinbandfec=1");
    // Tenth by tenth: what is made up may shift the phase.
    double share = 0;
    for (std::size_t i = 0; i < 10; ++i) {
      share += share_of(400, ConstSamples{heard.pcm}.subspan(c.rate).subspan(i * c.rate / 10, c.rate / 10),
                        c.rate) /
               10;
    }
    EXPECT_GT(share, 0.7) << name(c);
  }
}

TEST(Codecs, ConcealmentFadesAway) {
  for (const Case& c : kCases) {
    const auto encoder = make_encoder(c.kind, c.rate, {});
    const auto decoder = make_decoder(c.kind, c.rate);
    const std::size_t tick = tick_samples(c.rate);
    const Pcm said = sine(400, c.rate, c.rate);
    std::array<std::int16_t, kMostSamples> room{};
    std::array<std::uint8_t, kMostPayload> payload{};
    for (std::size_t i = 0; i < 50; ++i) {
      const auto size = encoder->encode(ConstSamples{said}.subspan(i * tick, tick), payload);
      decoder->decode(std::span{payload}.first(size), room);
    }
    int loudest = 0;
    for (int i = 0; i < 50; ++i) {
      decoder->conceal(Samples{room}.first(tick));
      loudest = 0;
      for (std::size_t s = 0; s < tick; ++s) loudest = std::max(loudest, std::abs(int{room[s]}));
    }
    EXPECT_LT(loudest, 9'830 / 8) << name(c);  // Opus leaves the background noise it believes to have heard
  }
}

// ITU-T G.711, tables 1a and 2a: the decision and output values at the ends of the segments.
TEST(G711, KnownValues) {
  const auto expand = [](CodecKind kind, std::uint8_t code) {
    std::array<std::int16_t, 4> out{};
    make_decoder(kind, 8'000)->decode({&code, 1}, out);
    return out[0];
  };
  EXPECT_EQ(expand(CodecKind::kPcmu, 0xff), 0);
  EXPECT_EQ(expand(CodecKind::kPcmu, 0x80), 32'124);
  EXPECT_EQ(expand(CodecKind::kPcmu, 0x00), -32'124);
  EXPECT_EQ(expand(CodecKind::kPcmu, 0xf0), 120);
  EXPECT_EQ(expand(CodecKind::kPcma, 0xd5), 8);
  EXPECT_EQ(expand(CodecKind::kPcma, 0x55), -8);
  EXPECT_EQ(expand(CodecKind::kPcma, 0xaa), 32'256);
  EXPECT_EQ(expand(CodecKind::kPcma, 0x2a), -32'256);
}

TEST(G711, EveryCodeSurvivesDecodingAndEncoding) {
  for (const CodecKind kind : {CodecKind::kPcmu, CodecKind::kPcma}) {
    for (unsigned code = 0; code < 256; ++code) {
      const auto byte = static_cast<std::uint8_t>(code);
      std::array<std::int16_t, 1> sample{};
      std::array<std::uint8_t, 1> back{};
      make_decoder(kind, 8'000)->decode({&byte, 1}, sample);
      make_encoder(kind, 8'000, {})->encode(sample, back);
      // µ-law has two zeros.
      EXPECT_TRUE(back[0] == byte || (kind == CodecKind::kPcmu && byte == 0x7f && back[0] == 0xff)) << code;
    }
  }
}

TEST(Codecs, AreKnownByWhatSdpSays) {
  EXPECT_EQ(codec_kind("pcmu", 8'000, 1), CodecKind::kPcmu);
  EXPECT_EQ(codec_kind("OPUS", 48'000, 2), CodecKind::kOpus);
  EXPECT_EQ(codec_kind("G722", 16'000, 1), CodecKind::kG722);
  EXPECT_EQ(codec_kind("opus", 16'000, 2), std::nullopt);
  EXPECT_EQ(codec_kind("G729", 8'000, 1), std::nullopt);
  EXPECT_EQ(best_rate(CodecKind::kOpus, 8'000), 8'000u);
  EXPECT_EQ(best_rate(CodecKind::kG722, 8'000), 16'000u);
}

TEST(Codecs, OpusHeedsTheBitRateItIsAskedFor) {
  const Case c{CodecKind::kOpus, 48'000};
  std::uint32_t state = 7;
  Pcm noise(c.rate);
  for (auto& s : noise) {
    state = state * 1'664'525 + 1'013'904'223;
    s = static_cast<std::int16_t>(static_cast<int>(state >> 16U) % 8'000 - 4'000);
  }
  EXPECT_LT(through(c, noise, 0, "minptime=10; maxaveragebitrate=12000").bytes * 8, 15'000u);
  EXPECT_GT(through(c, noise).bytes * 8, 25'000u);
}

TEST(Codecs, NonsenseIsNoSound) {
  std::array<std::int16_t, kMostSamples> room{};
  const std::array<std::uint8_t, 40> nonsense{0xff, 0x00};
  EXPECT_EQ(make_decoder(CodecKind::kGsm, 8'000)->decode(nonsense, room), 0u);
  EXPECT_EQ(make_decoder(CodecKind::kOpus, 48'000)->decode({}, room), 0u);
  EXPECT_EQ(make_decoder(CodecKind::kOpus, 48'000)->decode(nonsense, room), 0u);
}

TEST(Resampler, ToneKeepsItsPitchAndAliasesAreGone) {
  for (const auto& [from, to] :
       {std::pair{8'000u, 16'000u}, {16'000u, 8'000u}, {48'000u, 8'000u}, {8'000u, 48'000u}}) {
    Resampler resampler{from, to};
    const Pcm in = sine(1000, from, from);
    Pcm out;
    for (std::size_t i = 0; i + tick_samples(from) <= in.size(); i += tick_samples(from)) {
      Pcm tick(tick_samples(to));
      resampler.run(ConstSamples{in}.subspan(i, tick_samples(from)), tick);
      out.insert(out.end(), tick.begin(), tick.end());
    }
    EXPECT_GT(share_of(1000, ConstSamples{out}.subspan(to / 2), to), 0.98) << from << " to " << to;
  }
}

TEST(Tones, RegionsDifferAndCadencesPause) {
  const auto second = [](const Sound& sound, int which) {
    ToneGenerator generator{sound, 8'000};
    Pcm out(8'000);
    for (int i = 0; i <= which; ++i) generator.fill(out);
    return out;
  };
  const Sound us = sound_of(Tone::kRingBack, "US");
  EXPECT_GT(share_of(440, second(us, 0), 8'000), 0.45);
  EXPECT_GT(share_of(480, second(us, 0), 8'000), 0.45);
  EXPECT_EQ(share_of(440, second(us, 2), 8'000), 0);  // 2 s on, 4 s off
  EXPECT_GT(share_of(440, second(us, 6), 8'000), 0.45);
  EXPECT_GT(share_of(425, second(sound_of(Tone::kRingBack, "DE"), 0), 8'000), 0.9);
  EXPECT_GT(share_of(425, second(sound_of(Tone::kBusy, ""), 0), 8'000), 0.3);
}

// ---- recordings ----

// A recording of so many samples of a tone, in G.722.
std::vector<std::uint8_t> recording(double hertz, std::size_t samples) {
  const auto encoder = make_encoder(CodecKind::kG722, 16'000, {});
  std::vector<std::uint8_t> bytes;
  std::array<std::uint8_t, kMostPayload> payload{};
  const Pcm said = sine(hertz, 16'000, samples);
  for (std::size_t at = 0; at < said.size(); at += 320) {
    const auto tick = ConstSamples{said}.subspan(at, std::min<std::size_t>(320, said.size() - at));
    const std::size_t made = encoder->encode(tick, payload);
    bytes.insert(bytes.end(), payload.begin(), payload.begin() + static_cast<std::ptrdiff_t>(made));
  }
  return bytes;
}

Pcm played(PromptPlayer& player, std::uint32_t rate) {
  Pcm all;
  Pcm tick(tick_samples(rate));
  while (!player.done()) {
    player.fill(tick);
    all.insert(all.end(), tick.begin(), tick.end());
  }
  return all;
}

TEST(Prompt, IsSaidOnceAtTheRateOfItsListener) {
  const auto said = recording(700, 16'000);
  for (const std::uint32_t rate : {8'000U, 16'000U, 48'000U}) {
    PromptPlayer player{said, rate};
    const Pcm heard = played(player, rate);
    EXPECT_EQ(heard.size(), rate) << "a second";
    EXPECT_GT(share_of(700, ConstSamples{heard}.subspan(rate / 4, rate / 2), rate), 0.9) << rate;
    Pcm after(tick_samples(rate), 1'000);
    player.fill(after);
    player.fill(after);
    EXPECT_LT(std::ranges::max(after), 200) << "silence after the end, at " << rate;
  }
}

TEST(Prompt, EndsInTheMiddleOfATick) {
  const auto said = recording(700, 16'000 + 100);
  PromptPlayer odd{said, 16'000};
  const Pcm heard = played(odd, 16'000);
  EXPECT_EQ(heard.size(), 16'320);
  EXPECT_TRUE(std::ranges::all_of(ConstSamples{heard}.last(220), [](std::int16_t x) { return x == 0; }));
}

TEST(Prompt, OfNothingIsDone) {
  PromptPlayer player{{}, 8'000};
  EXPECT_TRUE(player.done());
}

TEST(Dtmf, EveryKeyIsHeardOnceAtEveryRate) {
  for (const std::uint32_t rate : {8'000u, 16'000u, 48'000u}) {
    DtmfDetector detector{rate};
    std::string heard;
    const std::string keys = "0123456789*#ABCD5566";
    Pcm tick(tick_samples(rate));
    for (const char key : keys) {
      ToneGenerator tone{sound_of_key(key), rate};
      for (int i = 0; i < 4; ++i) {
        tone.fill(tick);
        detector.hear(tick);
        if (const auto k = detector.next_key()) heard += *k;
      }
      EXPECT_TRUE(detector.sounding());
      std::ranges::fill(tick, std::int16_t{0});
      for (int i = 0; i < 4; ++i) {
        detector.hear(tick);
        if (const auto k = detector.next_key()) heard += *k;
      }
      EXPECT_FALSE(detector.sounding());
    }
    EXPECT_EQ(heard, keys) << rate;
  }
}

TEST(Dtmf, RingBackIsNoKey) {
  DtmfDetector detector{8'000};
  ToneGenerator tone{sound_of(Tone::kRingBack, "US"), 8'000};
  Pcm tick(160);
  for (int i = 0; i < 500; ++i) {
    tone.fill(tick);
    detector.hear(tick);
    EXPECT_FALSE(detector.next_key());
  }
}

}  // namespace
}  // namespace bw::audio
