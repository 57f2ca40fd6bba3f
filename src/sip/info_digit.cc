#include "sip/info_digit.h"

#include "sip/detail/line.h"
#include "sip/grammar.h"
#include "sip/media_type.h"

namespace bw::sip {
namespace {

constexpr std::string_view kKeys = "0123456789*#ABCD";

std::optional<char> key(std::string_view text) {
  text = trim(text);
  if (text.size() == 1) {
    const char c = text[0] >= 'a' && text[0] <= 'd' ? static_cast<char>(text[0] - 'a' + 'A') : text[0];
    return kKeys.find(c) == kKeys.npos ? std::nullopt : std::optional{c};
  }
  if (text.size() != 2 || text[0] != '1' || text[1] < '0' || text[1] > '5') return std::nullopt;
  return kKeys[static_cast<std::size_t>(10 + (text[1] - '0'))];
}

}  // namespace

std::optional<char> info_digit(std::string_view content_type, std::string_view body) {
  const auto type = MediaType::parse(content_type);
  if (!type) return std::nullopt;
  const bool relay = type->matches("application", "dtmf-relay");
  if (!relay && !type->matches("application", "dtmf")) return std::nullopt;
  for (std::string_view rest = body; !rest.empty();) {
    const std::string_view line = trim(take_line(rest));
    const auto equals = line.find('=');
    if (equals != line.npos && iequals(trim(line.substr(0, equals)), "Signal"))
      return key(line.substr(equals + 1));
    if (!relay && equals == line.npos && !line.empty()) return key(line);
  }
  return std::nullopt;
}

std::string write_info_digit(char digit, std::uint32_t duration_ms) {
  return "Signal=" + std::string(1, digit) + "\r\nDuration=" + std::to_string(duration_ms) + "\r\n";
}

}  // namespace bw::sip
