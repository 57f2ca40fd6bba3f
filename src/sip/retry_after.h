// Retry-After (RFC 3261 §20.33): "120 (I'm in a meeting);duration=3600".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace bw::sip {

struct RetryAfter {
  std::uint32_t seconds = 0;
  std::optional<std::uint32_t> duration;  // seconds for which the callee will then be there

  // The comment is for people and is skipped.
  static std::optional<RetryAfter> parse(std::string_view value);
  friend bool operator==(const RetryAfter&, const RetryAfter&) = default;
};

// The length of the comment "(...)" that `s` begins with, nested ones and escapes included; npos if it never
// ends.
std::size_t comment_length(std::string_view s);

}  // namespace bw::sip
