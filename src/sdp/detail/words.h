// Small reading aids of the sdp parsers.
#pragma once

#include <charconv>
#include <string_view>

namespace bw::sdp::detail {

// The next word of a line; phones put more than one space between words.
inline std::string_view take_word(std::string_view& line) {
  const auto start = line.find_first_not_of(' ');
  if (start == line.npos) {
    line = {};
    return {};
  }
  const auto end = line.find(' ', start);
  const auto word = line.substr(start, end == line.npos ? line.npos : end - start);
  line = end == line.npos ? std::string_view{} : line.substr(end);
  return word;
}

// The whole text is one unsigned decimal number that fits.
template <typename T>
bool parse_number(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace bw::sdp::detail
