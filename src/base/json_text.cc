#include "base/json_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/hex.h"
#include "base/utf8.h"

namespace bw {
namespace {

// ASCII that stands for itself between quotes.
bool is_plain(char c) {
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void append_escaped(std::string& out, std::string_view clean) {
  for (const char c : clean) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHexDigits[byte >> 4U];
      out += kHexDigits[byte & 0xfU];
    } else {
      out += c;
    }
  }
}

template <typename T>
void append_digits(std::string& out, T value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

}  // namespace

void append_json_text(std::string& out, std::string_view text, std::size_t most) {
  out += '"';
  if (text.size() <= most && std::ranges::all_of(text, is_plain)) {
    out += text;
  } else {
    append_escaped(out, valid_utf8(text, most));
  }
  out += '"';
}

void append_json_number(std::string& out, double value) {
  append_digits(out, std::isfinite(value) ? value : 0.0);
}

void append_json_number(std::string& out, std::int64_t value) {
  append_digits(out, value);
}

}  // namespace bw
