// Base64 (RFC 4648 §4) for keys in a=crypto.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bw::sdp::detail {

std::string to_base64(std::string_view bytes);
// Padding may be missing; anything else that is not base64 refuses the whole.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace bw::sdp::detail
