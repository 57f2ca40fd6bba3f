#include "sip/session_body.h"

#include <optional>
#include <string>

#include "sip/detail/line.h"
#include "sip/grammar.h"
#include "sip/media_type.h"

namespace bw::sip {
namespace {

constexpr std::size_t kMostParts = 16;  // further ones are not looked at

// RFC 2046 §5.1.1: "--" boundary ["--"] and white space, alone on its line.
bool is_delimiter(std::string_view line, std::string_view boundary, bool& last) {
  if (!line.starts_with("--") || !line.substr(2).starts_with(boundary)) return false;
  line.remove_prefix(2 + boundary.size());
  last = line.starts_with("--");
  if (last) line.remove_prefix(2);
  return trim(line).empty();
}

// The content of a part if its headers say that it is a session description.
std::optional<std::string_view> description_in(std::string_view part) {
  bool described = false;
  while (!part.empty()) {
    const std::string_view line = take_line(part);
    if (line.empty()) return described ? std::optional{part} : std::nullopt;
    const auto colon = line.find(':');
    const std::string_view name = trim(line.substr(0, colon));
    if (colon == line.npos || !(iequals(name, "Content-Type") || iequals(name, "c"))) continue;
    const auto type = MediaType::parse(line.substr(colon + 1));
    described = type && iequals(type->type, "application") && iequals(type->subtype, "sdp");
  }
  return std::nullopt;
}

std::string_view description_among(std::string_view body, std::string_view boundary, bool take_last) {
  std::string_view found;
  std::string_view rest = body;
  bool inside = false;
  bool last = false;
  std::size_t parts = 0;
  const char* start = rest.data();
  while (!last && parts <= kMostParts && !rest.empty()) {
    const char* at = rest.data();
    if (!is_delimiter(take_line(rest), boundary, last)) continue;
    if (inside) {
      // The line break before the delimiter belongs to the delimiter, but the last line of SDP needs one: it
      // is left.
      const std::string_view part{start, static_cast<std::size_t>(at - start)};
      if (const auto description = description_in(part)) {
        found = *description;
        if (!take_last) return found;
      }
    }
    inside = true;
    ++parts;
    start = rest.data();
  }
  return found;
}

}  // namespace

std::string_view session_description(const Message& message) {
  const std::string_view body = message.body();
  const auto value = message.get(HeaderName::kContentType);
  // A careless phone may answer without a type; requests without it are refused (sip/validate.h).
  if (!value) return body;
  const auto type = MediaType::parse(*value);
  if (!type || body.empty()) return {};
  if (type->matches("application", "sdp")) return body;
  if (!iequals(type->type, "multipart")) return {};
  const auto boundary = unquote(type->params.get("boundary").value_or(""));
  constexpr std::size_t kLongestBoundary = 70;  // RFC 2046 §5.1.1
  if (boundary.empty() || boundary.size() > kLongestBoundary) return {};
  return description_among(body, boundary, iequals(type->subtype, "alternative"));
}

}  // namespace bw::sip
