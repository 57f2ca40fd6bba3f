// What the relay itself costs per packet, without sockets: parse, judge, count, and SRTP on one side.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <vector>

#include "media/relay.h"
#include "rtp/packet.h"
#include "rtp/srtp.h"

namespace {

using namespace bw;
using namespace bw::media;

constexpr std::uint64_t kLegs = 800;
constexpr std::uint16_t kFirstPort = 10'000;

Endpoint phone(std::uint64_t leg) {
  return {IpAddress::v4(0xc0000200U + static_cast<std::uint32_t>(leg % 250)),
          static_cast<std::uint16_t>(4000 + leg)};
}

std::uint16_t port_of(std::uint64_t leg) {
  return static_cast<std::uint16_t>(kFirstPort + 2 * leg);
}

SrtpKey key() {
  return {SrtpSuite::kAeadAes128Gcm, Secret{std::string(28, 'k')}};
}

// 400 calls; with `secured`, what leaves towards odd legs is encrypted.
void set_up(Relay& relay, bool secured, Instant now) {
  for (std::uint64_t i = 0; i < kLegs; ++i) {
    const MediaLegId id{i + 1};
    relay.handle(OpenLeg{id, {0, port_of(i)}}, now);
    SetPeer peer;
    peer.leg = id;
    peer.peer = {phone(i), phone(i)};
    if (secured && i % 2 == 1) peer.send = key();
    relay.handle(peer, now);
    if (i % 2 == 1) relay.handle(Connect{MediaLegId{i}, id}, now);
  }
}

void relays(benchmark::State& state) {
  const bool secured = state.range(0) == 1;
  Instant now{1'800'000'000s};
  Relay relay{{kFirstPort, 12'000}, 0};
  set_up(relay, secured, now);
  constexpr std::size_t kBatch = 32;
  struct alignas(16) Buffer {
    std::array<std::uint8_t, 1'664> bytes{};
  };
  std::vector<Buffer> buffers(kBatch);
  std::vector<InPacket> in;
  OutBatch out;
  std::uint64_t leg = 0;
  std::uint16_t sequence = 0;
  for (auto _ : state) {
    in.clear();
    out.clear();
    for (Buffer& buffer : buffers) {
      rtp::write_header({false, 0, sequence, sequence * 160U, static_cast<std::uint32_t>(leg)}, buffer.bytes);
      in.push_back({phone(leg), port_of(leg), buffer.bytes, 172});
      leg += secured ? 2 : 1;  // even legs speak: their partners' stream is encrypted
      if (leg >= kLegs) {
        leg = 0;
        ++sequence;
        now = now + 20ms;
      }
    }
    relay.on_packets(in, now, out);
    benchmark::DoNotOptimize(out.data());
    if (out.size() != kBatch) state.SkipWithError("a packet was not relayed");
    while (relay.poll()) {
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
}
BENCHMARK(relays)->ArgName("srtp")->Arg(0)->Arg(1);

}  // namespace
