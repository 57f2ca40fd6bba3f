// How a delivery proves where it comes from: HMAC-SHA256 of the body alone, and the signature of the Standard
// Webhooks specification (standardwebhooks.com, version 1), which covers identity and time as well.
#pragma once

#include <string>
#include <string_view>

#include "base/rng.h"
#include "base/secret.h"

namespace bw::webhooks {

inline constexpr std::string_view kSecretPrefix = "whsec_";

// The bytes that sign: what the base64 after "whsec_" means, and any other secret as it is written.
std::string key_of(std::string_view secret);

// "sha256=" and the digest of `body` in hex; signed with the secret as it is written, prefix included.
std::string body_signature(std::string_view secret, std::string_view body);

// "v1," and base64 of the digest of `id`.`timestamp`.`body`.
std::string standard_signature(std::string_view secret, std::string_view id, std::string_view timestamp,
                               std::string_view body);

// "whsec_" and base64 of 32 bytes of chance.
Secret<std::string> new_secret(Rng& rng);

}  // namespace bw::webhooks
