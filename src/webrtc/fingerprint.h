// a=fingerprint: which certificate the other end will show (RFC 8122 §5).
//
//   a=fingerprint:sha-256 6B:8B:F0:65:…
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "webrtc/parameters.h"

namespace bw::webrtc {

// The value of the attribute. Nullopt: another hash, or not as many bytes as it has.
std::optional<Fingerprint> parse_fingerprint(std::string_view value);
std::string to_string(const Fingerprint& fingerprint);

// Of a certificate in DER.
Fingerprint fingerprint_of(std::span<const std::uint8_t> certificate, HashFunction hash);

}  // namespace bw::webrtc
