// For the tests of the relay: phones that speak RTP to it in virtual time.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "media/relay.h"
#include "rtp/packet.h"
#include "rtp/rtcp.h"
#include "rtp/srtp.h"

namespace bw::media {

using Bytes = std::vector<std::uint8_t>;

inline Endpoint at(const char* text) {
  return Endpoint::parse(text).value();
}

// The keys of one side of a call; both ends of a direction hold the same one.
inline SrtpKey key_of(char seed, SrtpSuite suite = SrtpSuite::kAesCm128HmacSha1_80) {
  const std::size_t length = suite == SrtpSuite::kAeadAes128Gcm ? 28 : 30;
  return {suite, Secret{std::string(length, seed)}};
}

// Makes packets as one sender does: its own SSRC, sequence and clock.
struct Voice {
  std::uint32_t ssrc = 1;
  std::uint16_t sequence = 100;
  std::uint32_t timestamp = 8000;
  std::uint8_t payload_type = 0;

  Bytes next() {
    Bytes packet(rtp::kHeaderBytes + 160, 0xd5);
    rtp::write_header({false, payload_type, ++sequence, timestamp += 160, ssrc}, packet);
    return packet;
  }
};

// One relay of the range 10000–10099, driven packet by packet.
class Plane : public ::testing::Test {
 protected:
  struct Sent {
    std::uint16_t local_port = 0;
    Endpoint to;
    Bytes bytes;

    rtp::Header header() const { return rtp::Packet::parse(bytes).value().header(); }
  };

  static constexpr std::uint16_t kAlicePort = 10'000;
  static constexpr std::uint16_t kBobPort = 10'002;
  static constexpr MediaLegId kAlice{1};
  static constexpr MediaLegId kBob{2};
  const Endpoint alice = at("192.0.2.1:4000");
  const Endpoint bob = at("198.51.100.2:5000");
  const Endpoint stranger = at("203.0.113.66:6666");

  void tell(const Relay::Input& input) {
    relay.handle(input, now);
    collect();
  }
  void pass(Duration d) {
    const Instant end = now + d;
    while (relay.deadline().at <= end) {
      now = std::max(now, relay.deadline().at);
      tell(Tick{});
      for (bool more = true; more;) {
        OutBatch out;
        more = relay.write_reports(now, out);
        for (const OutPacket& p : out)
          reports.push_back({p.local_port, p.to, {p.bytes.begin(), p.bytes.end()}});
      }
      for (bool more = true; more;) {
        OutBatch out;
        more = relay.write_audio(now, out);
        for (const OutPacket& p : out) made.push_back({p.local_port, p.to, {p.bytes.begin(), p.bytes.end()}});
      }
    }
    now = end;
  }
  static SetPeer peer(MediaLegId leg, const Endpoint& rtp) {
    SetPeer command;
    command.leg = leg;
    command.peer = {rtp, {rtp.ip, static_cast<std::uint16_t>(rtp.port + 1)}};
    return command;
  }
  // Alice and Bob talk: legs open, peers known, connected.
  void call() {
    tell(OpenLeg{kAlice, {0, kAlicePort}});
    tell(OpenLeg{kBob, {0, kBobPort}});
    tell(peer(kAlice, alice));
    tell(peer(kBob, bob));
    tell(Connect{kAlice, kBob});
  }

  // What the relay sends because of this datagram; none if nothing.
  std::optional<Sent> arrives(std::uint16_t port, const Endpoint& from, const Bytes& bytes) {
    buffer_ = bytes;
    buffer_.resize(bytes.size() + kTailRoom);
    InPacket packet{from, port, buffer_, bytes.size()};
    OutBatch out;
    relay.on_packets({&packet, 1}, now, out);
    collect();
    EXPECT_LE(out.size(), 1U) << "one datagram in, at most one out";
    if (out.empty()) return std::nullopt;
    return Sent{out[0].local_port, out[0].to, {out[0].bytes.begin(), out[0].bytes.end()}};
  }
  // `count` packets 20 ms apart; how many were passed on, and where the last one went.
  struct Heard {
    int passed = 0;
    Endpoint last_to;
  };
  Heard talks(std::uint16_t port, const Endpoint& from, Voice& voice, int count) {
    Heard heard;
    for (int i = 0; i < count; ++i) {
      if (const auto sent = arrives(port, from, voice.next())) {
        ++heard.passed;
        heard.last_to = sent->to;
      }
      pass(20ms);
    }
    return heard;
  }
  template <typename T>
  std::vector<T> events_of() const {
    std::vector<T> found;
    for (const Event& e : events) {
      if (const T* one = std::get_if<T>(&e)) found.push_back(*one);
    }
    return found;
  }

  Instant now{1'800'000'000s};
  Relay relay{{10'000, 10'099}, 0};
  std::vector<Event> events;
  std::vector<Sent> reports;  // the relay's own RTCP
  std::vector<Sent> made;     // its own audio
  Voice alices{.ssrc = 0xa11ce, .sequence = 65'530};
  Voice bobs{.ssrc = 0xb0b, .sequence = 7};
  Voice strangers{.ssrc = 0xbad, .sequence = 500};

 private:
  void collect() {
    while (auto e = relay.poll()) events.push_back(std::move(*e));
  }
  Bytes buffer_;
};

}  // namespace bw::media
