// One direction of SRTP, and how many streams it may hold.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "rtp/srtp.h"

namespace bw::rtp {

// The SSRCs a session keeps a stream for. libsrtp2 makes one for each new SSRC and searches them in a row, so
// a peer that changes its SSRC with every packet must not make it grow.
class SsrcSet {
 public:
  static constexpr std::size_t kMost = 32;
  bool has_room_for(std::uint32_t ssrc) const;
  void add(std::uint32_t ssrc);

 private:
  bool contains(std::uint32_t ssrc) const;
  std::array<std::uint32_t, kMost> known_{};
  std::size_t count_ = 0;
  std::uint32_t last_ = 0;
};

// RTP and RTCP share the key (RFC 3711 §4.3).
class SrtpStreams {
 public:
  // None: the master does not fit the suite.
  static std::optional<SrtpStreams> make(SrtpSession::Role role, SrtpSuite suite, std::string_view master);

  // In place; the new size, or none if the packet is refused.
  std::optional<std::size_t> unprotect_rtp(std::span<std::uint8_t> buffer, std::size_t size);
  std::optional<std::size_t> unprotect_rtcp(std::span<std::uint8_t> buffer, std::size_t size);
  std::optional<std::size_t> protect_rtp(std::span<std::uint8_t> buffer, std::size_t size);
  std::optional<std::size_t> protect_rtcp(std::span<std::uint8_t> buffer, std::size_t size);

 private:
  explicit SrtpStreams(SrtpSession session) : session_(std::move(session)) {}
  template <typename Operation>
  std::optional<std::size_t> run(std::span<std::uint8_t> buffer, std::size_t ssrc_at, Operation operation);

  SrtpSession session_;
  SsrcSet ssrcs_;
};

}  // namespace bw::rtp
