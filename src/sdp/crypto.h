// SRTP keys in session descriptions: a=crypto (RFC 4568 §4, GCM suites RFC 7714 §14.2).
//
//   a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:<base64 of key||salt>[|lifetime][|MKI:length] [parameters]
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "base/secret.h"
#include "sdp/session_description.h"

namespace bw::sdp {

enum class SrtpSuite : std::uint8_t {
  kAesCm128HmacSha1_80,
  kAesCm128HmacSha1_32,
  kAeadAes128Gcm,
  kAeadAes256Gcm
};
std::string_view to_string(SrtpSuite suite);
std::size_t master_bytes(SrtpSuite suite);  // key and salt together

struct CryptoLine {
  std::uint32_t tag = 1;
  SrtpSuite suite = SrtpSuite::kAesCm128HmacSha1_80;
  Secret<std::string> master;  // key || salt, raw bytes
  friend bool operator==(const CryptoLine&, const CryptoLine&) = default;
};

// Why a line cannot be used; the next line is tried.
enum class CryptoError : std::uint8_t {
  kSyntax,
  kSuite,      // a suite we do not have
  kKey,        // not base64, or not of the suite's length
  kMki,        // more than one key, or packets that would carry a key identifier: not supported
  kParameter,  // a session parameter that changes the packets (RFC 4568 §6.3): must not be ignored
};

// The value of a=crypto. A lifetime is read and, being a promise of the peer, not enforced.
std::expected<CryptoLine, CryptoError> parse_crypto(std::string_view value);
std::string write_crypto(const CryptoLine& line);
// The usable lines of a section, in its order; at most 16 lines are looked at.
std::vector<CryptoLine> crypto_lines(const Media& media);
// One fresh line for each suite, in the order we offer them.
std::vector<CryptoLine> fresh_crypto(Rng& rng);

}  // namespace bw::sdp
