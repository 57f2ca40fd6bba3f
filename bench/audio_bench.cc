// What decoded audio costs: each codec by itself, and whole transcoded calls through the relay, jitter buffer
// and numbering included, without sockets.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "audio/codec.h"
#include "audio/tones.h"
#include "media/relay.h"
#include "rtp/packet.h"

namespace {

using namespace bw;
using audio::CodecKind;

struct Named {
  CodecKind kind;
  media::PayloadFormat format;
};
const std::array<Named, 5>& codecs() {
  static const std::array<Named, 5> all{Named{CodecKind::kPcmu, {0, "PCMU", 8'000, 1, {}}},
                                        Named{CodecKind::kPcma, {8, "PCMA", 8'000, 1, {}}},
                                        Named{CodecKind::kG722, {9, "G722", 8'000, 1, {}}},
                                        Named{CodecKind::kOpus, {111, "opus", 48'000, 2, "useinbandfec=1"}},
                                        Named{CodecKind::kGsm, {3, "GSM", 8'000, 1, {}}}};
  return all;
}

// A second of something like a voice: two sines that come and go.
std::vector<std::int16_t> speech(std::uint32_t rate) {
  std::vector<std::int16_t> out(rate);
  audio::ToneGenerator low{{{180, 720}, 0.2, {140, 60, 200, 100}}, rate};
  low.fill(out);
  return out;
}

void encode(benchmark::State& state) {
  const auto kind = static_cast<CodecKind>(state.range(0));
  const auto rate = static_cast<std::uint32_t>(state.range(1));
  const auto encoder = audio::make_encoder(kind, rate, "useinbandfec=1");
  const auto said = speech(rate);
  std::array<std::uint8_t, audio::kMostPayload> payload{};
  std::size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        encoder->encode(audio::ConstSamples{said}.subspan(at, audio::tick_samples(rate)), payload));
    at = (at + audio::tick_samples(rate)) % said.size();
  }
}

void decode(benchmark::State& state) {
  const auto kind = static_cast<CodecKind>(state.range(0));
  const auto rate = static_cast<std::uint32_t>(state.range(1));
  const auto encoder = audio::make_encoder(kind, rate, "useinbandfec=1");
  const auto decoder = audio::make_decoder(kind, rate);
  const auto said = speech(rate);
  std::vector<std::vector<std::uint8_t>> payloads;
  for (std::size_t at = 0; at < said.size(); at += audio::tick_samples(rate)) {
    std::vector<std::uint8_t> payload(audio::kMostPayload);
    payload.resize(
        encoder->encode(audio::ConstSamples{said}.subspan(at, audio::tick_samples(rate)), payload));
    payloads.push_back(std::move(payload));
  }
  std::array<std::int16_t, audio::kMostSamples> pcm{};
  std::size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(decoder->decode(payloads[at], pcm));
    at = (at + 1) % payloads.size();
  }
}

void every_codec(benchmark::internal::Benchmark* b) {
  b->ArgNames({"codec", "rate"});
  b->Args({static_cast<int>(CodecKind::kPcmu), 8'000})->Args({static_cast<int>(CodecKind::kPcma), 8'000});
  b->Args({static_cast<int>(CodecKind::kG722), 16'000})->Args({static_cast<int>(CodecKind::kGsm), 8'000});
  for (const int rate : {8'000, 16'000, 48'000}) b->Args({static_cast<int>(CodecKind::kOpus), rate});
}
BENCHMARK(encode)->Apply(every_codec);
BENCHMARK(decode)->Apply(every_codec);

constexpr std::uint64_t kCalls = 100;
constexpr std::uint16_t kFirstPort = 10'000;

Endpoint phone(std::uint64_t leg) {
  return {IpAddress::v4(0xc0000201U), static_cast<std::uint16_t>(20'000 + 2 * leg)};
}

// One iteration is 20 ms of a hundred calls: 200 packets in, 200 out.
void calls(benchmark::State& state) {
  const Named& left = codecs()[static_cast<std::size_t>(state.range(0))];
  const Named& right = codecs()[static_cast<std::size_t>(state.range(1))];
  Instant now{1'800'000'000s};
  media::Relay relay{{kFirstPort, 12'000}, 0};
  for (std::uint64_t i = 0; i < 2 * kCalls; ++i) {
    const media::MediaLegId id{i + 1};
    relay.handle(media::OpenLeg{id, {0, static_cast<std::uint16_t>(kFirstPort + 2 * i)}}, now);
    media::SetPeer peer;
    peer.leg = id;
    peer.peer = {phone(i), phone(i)};
    const auto& format = (i % 2 == 0 ? left : right).format;
    peer.payloads = {{format}, {format}};
    relay.handle(peer, now);
    if (i % 2 == 1) relay.handle(media::Connect{media::MediaLegId{i}, id}, now);
  }
  struct Source {
    const Named* codec;
    std::unique_ptr<audio::Encoder> encoder;
    std::vector<std::vector<std::uint8_t>> payloads;
  };
  std::array<Source, 2> sources;
  for (std::size_t s = 0; s < 2; ++s) {
    Source& source = sources[s];
    source.codec = s == 0 ? &left : &right;
    const auto rate = audio::native_rate(source.codec->kind);
    source.encoder = audio::make_encoder(source.codec->kind, rate, {});
    const auto said = speech(rate);
    for (std::size_t at = 0; at < said.size(); at += audio::tick_samples(rate)) {
      std::vector<std::uint8_t> payload(audio::kMostPayload);
      payload.resize(
          source.encoder->encode(audio::ConstSamples{said}.subspan(at, audio::tick_samples(rate)), payload));
      source.payloads.push_back(std::move(payload));
    }
  }
  struct alignas(16) Buffer {
    std::array<std::uint8_t, 1'664> bytes{};
  };
  std::vector<Buffer> buffers(2 * kCalls);
  std::vector<media::InPacket> in;
  media::OutBatch out;
  std::uint16_t sequence = 0;
  std::uint64_t made = 0;
  for (auto _ : state) {
    in.clear();
    for (std::uint64_t i = 0; i < 2 * kCalls; ++i) {
      const Source& source = sources[i % 2];
      const auto& payload = source.payloads[sequence % source.payloads.size()];
      const std::uint32_t step = audio::rtp_clock(source.codec->kind) / 50;
      rtp::write_header(
          {false, source.codec->format.payload, sequence, sequence * step, static_cast<std::uint32_t>(i)},
          buffers[i].bytes);
      std::copy(payload.begin(), payload.end(), buffers[i].bytes.begin() + rtp::kHeaderBytes);
      in.push_back({phone(i), static_cast<std::uint16_t>(kFirstPort + 2 * i), buffers[i].bytes,
                    rtp::kHeaderBytes + payload.size()});
    }
    ++sequence;
    out.clear();
    relay.on_packets(in, now, out);
    made += out.size();
    now = now + 20ms;
    if (relay.deadline().at <= now) relay.handle(Tick{}, now);
    for (bool more = true; more;) {
      out.clear();
      more = relay.write_audio(now, out);
      made += out.size();
    }
    while (relay.poll()) {
    }
  }
  if (state.iterations() > 50 && made < state.iterations() * 2 * kCalls * 9 / 10) {
    state.SkipWithError("packets are missing");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(2 * kCalls));
  state.counters["core_percent_per_100_calls"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * 0.02 / 100,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(calls)
    ->ArgNames({"left", "right"})
    ->Args({0, 0})  // relayed
    ->Args({0, 1})  // PCMU, PCMA
    ->Args({0, 2})  // PCMU, G.722
    ->Args({3, 0})  // Opus, PCMU
    ->Args({3, 2})  // Opus, G.722
    ->Unit(benchmark::kMicrosecond);

}  // namespace
