// SRTP of one leg: both directions, and how many streams they may hold.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "ports/media.h"
#include "rtp/srtp.h"

namespace bw::media {

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

// One direction. RTP and RTCP share the key (RFC 3711 §4.3).
class Protection {
 public:
  static std::optional<Protection> make(rtp::SrtpSession::Role role, const SrtpKey& key);

  // In place; the new size, or none if the packet is refused.
  std::optional<std::size_t> unprotect_rtp(std::span<std::uint8_t> buffer, std::size_t size);
  std::optional<std::size_t> unprotect_rtcp(std::span<std::uint8_t> buffer, std::size_t size);
  std::optional<std::size_t> protect_rtp(std::span<std::uint8_t> buffer, std::size_t size);
  std::optional<std::size_t> protect_rtcp(std::span<std::uint8_t> buffer, std::size_t size);
  const SrtpKey& key() const { return key_; }

 private:
  Protection(rtp::SrtpSession session, const SrtpKey& key) : session_(std::move(session)), key_(key) {}
  template <typename Operation>
  std::optional<std::size_t> run(std::span<std::uint8_t> buffer, std::size_t ssrc_at, Operation operation);

  rtp::SrtpSession session_;
  SrtpKey key_;
  SsrcSet ssrcs_;
};

}  // namespace bw::media
