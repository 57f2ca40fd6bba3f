// Lines of a message body.
#pragma once

#include <string_view>

namespace bw::sip {

// One line from the front of `rest`, without its end; a lone LF is taken as an end too.
inline std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest = end == rest.npos ? std::string_view{} : rest.substr(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace bw::sip
