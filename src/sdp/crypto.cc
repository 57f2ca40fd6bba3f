#include "sdp/crypto.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "base/ascii.h"
#include "base/base64.h"
#include "sdp/detail/words.h"

namespace bw::sdp {
namespace {

using detail::parse_number;
using detail::take_word;

constexpr std::size_t kLinesLookedAt = 16;

// The order we offer: GCM costs the server a third of counter mode with HMAC.
constexpr std::array kOfferedSuites{SrtpSuite::kAeadAes128Gcm, SrtpSuite::kAeadAes256Gcm,
                                    SrtpSuite::kAesCm128HmacSha1_80, SrtpSuite::kAesCm128HmacSha1_32};

std::optional<SrtpSuite> suite_named(std::string_view name) {
  for (const SrtpSuite suite : kOfferedSuites) {
    if (iequals(to_string(suite), name)) return suite;
  }
  return std::nullopt;
}

// A lifetime is a number or a power of two: "2^20", "1048576" (RFC 4568 §6.1).
bool is_lifetime(std::string_view text) {
  if (text.starts_with("2^")) text.remove_prefix(2);
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

std::expected<Secret<std::string>, CryptoError> parse_key(std::string_view text, SrtpSuite suite) {
  constexpr std::string_view kInline = "inline:";
  if (text.size() < kInline.size() || !iequals(text.substr(0, kInline.size()), kInline)) {
    return std::unexpected(CryptoError::kSyntax);
  }
  text.remove_prefix(kInline.size());
  if (text.find(';') != text.npos) return std::unexpected(CryptoError::kMki);
  const auto bar = text.find('|');
  if (bar != text.npos) {
    const auto rest = text.substr(bar + 1);
    if (rest.find(':') != rest.npos) return std::unexpected(CryptoError::kMki);
    if (!is_lifetime(rest)) return std::unexpected(CryptoError::kSyntax);
  }
  auto bytes = from_base64(text.substr(0, bar));
  if (!bytes || bytes->size() != master_bytes(suite)) return std::unexpected(CryptoError::kKey);
  return Secret<std::string>{std::move(*bytes)};
}

}  // namespace

std::string_view to_string(SrtpSuite suite) {
  switch (suite) {
    case SrtpSuite::kAesCm128HmacSha1_80:
      return "AES_CM_128_HMAC_SHA1_80";
    case SrtpSuite::kAesCm128HmacSha1_32:
      return "AES_CM_128_HMAC_SHA1_32";
    case SrtpSuite::kAeadAes128Gcm:
      return "AEAD_AES_128_GCM";
    case SrtpSuite::kAeadAes256Gcm:
      return "AEAD_AES_256_GCM";
  }
  return {};
}

std::size_t master_bytes(SrtpSuite suite) {
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

std::expected<CryptoLine, CryptoError> parse_crypto(std::string_view value) {
  CryptoLine line;
  if (!parse_number(take_word(value), line.tag)) return std::unexpected(CryptoError::kSyntax);
  const auto suite = suite_named(take_word(value));
  if (!suite) return std::unexpected(CryptoError::kSuite);
  line.suite = *suite;
  auto key = parse_key(take_word(value), *suite);
  if (!key) return std::unexpected(key.error());
  line.master = std::move(*key);
  for (auto word = take_word(value); !word.empty(); word = take_word(value)) {
    // Only a window size hint, or what is marked with "-" as ignorable, may be skipped (RFC 4568 §6.3.7).
    if (!word.starts_with("WSH=") && !word.starts_with('-')) return std::unexpected(CryptoError::kParameter);
  }
  return line;
}

std::string write_crypto(const CryptoLine& line) {
  std::string out = std::to_string(line.tag);
  out += ' ';
  out += to_string(line.suite);
  out += " inline:";
  out += to_base64(line.master.reveal());
  return out;
}

std::vector<CryptoLine> crypto_lines(const Media& media) {
  std::vector<CryptoLine> out;
  std::size_t looked_at = 0;
  for (const Attribute& a : media.attributes.list) {
    if (a.name != "crypto") continue;
    if (++looked_at > kLinesLookedAt) break;
    if (auto line = parse_crypto(a.text())) out.push_back(std::move(*line));
  }
  return out;
}

std::vector<CryptoLine> fresh_crypto(Rng& rng) {
  std::vector<CryptoLine> out;
  for (const SrtpSuite suite : kOfferedSuites) {
    std::string master(master_bytes(suite), '\0');
    rng.fill(std::as_writable_bytes(std::span{master}));
    out.push_back({static_cast<std::uint32_t>(out.size() + 1), suite, Secret{std::move(master)}});
  }
  return out;
}

}  // namespace bw::sdp
