#include "rtp/srtp.h"

#include <srtp2/srtp.h>

#include <cstring>

#include "rtp/detail/gcm_session.h"

namespace bw::rtp {
namespace {

static_assert(kSrtpTailRoom >= SRTP_MAX_TRAILER_LEN + 4);

constexpr std::size_t kRtcpHeaderBytes = 8;
constexpr std::size_t kRtpHeaderBytes = 12;

bool library_ready() {
  static const bool ready = srtp_init() == srtp_err_status_ok;
  return ready;
}

void set_suite(SrtpSuite suite, srtp_policy_t& policy) {
  switch (suite) {
    case SrtpSuite::kAesCm128HmacSha1_80:
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
      return;
    case SrtpSuite::kAesCm128HmacSha1_32:
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);  // RFC 4568 §6.2.2
      return;
    case SrtpSuite::kAeadAes128Gcm:
    case SrtpSuite::kAeadAes256Gcm:
      return;  // not by this library
  }
}

SrtpError meaning(srtp_err_status_t status) {
  switch (status) {
    case srtp_err_status_auth_fail:
      return SrtpError::kNotAuthentic;
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
    case srtp_err_status_pkt_idx_old:
      return SrtpError::kReplayed;
    case srtp_err_status_key_expired:
      return SrtpError::kKeyExpired;
    case srtp_err_status_bad_param:
    case srtp_err_status_parse_err:
      return SrtpError::kMalformed;
    default:
      return SrtpError::kInternal;
  }
}

struct Operation {
  srtp_err_status_t (*by_library)(srtp_t, void*, int*);
  detail::GcmSession::Result (detail::GcmSession::*by_gcm)(std::span<std::uint8_t>, std::size_t);
  std::size_t least = 0;  // bytes of such a packet
  std::size_t room = 0;   // needed behind it
};
constexpr Operation kProtectRtp{srtp_protect, &detail::GcmSession::protect_rtp, kRtpHeaderBytes,
                                kSrtpTailRoom};
constexpr Operation kProtectRtcp{srtp_protect_rtcp, &detail::GcmSession::protect_rtcp, kRtcpHeaderBytes,
                                 kSrtpTailRoom};
constexpr Operation kUnprotectRtp{srtp_unprotect, &detail::GcmSession::unprotect_rtp, kRtpHeaderBytes + 4};
// Header, index and the shortest tag: libsrtp2 reads them from the end without asking for the length.
constexpr Operation kUnprotectRtcp{srtp_unprotect_rtcp, &detail::GcmSession::unprotect_rtcp,
                                   kRtcpHeaderBytes + 4 + 10};

std::expected<std::size_t, SrtpError> apply(const Operation& operation, srtp_t library,
                                            detail::GcmSession* gcm, std::span<std::uint8_t> buffer,
                                            std::size_t size) {
  if (size < operation.least || size > 65'535 || buffer[0] >> 6U != 2)
    return std::unexpected(SrtpError::kMalformed);
  if (buffer.size() < size || buffer.size() - size < operation.room)
    return std::unexpected(SrtpError::kNoRoom);
  if (gcm != nullptr) return (gcm->*operation.by_gcm)(buffer, size);
  int length = static_cast<int>(size);
  const auto status = operation.by_library(library, buffer.data(), &length);
  if (status != srtp_err_status_ok) return std::unexpected(meaning(status));
  return static_cast<std::size_t>(length);
}

}  // namespace

void SrtpSession::Close::operator()(srtp_ctx_t_* context) const {
  srtp_dealloc(context);
}
void SrtpSession::Close::operator()(detail::GcmSession* session) const {
  std::default_delete<detail::GcmSession>{}(session);
}

std::expected<SrtpSession, SrtpError> SrtpSession::make(Role role, SrtpSuite suite, std::string_view master) {
  if (master.size() != master_bytes(suite)) return std::unexpected(SrtpError::kKeyLength);
  if (suite == SrtpSuite::kAeadAes128Gcm || suite == SrtpSuite::kAeadAes256Gcm) {
    auto gcm = detail::GcmSession::make(role, master);
    if (!gcm) return std::unexpected(SrtpError::kInternal);
    return SrtpSession{gcm.release()};
  }
  if (!library_ready()) return std::unexpected(SrtpError::kInternal);
  std::uint8_t key[SRTP_MAX_KEY_LEN]{};
  std::memcpy(key, master.data(), master.size());
  srtp_policy_t policy{};
  set_suite(suite, policy);
  policy.ssrc.type = role == Role::kSend ? ssrc_any_outbound : ssrc_any_inbound;
  policy.key = key;
  policy.window_size = detail::ReplayWindow::kSize;
  srtp_t context = nullptr;
  const auto status = srtp_create(&context, &policy);
  explicit_bzero(key, sizeof key);
  if (status != srtp_err_status_ok) return std::unexpected(SrtpError::kInternal);
  return SrtpSession{context};
}

std::expected<std::size_t, SrtpError> SrtpSession::protect_rtp(std::span<std::uint8_t> buffer,
                                                               std::size_t size) {
  return apply(kProtectRtp, context_.get(), gcm_.get(), buffer, size);
}

std::expected<std::size_t, SrtpError> SrtpSession::protect_rtcp(std::span<std::uint8_t> buffer,
                                                                std::size_t size) {
  return apply(kProtectRtcp, context_.get(), gcm_.get(), buffer, size);
}

std::expected<std::size_t, SrtpError> SrtpSession::unprotect_rtp(std::span<std::uint8_t> buffer,
                                                                 std::size_t size) {
  return apply(kUnprotectRtp, context_.get(), gcm_.get(), buffer, size);
}

std::expected<std::size_t, SrtpError> SrtpSession::unprotect_rtcp(std::span<std::uint8_t> buffer,
                                                                  std::size_t size) {
  return apply(kUnprotectRtcp, context_.get(), gcm_.get(), buffer, size);
}

}  // namespace bw::rtp
