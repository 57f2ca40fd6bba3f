#include "rtp/srtp.h"

#include <srtp2/srtp.h>

#include <cstring>

namespace bw::rtp {
namespace {

static_assert(kSrtpTailRoom >= SRTP_MAX_TRAILER_LEN + 4);

// How far behind the newest a late packet may come: five seconds of 20 ms frames.
constexpr unsigned long kReplayWindow = 256;
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
      srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
      srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
      return;
    case SrtpSuite::kAeadAes256Gcm:
      srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
      srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp);
      return;
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
    case srtp_err_status_cipher_fail:  // GCM reports a wrong tag as a failed cipher
      return SrtpError::kNotAuthentic;
    default:
      return SrtpError::kInternal;
  }
}

using Operation = srtp_err_status_t (*)(srtp_t, void*, int*);

std::expected<std::size_t, SrtpError> apply(Operation operation, srtp_t context,
                                            std::span<std::uint8_t> buffer, std::size_t size,
                                            std::size_t least, std::size_t room) {
  if (size < least || size > 65'535 || buffer[0] >> 6U != 2) return std::unexpected(SrtpError::kMalformed);
  if (buffer.size() < size || buffer.size() - size < room) return std::unexpected(SrtpError::kNoRoom);
  int length = static_cast<int>(size);
  const auto status = operation(context, buffer.data(), &length);
  if (status != srtp_err_status_ok) return std::unexpected(meaning(status));
  return static_cast<std::size_t>(length);
}

}  // namespace

void SrtpSession::Close::operator()(srtp_ctx_t_* context) const {
  srtp_dealloc(context);
}

std::expected<SrtpSession, SrtpError> SrtpSession::make(Role role, SrtpSuite suite, std::string_view master) {
  if (master.size() != master_bytes(suite)) return std::unexpected(SrtpError::kKeyLength);
  if (!library_ready()) return std::unexpected(SrtpError::kInternal);
  std::uint8_t key[SRTP_MAX_KEY_LEN]{};
  std::memcpy(key, master.data(), master.size());
  srtp_policy_t policy{};
  set_suite(suite, policy);
  policy.ssrc.type = role == Role::kSend ? ssrc_any_outbound : ssrc_any_inbound;
  policy.key = key;
  policy.window_size = kReplayWindow;
  srtp_t context = nullptr;
  const auto status = srtp_create(&context, &policy);
  explicit_bzero(key, sizeof key);
  if (status != srtp_err_status_ok) return std::unexpected(SrtpError::kInternal);
  return SrtpSession{context};
}

std::expected<std::size_t, SrtpError> SrtpSession::protect_rtp(std::span<std::uint8_t> buffer,
                                                               std::size_t size) {
  return apply(srtp_protect, context_.get(), buffer, size, kRtpHeaderBytes, kSrtpTailRoom);
}

std::expected<std::size_t, SrtpError> SrtpSession::protect_rtcp(std::span<std::uint8_t> buffer,
                                                                std::size_t size) {
  return apply(srtp_protect_rtcp, context_.get(), buffer, size, kRtcpHeaderBytes, kSrtpTailRoom);
}

std::expected<std::size_t, SrtpError> SrtpSession::unprotect_rtp(std::span<std::uint8_t> buffer,
                                                                 std::size_t size) {
  return apply(srtp_unprotect, context_.get(), buffer, size, kRtpHeaderBytes + 4, 0);
}

std::expected<std::size_t, SrtpError> SrtpSession::unprotect_rtcp(std::span<std::uint8_t> buffer,
                                                                  std::size_t size) {
  // Header, index and the shortest tag: libsrtp2 reads them from the end without asking for the length.
  return apply(srtp_unprotect_rtcp, context_.get(), buffer, size, kRtcpHeaderBytes + 4 + 10, 0);
}

}  // namespace bw::rtp
