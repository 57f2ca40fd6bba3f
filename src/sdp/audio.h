// What the lines of an audio section mean: codecs and payload numbers, direction, addresses, RTCP.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sdp/session_description.h"

namespace bw::sdp {

// As seen by whoever wrote the description (RFC 3264 §5.1). Two bits: sends, receives.
enum class Direction : std::uint8_t { kInactive = 0, kSendOnly = 1, kRecvOnly = 2, kSendRecv = 3 };

constexpr bool sends(Direction d) {
  return (static_cast<unsigned>(d) & 1U) != 0;
}
constexpr bool receives(Direction d) {
  return (static_cast<unsigned>(d) & 2U) != 0;
}
constexpr Direction direction_of(bool send, bool receive) {
  return static_cast<Direction>((send ? 1U : 0U) | (receive ? 2U : 0U));
}
// The same stream seen from the other end.
constexpr Direction reversed(Direction d) {
  return direction_of(receives(d), sends(d));
}
constexpr Direction narrowed(Direction a, Direction b) {
  return direction_of(sends(a) && sends(b), receives(a) && receives(b));
}
std::string_view to_string(Direction d);

// One format of an audio section. Static numbers have their meaning without a=rtpmap (RFC 3551 §6).
struct Codec {
  std::uint8_t payload = 0;  // 0…127
  std::string name;          // as the peer wrote it
  std::uint32_t clock_rate = 8000;
  std::uint8_t channels = 1;
  std::string fmtp;  // empty: none

  bool is(std::string_view other_name) const;  // names are compared without case (RFC 8866 §6.6)
  bool is_telephone_event() const { return is("telephone-event"); }
  // Comfort noise, redundancy, error correction, retransmission and telephone-event carry no voice alone.
  bool is_voice() const;
  friend bool operator==(const Codec&, const Codec&) = default;
};
// Same name, clock and channels; G729A is G729, and G722 at 16000 is the well-known slip for 8000.
bool same_codec(const Codec& a, const Codec& b);

// In the order of the m= line; formats that are no payload numbers, repeated or without a meaning are left
// out.
std::vector<Codec> codecs(const Media& media);

// a=sendrecv … of the section, else of the session, else sendrecv.
Direction direction(const SessionDescription& session, const Media& media);
// The same, and c=0.0.0.0 (RFC 2543 hold, RFC 3264 §8.4) says that the peer does not receive.
Direction effective_direction(const SessionDescription& session, const Media& media);
// The peer does not want to hear us: sendonly, inactive or c=0.0.0.0.
bool is_hold(const SessionDescription& session, const Media& media);

// c= of the section, else of the session; nullopt if there is none or it is a host name.
std::optional<IpAddress> address(const SessionDescription& session, const Media& media);
// Where the peer listens; nullopt on c=0.0.0.0, port 0, a host name or a multicast group (a call is between
// two).
std::optional<Endpoint> rtp_endpoint(const SessionDescription& session, const Media& media);
// a=rtcp (RFC 3605), else the next port; a=rtcp-mux is not looked at, because both sides must say it.
std::optional<Endpoint> rtcp_endpoint(const SessionDescription& session, const Media& media);
bool has_rtcp_mux(const Media& media);                   // RFC 5761
std::optional<std::uint16_t> ptime(const Media& media);  // milliseconds, 1…1000

// The protocol field of m= (RFC 3551, 3711, 4585, 5124, 5764).
struct Profile {
  bool rtp = false;       // any of the RTP profiles over UDP
  bool secure = false;    // SAVP, SAVPF
  bool feedback = false;  // AVPF, SAVPF
  bool dtls = false;      // UDP/TLS/…: keys by handshake
};
Profile profile(std::string_view protocol);

}  // namespace bw::sdp
