#include "media/detail/continuous_stream.h"

#include <algorithm>
#include <chrono>

namespace bw::media {
namespace {

// A pause longer than this is none that a listener's clock has to follow.
constexpr Duration kLongestPause = 60s;

}  // namespace

rtp::Header ContinuousStream::pass(std::span<std::uint8_t> packet, rtp::Header header,
                                   std::uint32_t clock_rate, Instant now) {
  if (!has_source_ || header.ssrc != source_) {
    if (begun_) {
      const Duration pause = std::clamp<Duration>(now - at_, 0ns, kLongestPause);
      const auto ticks = pause.count() / 1'000 * clock_rate / 1'000'000;
      sequence_offset_ = static_cast<std::uint16_t>(sequence_ + 1 - header.sequence);
      timestamp_offset_ =
          timestamp_ + static_cast<std::uint32_t>(std::max<std::int64_t>(ticks, 1)) - header.timestamp;
      sequence_ = static_cast<std::uint16_t>(header.sequence + sequence_offset_ - 1U);
    }
    has_source_ = true;
    source_ = header.ssrc;
  }
  header.ssrc = ssrc_;
  header.sequence = static_cast<std::uint16_t>(header.sequence + sequence_offset_);
  header.timestamp += timestamp_offset_;
  rtp::set_ssrc(packet, header.ssrc);
  rtp::set_sequence(packet, header.sequence);
  rtp::set_timestamp(packet, header.timestamp);
  // A late packet is not the newest (RFC 3550 appendix A.1).
  if (!begun_ || static_cast<std::int16_t>(header.sequence - sequence_) > 0) {
    sequence_ = header.sequence;
    timestamp_ = header.timestamp;
    at_ = now;
  }
  begun_ = true;
  return header;
}

}  // namespace bw::media
