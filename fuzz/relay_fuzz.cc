// A call is going on; strangers, and the peers themselves, send whatever the input says. Strangers must
// change nothing, and nothing may go anywhere but to the two peers.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "media/relay.h"
#include "rtp/packet.h"

namespace {

using namespace bw;
using namespace bw::media;

void require(bool holds) {
  if (!holds) std::abort();
}

// Nothing of the second list is in the first but the keys.
PayloadMap formats(std::size_t leg) {
  const std::vector<PayloadFormat> list =
      leg == 0 ? std::vector<PayloadFormat>{{0, "PCMU", 8'000, 1, {}}, {101, "telephone-event", 8'000, 1, {}}}
               : std::vector<PayloadFormat>{{96, "opus", 48'000, 2, {}},
                                            {9, "G722", 8'000, 1, {}},
                                            {110, "telephone-event", 48'000, 1, {}}};
  return {list, list};
}

class Call {
 public:
  explicit Call(bool transcodes) {
    for (std::size_t i = 0; i < 2; ++i) {
      relay_.handle(OpenLeg{MediaLegId{i + 1}, {0, ports_[i]}}, now_);
      SetPeer peer;
      peer.leg = MediaLegId{i + 1};
      peer.peer = {phones_[i], {phones_[i].ip, static_cast<std::uint16_t>(phones_[i].port + 1)}};
      peer.telephone_event = 101;
      if (transcodes) peer.payloads = formats(i);
      relay_.handle(peer, now_);
    }
    relay_.handle(Connect{MediaLegId{1}, MediaLegId{2}}, now_);
    relay_.handle(WatchSilence{MediaLegId{1}, 1s}, now_);
    std::array<std::uint8_t, 32> hello{};
    rtp::write_header({false, 0, 1, 160, 77}, hello);
    for (std::size_t i = 0; i < 2; ++i) require(arrives(ports_[i], phones_[i], hello) != transcodes);
  }

  // One step of the input: who sends, where to, how much later, and how many of the following bytes.
  void step(std::uint8_t how, std::uint8_t later, std::span<const std::uint8_t> bytes) {
    now_ = now_ + std::chrono::milliseconds{later * 4};
    const std::size_t leg = how & 1U;
    const bool rtcp = (how & 2U) != 0;
    const auto port = static_cast<std::uint16_t>(ports_[leg] + (rtcp ? 1 : 0));
    switch (how >> 2U & 3U) {
      case 0:
        require(!arrives(port, stranger_, bytes));
        break;
      case 1:
        require(!arrives(port, {stranger_.ip, phones_[leg].port}, bytes));
        break;
      case 2:
        arrives(port, phones_[leg], bytes);
        break;
      case 3:
        arrives(port, {phones_[leg].ip, static_cast<std::uint16_t>(phones_[leg].port + 1)}, bytes);
        break;
    }
    if (relay_.deadline().at <= now_) relay_.handle(Tick{}, now_);
    OutBatch reports;
    relay_.write_reports(now_, reports);
    while (relay_.write_audio(now_, reports)) {
      for (const OutPacket& sent : reports) require_to_peer(sent);
      reports.clear();
    }
    for (const OutPacket& sent : reports) require_to_peer(sent);
    while (relay_.poll()) {
    }
  }

  void close() {
    for (std::size_t i = 0; i < 2; ++i) relay_.handle(CloseLeg{MediaLegId{i + 1}}, now_);
    std::size_t closed = 0;
    while (const auto event = relay_.poll()) closed += std::holds_alternative<LegClosed>(*event) ? 1 : 0;
    require(closed == 2);
  }

 private:
  void require_to_peer(const OutPacket& sent) const {
    const Endpoint& phone = phones_[sent.local_port / 2U == ports_[0] / 2U ? 0 : 1];
    require(sent.to.ip == phone.ip && sent.to.port / 2U == phone.port / 2U);
  }
  bool arrives(std::uint16_t port, const Endpoint& from, std::span<const std::uint8_t> bytes) {
    std::vector<std::uint8_t> buffer(bytes.size() + kTailRoom);
    std::copy(bytes.begin(), bytes.end(), buffer.begin());
    InPacket packet{from, port, buffer, bytes.size()};
    OutBatch out;
    relay_.on_packets({&packet, 1}, now_, out);
    require(out.size() <= 1);
    for (const OutPacket& sent : out) {
      require_to_peer(sent);
      require(port / 2U != sent.local_port / 2U);
    }
    return !out.empty();
  }

  const std::array<std::uint16_t, 2> ports_{10'000, 10'002};
  const std::array<Endpoint, 2> phones_{Endpoint{IpAddress::v4(0xc0000201), 4000},
                                        Endpoint{IpAddress::v4(0xc6336402), 5000}};
  const Endpoint stranger_{IpAddress::v4(0xcb007142), 6666};
  Relay relay_{{10'000, 10'009}, 0};
  Instant now_{1'800'000'000s};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span<const std::uint8_t> rest{data, size};
  Call call{size > 0 && (data[size - 1] & 1U) != 0};
  while (rest.size() >= 3) {
    const std::uint8_t how = rest[0];
    const std::uint8_t later = rest[1];
    const std::size_t length = std::min<std::size_t>(rest[2], rest.size() - 3);
    call.step(how, later, rest.subspan(3, length));
    rest = rest.subspan(3 + length);
  }
  call.close();
  return 0;
}
