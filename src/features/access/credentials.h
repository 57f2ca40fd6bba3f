// What a request shows of its sender: tokens, and the headers they come in. Parsers of hostile text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/rng.h"
#include "base/secret.h"

namespace bw::access {

inline constexpr std::string_view kCookieName = "bellwire_session";

// A secret that is shown once and recognised by its digest: "bwt_" or "bwk_" and 256 bits.
Secret<std::string> make_token(std::string_view prefix, Rng& rng);
// SHA-256 in hex. Enough for what has 256 bits of its own; passwords are hashed slowly instead.
std::string digest_of(std::string_view token);

// The value of a cookie of a Cookie header (RFC 6265 §5.4); none if it is not there or there twice, for then
// somebody else has set one.
std::optional<std::string_view> cookie_of(std::string_view header, std::string_view name);
// The token of "Bearer <token>" (RFC 6750 §2.1), nothing else.
std::optional<std::string_view> bearer_of(std::string_view header);
// Whether an Origin header (RFC 6454 §7) names the host and port that the Host header does.
bool is_origin_of(std::string_view origin, std::string_view host, bool tls);

}  // namespace bw::access
