#include "rtp/detail/gcm_session.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "rtp/detail/bytes.h"

namespace bw::rtp::detail {
namespace {

using Bytes = std::span<std::uint8_t>;
using Role = SrtpSession::Role;

constexpr std::size_t kRtpHeader = 12;
constexpr std::size_t kRtcpHeader = 8;
constexpr std::size_t kTrailer = 4;  // of SRTCP: E and the index
constexpr std::uint32_t kEncrypted = 0x8000'0000;
constexpr std::uint64_t kMostPackets = std::uint64_t{1} << 48U;  // RFC 3711 §9.2
constexpr std::uint64_t kMostReports = std::uint64_t{1} << 31U;
// RFC 3711 §4.3.1 and §4.3.2: key, authentication key (not here), salt.
constexpr std::uint8_t kRtpLabel = 0, kRtcpLabel = 3, kSaltAfter = 2;

// Everything of RTP that is not encrypted: header, CSRCs, extension (RFC 7714 §8.2); 0: it does not fit.
std::size_t clear_part(std::span<const std::uint8_t> packet) {
  std::size_t size = kRtpHeader + 4U * (packet[0] & 0x0fU);
  if ((packet[0] & 0x10U) != 0) {
    if (packet.size() < size + 4) return 0;
    size += 4 + 4U * (get32(packet, size) & 0xffffU);
  }
  return size <= packet.size() ? size : 0;
}

// RFC 7714 §8.1, §9.1: 00 00, SSRC, and six bytes of the index, over the salt.
std::array<std::uint8_t, GcmSession::kSalt> initial_value(
    const std::array<std::uint8_t, GcmSession::kSalt>& salt, std::uint32_t ssrc, std::uint64_t index) {
  std::array<std::uint8_t, GcmSession::kSalt> iv{};
  put32(iv, 2, ssrc);
  put32(iv, 6, static_cast<std::uint32_t>(index >> 16U));
  iv[10] = static_cast<std::uint8_t>(index >> 8U);
  iv[11] = static_cast<std::uint8_t>(index);
  for (std::size_t i = 0; i < iv.size(); ++i) iv[i] ^= salt[i];
  return iv;
}

// Authenticates the parts of `clear`, and en- or decrypts `text` in place; `tag` is written or checked.
bool run(EVP_CIPHER_CTX* cipher, std::span<const std::uint8_t> iv,
         std::initializer_list<std::span<const std::uint8_t>> clear, Bytes text, Bytes tag) {
  int n = 0;
  const bool encrypts = EVP_CIPHER_CTX_is_encrypting(cipher) == 1;
  const int tag_size = static_cast<int>(tag.size());
  if (EVP_CipherInit_ex(cipher, nullptr, nullptr, nullptr, iv.data(), -1) != 1) return false;
  if (!encrypts && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, tag_size, tag.data()) != 1)
    return false;
  for (const auto part : clear) {
    if (EVP_CipherUpdate(cipher, nullptr, &n, part.data(), static_cast<int>(part.size())) != 1) return false;
  }
  if (!text.empty() &&
      EVP_CipherUpdate(cipher, text.data(), &n, text.data(), static_cast<int>(text.size())) != 1)
    return false;
  std::array<std::uint8_t, GcmSession::kTag> nothing_more;
  if (EVP_CipherFinal_ex(cipher, nothing_more.data(), &n) != 1) return false;
  return !encrypts || EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, tag_size, tag.data()) == 1;
}

// RFC 3711 §4.3.3 with key derivation rate 0: AES in counter mode of zeros, the label over byte 7 of the
// salt.
bool derived(std::string_view key, std::string_view salt, std::uint8_t label, Bytes out) {
  std::array<std::uint8_t, 16> counter{};
  std::ranges::copy(salt, counter.begin());
  counter[7] ^= label;
  std::ranges::fill(out, std::uint8_t{0});
  const EVP_CIPHER* kind = key.size() == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
  EVP_CIPHER_CTX* cipher = EVP_CIPHER_CTX_new();
  int n = 0;
  const bool done =
      cipher != nullptr &&
      EVP_EncryptInit_ex(cipher, kind, nullptr, reinterpret_cast<const unsigned char*>(key.data()),
                         counter.data()) == 1 &&
      EVP_EncryptUpdate(cipher, out.data(), &n, out.data(), static_cast<int>(out.size())) == 1;
  EVP_CIPHER_CTX_free(cipher);
  return done;
}

}  // namespace

void GcmSession::Free::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);
}

bool GcmSession::derive(Role role, std::string_view master, std::uint8_t first_label, Key& key) {
  const std::string_view master_key = master.substr(0, master.size() - kSalt);
  const std::string_view master_salt = master.substr(master_key.size());
  std::array<std::uint8_t, 32> made{};
  const auto session_key = std::span{made}.first(master_key.size());
  bool done = derived(master_key, master_salt, first_label, session_key) &&
              derived(master_key, master_salt, first_label + kSaltAfter, key.salt);
  key.cipher.reset(EVP_CIPHER_CTX_new());
  const EVP_CIPHER* kind = session_key.size() == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
  done = done && key.cipher &&
         EVP_CipherInit_ex(key.cipher.get(), kind, nullptr, session_key.data(), nullptr,
                           role == Role::kSend) == 1;
  OPENSSL_cleanse(made.data(), made.size());
  return done;
}

std::unique_ptr<GcmSession> GcmSession::make(Role role, std::string_view master) {
  auto session = std::make_unique<GcmSession>();
  if (!derive(role, master, kRtpLabel, session->rtp_) || !derive(role, master, kRtcpLabel, session->rtcp_))
    return nullptr;
  return session;
}

GcmSession::Stream* GcmSession::find(std::uint32_t ssrc) {
  const auto it = std::ranges::find(streams_, ssrc, &Stream::ssrc);
  return it == streams_.end() ? nullptr : &*it;
}

GcmSession::Stream& GcmSession::add(std::uint32_t ssrc) {
  return streams_.emplace_back(Stream{ssrc, {}, {}});
}

GcmSession::Result GcmSession::protect_rtp(Bytes buffer, std::size_t size) {
  const std::size_t clear = clear_part(buffer.first(size));
  if (clear == 0) return std::unexpected(SrtpError::kMalformed);
  const std::uint32_t ssrc = get32(buffer, 8);
  Stream* known = find(ssrc);
  Stream& stream = known != nullptr ? *known : add(ssrc);
  const std::uint64_t index = stream.rtp.guess(static_cast<std::uint16_t>(get32(buffer, 0)));
  // An index twice would be the same key stream twice, which gives GCM away.
  if (!stream.rtp.is_new(index)) return std::unexpected(SrtpError::kReplayed);
  if (index >= kMostPackets) return std::unexpected(SrtpError::kKeyExpired);
  stream.rtp.add(index);
  if (!run(rtp_.cipher.get(), initial_value(rtp_.salt, ssrc, index), {buffer.first(clear)},
           buffer.subspan(clear, size - clear), buffer.subspan(size, kTag)))
    return std::unexpected(SrtpError::kInternal);
  return size + kTag;
}

GcmSession::Result GcmSession::unprotect_rtp(Bytes buffer, std::size_t size) {
  const std::size_t clear = clear_part(buffer.first(size));
  if (clear == 0 || size < clear + kTag) return std::unexpected(SrtpError::kMalformed);
  const std::uint32_t ssrc = get32(buffer, 8);
  Stream* stream = find(ssrc);
  const ReplayWindow fresh;
  const ReplayWindow& window = stream != nullptr ? stream->rtp : fresh;
  const std::uint64_t index = window.guess(static_cast<std::uint16_t>(get32(buffer, 0)));
  if (!window.is_new(index)) return std::unexpected(SrtpError::kReplayed);
  if (index >= kMostPackets) return std::unexpected(SrtpError::kKeyExpired);
  const std::size_t end = size - kTag;
  if (!run(rtp_.cipher.get(), initial_value(rtp_.salt, ssrc, index), {buffer.first(clear)},
           buffer.subspan(clear, end - clear), buffer.subspan(end, kTag)))
    return std::unexpected(SrtpError::kNotAuthentic);
  (stream != nullptr ? *stream : add(ssrc)).rtp.add(index);
  return end;
}

GcmSession::Result GcmSession::protect_rtcp(Bytes buffer, std::size_t size) {
  const std::uint32_t ssrc = get32(buffer, 4);
  Stream* known = find(ssrc);
  Stream& stream = known != nullptr ? *known : add(ssrc);
  const std::uint64_t index = stream.rtcp.highest() + 1;
  if (index >= kMostReports) return std::unexpected(SrtpError::kKeyExpired);
  stream.rtcp.add(index);
  const auto trailer = buffer.subspan(size + kTag, kTrailer);
  put32(trailer, 0, kEncrypted | static_cast<std::uint32_t>(index));
  if (!run(rtcp_.cipher.get(), initial_value(rtcp_.salt, ssrc, index), {buffer.first(kRtcpHeader), trailer},
           buffer.subspan(kRtcpHeader, size - kRtcpHeader), buffer.subspan(size, kTag)))
    return std::unexpected(SrtpError::kInternal);
  return size + kTag + kTrailer;
}

GcmSession::Result GcmSession::unprotect_rtcp(Bytes buffer, std::size_t size) {
  if (size < kRtcpHeader + kTag + kTrailer) return std::unexpected(SrtpError::kMalformed);
  const std::uint32_t ssrc = get32(buffer, 4);
  const auto trailer = buffer.subspan(size - kTrailer, kTrailer);
  const std::uint32_t word = get32(trailer, 0);
  // In the clear only by agreement (RFC 3711 §3.4), which we never make.
  if ((word & kEncrypted) == 0) return std::unexpected(SrtpError::kNotAuthentic);
  const std::uint64_t index = word & ~kEncrypted;
  Stream* stream = find(ssrc);
  if (stream != nullptr && !stream->rtcp.is_new(index)) return std::unexpected(SrtpError::kReplayed);
  const std::size_t end = size - kTrailer - kTag;
  if (!run(rtcp_.cipher.get(), initial_value(rtcp_.salt, ssrc, index), {buffer.first(kRtcpHeader), trailer},
           buffer.subspan(kRtcpHeader, end - kRtcpHeader), buffer.subspan(end, kTag)))
    return std::unexpected(SrtpError::kNotAuthentic);
  (stream != nullptr ? *stream : add(ssrc)).rtcp.add(index);
  return end;
}

}  // namespace bw::rtp::detail
