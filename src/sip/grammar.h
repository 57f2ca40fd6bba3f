// The lexical rules every SIP element shares (RFC 3261 §25.1): characters, white space, quoted strings,
// lists.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/ascii.h"
#include "base/hex.h"

namespace bw::sip {

using bw::iequals;  // its users say sip::iequals

constexpr bool is_wsp(char c) {
  return c == ' ' || c == '\t';
}
// A set of characters as a table: one load per test.
struct CharSet {
  std::array<bool, 256> member{};
  constexpr bool has(char c) const { return member[static_cast<unsigned char>(c)]; }
  constexpr CharSet with(std::string_view more) const {
    CharSet out = *this;
    for (const char c : more) out.member[static_cast<unsigned char>(c)] = true;
    return out;
  }
  static constexpr CharSet alnum_and(std::string_view more) {
    CharSet out;
    for (unsigned c = 0; c < 256; ++c) out.member[c] = is_alnum(static_cast<char>(c));
    return out.with(more);
  }
};

inline constexpr CharSet kTokenChars = CharSet::alnum_and("-.!%*_+`'~");
inline constexpr CharSet kWordChars = kTokenChars.with("()<>:\\\"/[]?{}");

constexpr bool all_of(std::string_view s, const CharSet& set) {
  for (const char c : s) {
    if (!set.has(c)) return false;
  }
  return true;
}
constexpr bool is_token(std::string_view s) {
  return !s.empty() && all_of(s, kTokenChars);
}

// Characters of `plain` and whole %HH escapes (RFC 3261 §25.1: escaped).
constexpr bool is_escaped_text(std::string_view s, const CharSet& plain) {
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (plain.has(s[i])) continue;
    if (s[i] != '%' || i + 2 >= s.size() || !is_hex(s[i + 1]) || !is_hex(s[i + 2])) return false;
    i += 2;
  }
  return true;
}

constexpr std::string_view trim_left(std::string_view s) {
  while (!s.empty() && is_wsp(s.front())) s.remove_prefix(1);
  return s;
}
constexpr std::string_view trim(std::string_view s) {
  return trimmed(s);
}

// Digits only, no sign, no spaces, within the type.
template <typename T>
std::optional<T> to_number(std::string_view s) {
  T value{};
  if (s.empty() || !is_digit(s.front())) return std::nullopt;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (error != std::errc{} || end != s.data() + s.size()) return std::nullopt;
  return value;
}

// The length of the quoted string that `s` begins with, both quotes included; npos if it never ends.
std::size_t quoted_length(std::string_view s);
// The text of a quoted string (quotes and backslashes removed); anything else is returned as it is.
std::string unquote(std::string_view s);
// `text` as a quoted string.
std::string quote(std::string_view text);

// The position of the first comma outside quotes and outside <>; npos if there is none.
std::size_t find_comma(std::string_view s);

// Cuts the first element off a comma-separated list: `rest` shrinks, empty elements are skipped.
// Empty answer: the list is at its end.
std::string_view next_element(std::string_view& rest);

}  // namespace bw::sip
