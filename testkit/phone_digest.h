// A phone's own digest (RFC 2617, RFC 7616), written apart from src/sip so that both check each other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bw::testkit {

// Hex of the hash, lower case.
std::string md5_hex(std::string_view text);
std::string sha256_hex(std::string_view text);

// The value of an Authorization header that answers `challenge` (the value of WWW-Authenticate).
std::string answer_challenge(std::string_view challenge, std::string_view method, std::string_view uri,
                             std::string_view user, std::string_view password, std::string_view cnonce,
                             std::uint32_t nonce_count);

}  // namespace bw::testkit
