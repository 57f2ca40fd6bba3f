// Text from outside, made fit for databases, JSON and terminals.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bw {

// Appends `text` as well-formed UTF-8 without zero bytes (RFC 3629 §4): each byte that does not fit becomes
// '?'. Stops before `out` would grow beyond `most` bytes, never inside a character.
void append_valid_utf8(std::string& out, std::string_view text, std::size_t most);

inline std::string valid_utf8(std::string_view text, std::size_t most) {
  std::string out;
  append_valid_utf8(out, text, most);
  return out;
}

}  // namespace bw
