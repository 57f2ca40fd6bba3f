// Base64 (RFC 4648 §4 and §5).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace bw {

enum class Base64 : std::uint8_t {
  kPadded,    // §4
  kUnpadded,  // §4 without "="
  kUrl,       // §5 without "="
};

std::string to_base64(std::span<const std::uint8_t> bytes, Base64 form = Base64::kPadded);
std::string to_base64(std::string_view bytes, Base64 form = Base64::kPadded);

// Padding may be missing in any form, but not be wrong; anything else that is not of the form refuses the
// whole. Bits of the last letter that stand for nothing are not looked at: not every writer clears them.
std::optional<std::string> from_base64(std::string_view text, Base64 form = Base64::kPadded);

}  // namespace bw
