// A browser is connected, or has only shown its password (the first byte says which); the rest says what
// comes next: from it or from a stranger, as STUN, DTLS or media, and how time passes. Strangers reach
// nothing, nothing is sent to them but refusals of checks, and nobody is connected without a handshake.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "webrtc/test_peer.h"
#include "webrtc/transport.h"

namespace {

using namespace bw;
using namespace bw::webrtc;

void require(bool holds) {
  if (!holds) std::abort();
}

const DtlsContext& context(bool browser) {
  static const DtlsContext ours = test_context();
  static const DtlsContext theirs = test_context();
  return browser ? theirs : ours;
}

class Connection {
 public:
  explicit Connection(bool connected) : connected_(connected) {
    peer_.set_remote({ours_, {context(false).fingerprint()}, DtlsRole::kClient});
    transport_.handle(Transport::SetRemote{{theirs_, {context(true).fingerprint()}, DtlsRole::kServer}},
                      now_);
    peer_.check(home_, true);
    for (bool more = true; more;) {
      more = false;
      while (auto out = peer_.poll()) {
        const bool is_check = rtp::classify(out->bytes) == rtp::Kind::kStun;
        if (connected_ || is_check) arrives(home_, out->bytes), more = true;
      }
    }
    require(transport_.ice().knows(path(home_)));
    require(peer_.connected() == connected_ && (transport_.target() != nullptr) == connected_);
  }

  // Who and what, how much later, and how many of the following bytes.
  std::span<const std::uint8_t> step(std::span<const std::uint8_t> input) {
    const bool stranger = (input[0] & 1U) != 0;
    now_ = now_ + Duration{1ms} * (input[1] * input[1]);
    const std::size_t size = std::min<std::size_t>(input[2], input.size() - 3);
    std::vector<std::uint8_t> bytes(input.begin() + 3, input.begin() + 3 + static_cast<std::ptrdiff_t>(size));
    const Endpoint from = stranger ? stranger_ : home_;
    const auto before = transport_.counters();
    if ((input[0] & 2U) != 0) {
      bytes.resize(std::max<std::size_t>(bytes.size(), 64));
      const bool rtcp = (input[0] & 4U) != 0;
      const auto taken = rtcp ? transport_.receive_rtcp(path(from), bytes, bytes.size())
                              : transport_.receive_rtp(path(from), bytes, bytes.size());
      require(!taken);  // nobody here has the key
      require(!stranger || transport_.counters().media_strangers == before.media_strangers + 1);
    } else {
      arrives(from, bytes);
    }
    if (transport_.deadline().at <= now_) transport_.handle(Tick{}, now_), drain();
    require(!transport_.ice().knows(path(stranger_)));
    require(connected_ || transport_.target() == nullptr);
    return input.subspan(3 + size);
  }

 private:
  Path path(const Endpoint& from) const { return {from, here_, 0}; }
  void arrives(const Endpoint& from, const std::vector<std::uint8_t>& bytes) {
    transport_.handle(Transport::Received{path(from), bytes}, now_);
    drain();
  }
  void drain() {
    while (auto output = transport_.poll()) {
      const auto* send = std::get_if<Transport::Send>(&*output);
      if (send == nullptr) continue;
      require(send->path.remote == home_ || rtp::classify(send->bytes) == rtp::Kind::kStun);
      if (send->path.remote == home_ && (connected_ || rtp::classify(send->bytes) == rtp::Kind::kStun))
        peer_.receive(home_, send->bytes, now_);
    }
  }

  const bool connected_;
  const Endpoint home_{IpAddress::v4(0xC0000205), 40'000};
  const Endpoint stranger_{IpAddress::v4(0xC6336407), 6'666};
  const IpAddress here_ = IpAddress::v4(0xC0000201);
  const IceCredentials ours_{"oursfrag", Secret<std::string>{"ours-password-of-22-and-more"}};
  const IceCredentials theirs_{"them", Secret<std::string>{"their-password-of-22-and-more"}};
  Instant now_{1'800'000'000s};
  Transport transport_{context(false), ours_};
  TestPeer peer_{context(true), theirs_};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Connection connection{(data[0] & 7U) == 7U};  // handshakes are slow
  for (std::span<const std::uint8_t> input{data + 1, size - 1}; input.size() > 3;)
    input = connection.step(input);
  return 0;
}
