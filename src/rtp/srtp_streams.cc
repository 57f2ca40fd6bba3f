#include "rtp/srtp_streams.h"

#include <algorithm>

namespace bw::rtp {
namespace {

// In the clear also in a protected packet: bytes 8–11 of RTP, 4–7 of RTCP.
constexpr std::size_t kRtpSsrcAt = 8;
constexpr std::size_t kRtcpSsrcAt = 4;

}  // namespace

bool SsrcSet::contains(std::uint32_t ssrc) const {
  if (count_ > 0 && last_ == ssrc) return true;
  const auto end = known_.begin() + static_cast<std::ptrdiff_t>(count_);
  return std::find(known_.begin(), end, ssrc) != end;
}

bool SsrcSet::has_room_for(std::uint32_t ssrc) const {
  return count_ < kMost || contains(ssrc);
}

void SsrcSet::add(std::uint32_t ssrc) {
  if (!contains(ssrc)) known_[count_++] = ssrc;
  last_ = ssrc;
}

std::optional<SrtpStreams> SrtpStreams::make(SrtpSession::Role role, SrtpSuite suite,
                                             std::string_view master) {
  auto session = SrtpSession::make(role, suite, master);
  if (!session) return std::nullopt;
  return SrtpStreams{std::move(*session)};
}

template <typename Operation>
std::optional<std::size_t> SrtpStreams::run(std::span<std::uint8_t> buffer, std::size_t ssrc_at,
                                            Operation operation) {
  if (buffer.size() < ssrc_at + 4) return std::nullopt;
  std::uint32_t ssrc = 0;
  for (const std::uint8_t b : buffer.subspan(ssrc_at, 4)) ssrc = ssrc << 8U | b;
  if (!ssrcs_.has_room_for(ssrc)) return std::nullopt;
  const auto size = operation();
  if (!size) return std::nullopt;
  ssrcs_.add(ssrc);
  return *size;
}

std::optional<std::size_t> SrtpStreams::unprotect_rtp(std::span<std::uint8_t> buffer, std::size_t size) {
  return run(buffer, kRtpSsrcAt, [&] { return session_.unprotect_rtp(buffer, size); });
}

std::optional<std::size_t> SrtpStreams::unprotect_rtcp(std::span<std::uint8_t> buffer, std::size_t size) {
  return run(buffer, kRtcpSsrcAt, [&] { return session_.unprotect_rtcp(buffer, size); });
}

std::optional<std::size_t> SrtpStreams::protect_rtp(std::span<std::uint8_t> buffer, std::size_t size) {
  return run(buffer, kRtpSsrcAt, [&] { return session_.protect_rtp(buffer, size); });
}

std::optional<std::size_t> SrtpStreams::protect_rtcp(std::span<std::uint8_t> buffer, std::size_t size) {
  return run(buffer, kRtcpSsrcAt, [&] { return session_.protect_rtcp(buffer, size); });
}

}  // namespace bw::rtp
