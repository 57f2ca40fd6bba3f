#include "sip/grammar.h"

namespace bw::sip {
namespace {

constexpr CharSet kSpecial = CharSet{}.with(",\"<");

}  // namespace

std::size_t quoted_length(std::string_view s) {
  for (std::size_t i = 1; i < s.size(); ++i) {
    if (s[i] == '\\') {
      ++i;
    } else if (s[i] == '"') {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

std::string unquote(std::string_view s) {
  if (s.size() < 2 || s.front() != '"' || s.back() != '"') return std::string{s};
  s = s.substr(1, s.size() - 2);
  std::string out;
  out.reserve(s.size());
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '\\' && i + 1 < s.size()) ++i;
    out += s[i];
  }
  return out;
}

std::string quote(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
  return out;
}

std::size_t find_comma(std::string_view s) {
  for (std::size_t i = 0; i < s.size(); ++i) {
    const char c = s[i];
    if (!kSpecial.has(c)) continue;
    if (c == ',') return i;
    if (c == '"') {
      const std::size_t length = quoted_length(s.substr(i));
      if (length == std::string_view::npos) return length;
      i += length - 1;
    } else {
      i = s.find('>', i);
      if (i == std::string_view::npos) return i;
    }
  }
  return std::string_view::npos;
}

std::string_view next_element(std::string_view& rest) {
  while (!rest.empty()) {
    const std::size_t comma = find_comma(rest);
    const std::string_view element = trim(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    if (!element.empty()) return element;
  }
  return {};
}

}  // namespace bw::sip
