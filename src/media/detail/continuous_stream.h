// One RTP stream made of those of many senders, one after the other.
#pragma once

#include <cstdint>
#include <span>

#include "base/time.h"
#include "rtp/packet.h"

namespace bw::media {

// A browser hears every call of its session under the same SSRC, sequence numbers and timestamps going on
// where the last call ended: another SSRC would be another track to it, and a stream of SRTP more.
// Owned by the session.
class ContinuousStream {
 public:
  explicit ContinuousStream(std::uint32_t ssrc) : ssrc_(ssrc) {}

  // Rewrites the packet in place; the header it has now. `clock_rate` is that of its payload.
  rtp::Header pass(std::span<std::uint8_t> packet, rtp::Header header, std::uint32_t clock_rate, Instant now);
  // The next packet comes from somebody else, whatever its SSRC.
  void interrupt() { has_source_ = false; }
  std::uint32_t ssrc() const { return ssrc_; }

 private:
  std::uint32_t ssrc_;
  bool has_source_ = false;
  bool begun_ = false;
  std::uint32_t source_ = 0;
  std::uint16_t sequence_offset_ = 0;
  std::uint32_t timestamp_offset_ = 0;
  // The newest packet that left.
  std::uint16_t sequence_ = 0;
  std::uint32_t timestamp_ = 0;
  Instant at_;
};

}  // namespace bw::media
