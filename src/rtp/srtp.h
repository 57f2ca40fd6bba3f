// SRTP and SRTCP of one direction (RFC 3711, GCM: RFC 7714), keys from the signalling (RFC 4568).
//
// Packets are changed in place. Send and receive are separate sessions, as each has its own master key.
// One new SSRC costs an allocation (a received one only after its packet proved authentic); a packet costs
// none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string_view>

struct srtp_ctx_t_;  // of libsrtp2

namespace bw::rtp {
namespace detail {
class GcmSession;
}

enum class SrtpSuite : std::uint8_t {
  kAesCm128HmacSha1_80,
  kAesCm128HmacSha1_32,
  kAeadAes128Gcm,
  kAeadAes256Gcm
};
constexpr std::size_t master_bytes(SrtpSuite suite) {  // key and salt together
  switch (suite) {
    case SrtpSuite::kAesCm128HmacSha1_80:
    case SrtpSuite::kAesCm128HmacSha1_32:
      return 16 + 14;
    case SrtpSuite::kAeadAes128Gcm:
      return 16 + 12;
    case SrtpSuite::kAeadAes256Gcm:
      return 32 + 12;
  }
  return 0;
}

// Room that protect_rtp() and protect_rtcp() need behind the packet; libsrtp2 may write into all of it.
inline constexpr std::size_t kSrtpTailRoom = 16 + 128 + 4;

enum class SrtpError : std::uint8_t {
  kKeyLength,  // master is not master_bytes(suite) long
  kMalformed,  // not an RTP or RTCP packet
  kNoRoom,     // less than kSrtpTailRoom behind the packet
  kNotAuthentic,
  kReplayed,    // seen before, or older than the replay window
  kKeyExpired,  // 2^48 packets (2^31 of RTCP)
  kInternal,    // the library refused: out of memory, or a bug
};

class SrtpSession {
 public:
  enum class Role : std::uint8_t { kSend, kReceive };
  static std::expected<SrtpSession, SrtpError> make(Role role, SrtpSuite suite, std::string_view master);

  // `size` bytes at the start of the buffer; the new size comes back. On an error the content of the buffer
  // is undefined. Buffers should be aligned to four bytes.
  std::expected<std::size_t, SrtpError> protect_rtp(std::span<std::uint8_t> buffer, std::size_t size);
  std::expected<std::size_t, SrtpError> protect_rtcp(std::span<std::uint8_t> buffer, std::size_t size);
  std::expected<std::size_t, SrtpError> unprotect_rtp(std::span<std::uint8_t> buffer, std::size_t size);
  std::expected<std::size_t, SrtpError> unprotect_rtcp(std::span<std::uint8_t> buffer, std::size_t size);

 private:
  struct Close {
    void operator()(srtp_ctx_t_* context) const;
    void operator()(detail::GcmSession* session) const;
  };
  explicit SrtpSession(srtp_ctx_t_* context) : context_(context) {}
  explicit SrtpSession(detail::GcmSession* gcm) : gcm_(gcm) {}

  // One of the two.
  std::unique_ptr<srtp_ctx_t_, Close> context_;
  std::unique_ptr<detail::GcmSession, Close> gcm_;
};

}  // namespace bw::rtp
