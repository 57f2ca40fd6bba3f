// One of a crowd: a browser (checks, DTLS, SRTP on a port of its own), or a phone with plain RTP. Each says a
// tone that nobody else says, so that what somebody hears tells whom.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "audio/codec.h"
#include "base/address.h"
#include "base/time.h"
#include "io/descriptor.h"
#include "webrtc/test_peer.h"

namespace bw::load {

using Bytes = std::vector<std::uint8_t>;

constexpr unsigned kMostMembers = 200;
// Whole periods in a second, 15 Hz apart, and what every codec carries.
constexpr unsigned tone_of(unsigned number) {
  return 300 + 15 * number;
}

// A second of a tone, in packets of 20 ms, to be said over and over.
std::vector<Bytes> say_tone(audio::CodecKind codec, unsigned hertz);

// Throws std::system_error if the system refuses a socket. Not moved: its parts know each other.
class Member {
 public:
  static constexpr Duration kInterval = 20ms;

  Member(unsigned number, const IpAddress& local, audio::CodecKind codec, std::uint8_t payload_type,
         bool browser);

  int descriptor() const { return socket_.get(); }
  std::uint16_t port() const { return port_; }
  const Endpoint& server() const { return server_; }
  bool is_browser() const { return security_ != nullptr; }
  // Of a browser.
  const webrtc::IceCredentials& ice() const { return security_->own; }
  const webrtc::Fingerprint& fingerprint() const { return security_->context.fingerprint(); }
  const std::vector<std::uint16_t>& errors() const { return security_->peer.errors(); }
  bool connected() const { return security_ == nullptr || security_->peer.connected(); }

  // `remote`: of a browser.
  void meet(const Endpoint& server, webrtc::RemoteParameters remote, Instant now);
  void receive(Instant now);
  void tick(Instant now);  // checks, handshakes, and what is due to be said
  void talk(Instant first);
  void hush() { talking_ = false; }

  // Sends again what it said in the last second; how many packets.
  unsigned replay();
  // Seals packets of another tone with the keys of this member, for a stranger to send.
  std::vector<Bytes> forge(unsigned hertz);

  void forget();  // what was heard
  std::uint64_t packets() const { return packets_; }
  // What the tone has of all it heard in the last second, in energy, 0 to 1; 0: not a second of sound yet.
  double heard(unsigned hertz) const;
  // The loudest of them; 0: none.
  unsigned loudest(std::span<const unsigned> tones) const;

 private:
  struct Security {
    Security(unsigned number, webrtc::DtlsContext made);
    webrtc::DtlsContext context;
    webrtc::IceCredentials own;
    webrtc::TestPeer peer;
    Instant next_check;
  };
  static constexpr std::size_t kSecond = 50;  // packets

  Bytes next_packet(const Bytes& payload);
  void say();
  void send(const Bytes& packet) const;
  void flush();
  void take(const Bytes& packet);
  struct Sound {
    std::vector<std::int16_t> samples;
    std::uint32_t rate = 0;
  };
  Sound last_second() const;

  io::Descriptor socket_;
  std::uint16_t port_ = 0;
  Endpoint server_;
  std::unique_ptr<Security> security_;
  audio::CodecKind codec_;
  std::uint8_t payload_type_ = 0;
  std::vector<Bytes> tone_;
  bool talking_ = false;
  Instant next_;
  std::uint16_t sequence_ = 0;
  std::uint32_t timestamp_ = 0;
  std::uint32_t ssrc_ = 0;
  std::uint64_t said_ = 0;
  std::array<Bytes, kSecond> sent_;
  std::uint64_t packets_ = 0;
  std::array<std::pair<std::uint8_t, Bytes>, kSecond> kept_;  // payload type, payload
};

}  // namespace bw::load
