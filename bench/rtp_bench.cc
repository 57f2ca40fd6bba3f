// What one RTP packet costs the relay: reading and counting it, and SRTP on one side.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "rtp/packet.h"
#include "rtp/reception.h"
#include "rtp/srtp.h"

namespace {

using namespace bw::rtp;

constexpr std::size_t kSpeech = 160;  // 20 ms of G.711
using Buffer = std::array<std::uint8_t, kHeaderBytes + kSpeech + kSrtpTailRoom>;

std::span<std::uint8_t> packet_of(Buffer& buffer, std::uint32_t n) {
  const auto packet = std::span{buffer}.first(kHeaderBytes + kSpeech);
  write_header({false, 0, static_cast<std::uint16_t>(n), n * 160, 77}, packet);
  return packet;
}

void parse_and_count(benchmark::State& state) {
  alignas(16) Buffer buffer{};
  Reception reception{8000};
  bw::Instant now{bw::Duration{1'800'000'000'000'000'000}};
  std::uint32_t n = 0;
  for (auto _ : state) {
    const auto packet = packet_of(buffer, ++n);
    now = now + bw::Duration{20'000'000};
    const auto parsed = Packet::parse(packet);
    benchmark::DoNotOptimize(reception.on_packet(parsed->header(), now));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(parse_and_count);

std::string name_of(SrtpSuite suite) {
  switch (suite) {
    case SrtpSuite::kAesCm128HmacSha1_80:
      return "AES_CM_128_HMAC_SHA1_80";
    case SrtpSuite::kAesCm128HmacSha1_32:
      return "AES_CM_128_HMAC_SHA1_32";
    case SrtpSuite::kAeadAes128Gcm:
      return "AEAD_AES_128_GCM";
    case SrtpSuite::kAeadAes256Gcm:
      return "AEAD_AES_256_GCM";
  }
  return {};
}

void protect(benchmark::State& state) {
  const auto suite = static_cast<SrtpSuite>(state.range(0));
  auto session = SrtpSession::make(SrtpSession::Role::kSend, suite, std::string(master_bytes(suite), 'k'));
  alignas(16) Buffer buffer{};
  std::uint32_t n = 0;
  for (auto _ : state) {
    const auto packet = packet_of(buffer, ++n);
    const auto size = session->protect_rtp(buffer, packet.size());
    if (!size) return state.SkipWithError("protect failed");
    benchmark::DoNotOptimize(*size);
  }
  state.SetLabel(name_of(suite));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(protect)->DenseRange(0, 3);

// A receiver needs packets somebody made: both halves are measured, and the row above taken off gives the
// second.
void protect_and_unprotect(benchmark::State& state) {
  const auto suite = static_cast<SrtpSuite>(state.range(0));
  const std::string master(master_bytes(suite), 'k');
  auto send = SrtpSession::make(SrtpSession::Role::kSend, suite, master);
  auto receive = SrtpSession::make(SrtpSession::Role::kReceive, suite, master);
  alignas(16) Buffer buffer{};
  std::uint32_t n = 0;
  for (auto _ : state) {
    const auto packet = packet_of(buffer, ++n);
    const auto size = send->protect_rtp(buffer, packet.size());
    if (!size || !receive->unprotect_rtp(buffer, *size)) return state.SkipWithError("unprotect failed");
  }
  state.SetLabel(name_of(suite));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(protect_and_unprotect)->DenseRange(0, 3);

}  // namespace
