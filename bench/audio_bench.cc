// What decoded audio costs: each codec by itself, and whole transcoded calls through the relay, jitter buffer
// and numbering included, without sockets.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
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

// Says the same second over and over, as payloads.
struct Source {
  explicit Source(const Named& named) : codec(named) {
    const auto rate = audio::native_rate(named.kind);
    const auto encoder = audio::make_encoder(named.kind, rate, {});
    const auto said = speech(rate);
    for (std::size_t at = 0; at < said.size(); at += audio::tick_samples(rate)) {
      std::vector<std::uint8_t> payload(audio::kMostPayload);
      payload.resize(
          encoder->encode(audio::ConstSamples{said}.subspan(at, audio::tick_samples(rate)), payload));
      payloads.push_back(std::move(payload));
    }
  }
  std::size_t write(std::uint16_t sequence, std::uint32_t ssrc, std::span<std::uint8_t> out) const {
    const auto& payload = payloads[sequence % payloads.size()];
    const std::uint32_t step = audio::rtp_clock(codec.kind) / 50;
    rtp::write_header({false, codec.format.payload, sequence, sequence * step, ssrc}, out);
    std::copy(payload.begin(), payload.end(), out.begin() + rtp::kHeaderBytes);
    return rtp::kHeaderBytes + payload.size();
  }
  const Named& codec;
  std::vector<std::vector<std::uint8_t>> payloads;
};

// A hundred calls between two kinds of phones, 20 ms at a time: 200 packets in, 200 out.
class Office {
 public:
  Office(const Named& left, const Named& right)
      : sources_{Source{left}, Source{right}}, buffers_(2 * kCalls) {
    for (std::uint64_t i = 0; i < 2 * kCalls; ++i) {
      const media::MediaLegId id{i + 1};
      relay_.handle(media::OpenLeg{id, {0, static_cast<std::uint16_t>(kFirstPort + 2 * i)}}, now_);
      media::SetPeer peer;
      peer.leg = id;
      peer.peer = {phone(i), phone(i)};
      const auto& format = sources_[i % 2].codec.format;
      peer.payloads = {{format}, {format}};
      relay_.handle(peer, now_);
      if (i % 2 == 1) relay_.handle(media::Connect{media::MediaLegId{i}, id}, now_);
    }
  }
  void say_everything() {
    in_.clear();
    for (std::uint64_t i = 0; i < 2 * kCalls; ++i) {
      auto& buffer = buffers_[i].bytes;
      const std::size_t size = sources_[i % 2].write(sequence_, static_cast<std::uint32_t>(i), buffer);
      in_.push_back({phone(i), static_cast<std::uint16_t>(kFirstPort + 2 * i), buffer, size});
    }
    ++sequence_;
  }
  std::size_t pass() {
    out_.clear();
    relay_.on_packets(in_, now_, out_);
    std::size_t made = out_.size();
    now_ = now_ + 20ms;
    if (relay_.deadline().at <= now_) relay_.handle(Tick{}, now_);
    for (bool more = true; more;) {
      out_.clear();
      more = relay_.write_audio(now_, out_);
      made += out_.size();
    }
    while (relay_.poll()) {
    }
    return made;
  }

 private:
  struct alignas(16) Buffer {
    std::array<std::uint8_t, 1'664> bytes{};
  };
  Instant now_{1'800'000'000s};
  media::Relay relay_{{kFirstPort, 12'000}, 0};
  std::array<Source, 2> sources_;
  std::vector<Buffer> buffers_;
  std::vector<media::InPacket> in_;
  media::OutBatch out_;
  std::uint16_t sequence_ = 0;
};

void calls(benchmark::State& state) {
  Office office{codecs()[static_cast<std::size_t>(state.range(0))],
                codecs()[static_cast<std::size_t>(state.range(1))]};
  std::uint64_t made = 0;
  for (auto _ : state) {
    office.say_everything();
    made += office.pass();
  }
  const auto rounds = static_cast<std::uint64_t>(state.iterations());
  if (rounds > 100 && made < rounds * 2 * kCalls * 9 / 10) state.SkipWithError("packets are missing");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(2 * kCalls));
  // Each iteration stands for 20 ms of a hundred calls.
  state.counters["cores_for_100_calls"] = benchmark::Counter(
      static_cast<double>(rounds) * 0.02, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
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
