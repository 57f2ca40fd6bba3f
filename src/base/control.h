// Control characters: what a terminal, a log or a spreadsheet obeys instead of showing it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bw {

// The one rule: U+0000 to U+001F, U+007F, and U+0080 to U+009F, in UTF-8 (RFC 3629). Protocols whose grammar
// counts bytes have rules of their own (RFC 3261 §25.1, RFC 9110 §5.5). A byte that is no UTF-8 is not one:
// that is for valid_utf8().

// How many bytes the one has that `text` begins with; 0: it begins with none.
constexpr std::size_t control_at_front(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0xFFU;
  };
  if (byte(0) < 0x20 || byte(0) == 0x7F) return 1;
  return byte(0) == 0xC2 && byte(1) >= 0x80 && byte(1) < 0xA0 ? 2 : 0;
}

constexpr bool has_control(std::string_view text) {
  for (; !text.empty(); text.remove_prefix(1)) {
    if (control_at_front(text) != 0) return true;
  }
  return false;
}

// Each becomes one `mark`.
inline std::string without_controls(std::string_view text, char mark = '?') {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t control = control_at_front(text);
    out += control != 0 ? mark : text.front();
    text.remove_prefix(control != 0 ? control : 1);
  }
  return out;
}

}  // namespace bw
