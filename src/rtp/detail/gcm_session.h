// SRTP and SRTCP with AES-GCM (RFC 7714), one direction, on OpenSSL: what every browser uses. libsrtp2 as
// Debian builds it asks NSS, which makes and frees a context for each packet (docs/performance.md).
//
//   SRTP   header | ciphertext | tag             SRTCP   header, SSRC | ciphertext | tag | E + index
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "rtp/detail/replay_window.h"
#include "rtp/srtp.h"

struct evp_cipher_ctx_st;  // of OpenSSL

namespace bw::rtp::detail {

class GcmSession {
 public:
  using Result = std::expected<std::size_t, SrtpError>;
  static constexpr std::size_t kTag = 16;
  static constexpr std::size_t kSalt = 12;

  // `master`: key of 16 or 32 bytes, then kSalt bytes of salt. Null: out of memory.
  static std::unique_ptr<GcmSession> make(SrtpSession::Role role, std::string_view master);

  // As those of SrtpSession, which has looked at sizes, version and room.
  Result protect_rtp(std::span<std::uint8_t> buffer, std::size_t size);
  Result protect_rtcp(std::span<std::uint8_t> buffer, std::size_t size);
  Result unprotect_rtp(std::span<std::uint8_t> buffer, std::size_t size);
  Result unprotect_rtcp(std::span<std::uint8_t> buffer, std::size_t size);

 private:
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  using Salt = std::array<std::uint8_t, kSalt>;
  struct Key {  // of RTP or of RTCP
    std::unique_ptr<evp_cipher_ctx_st, Free> cipher;
    Salt salt{};
  };
  struct Stream {
    std::uint32_t ssrc = 0;
    ReplayWindow rtp;
    ReplayWindow rtcp;
  };

  static bool derive(SrtpSession::Role role, std::string_view master, std::uint8_t first_label, Key& key);
  Stream* find(std::uint32_t ssrc);
  Stream& add(std::uint32_t ssrc);

  Key rtp_;
  Key rtcp_;
  std::vector<Stream> streams_;  // SrtpStreams bounds them
};

}  // namespace bw::rtp::detail
