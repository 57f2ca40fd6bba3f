// Datagrams on their way through a media loop: views into buffers the driver owns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/address.h"
#include "webrtc/path.h"

namespace bw::media {

// A received datagram. The buffer is changed in place (decrypted, encrypted again), so it needs kTailRoom
// bytes behind the payload.
struct InPacket {
  Endpoint from;
  std::uint16_t local_port = 0;  // even: RTP, odd: RTCP
  std::span<std::uint8_t> buffer;
  std::size_t size = 0;  // received bytes, at the start of the buffer
};

// SRTP and SRTCP tag, index and MKI.
inline constexpr std::size_t kTailRoom = 160;

// The same on the one port of all browsers: a datagram, or a frame of a stream (RFC 4571).
struct SessionPacket {
  webrtc::Path path;
  std::span<std::uint8_t> buffer;
  std::size_t size = 0;
};

// A datagram to send from the socket of `local_port`. Valid as long as the InPacket it was made of.
struct OutPacket {
  std::uint16_t local_port = 0;  // kSessionPort: from the port of the browsers, on the rest of the path
  Endpoint to;
  std::span<const std::uint8_t> bytes;
  IpAddress local{};         // only for kSessionPort, as is
  std::uint64_t stream = 0;  // webrtc::Path::stream
};
inline constexpr std::uint16_t kSessionPort = 0;

// Cleared by the driver, not by the relay; keeps its capacity, so nothing is allocated per packet.
using OutBatch = std::vector<OutPacket>;

}  // namespace bw::media
