#include "sip/media_type.h"

#include <algorithm>

#include "sip/grammar.h"

namespace bw::sip {

std::optional<MediaType> MediaType::parse(std::string_view value) {
  value = trim(value);
  const std::size_t semicolon = std::min(value.find(';'), value.size());
  const std::string_view both = value.substr(0, semicolon);
  const std::size_t slash = both.find('/');
  const auto params = Params::parse(value.substr(semicolon));
  if (slash == std::string_view::npos || !params) return std::nullopt;
  const MediaType out{trim(both.substr(0, slash)), trim(both.substr(slash + 1)), *params};
  if (!is_token(out.type) || !is_token(out.subtype)) return std::nullopt;
  return out;
}

bool MediaType::matches(std::string_view other_type, std::string_view other_subtype) const {
  return (type == "*" || iequals(type, other_type)) && (subtype == "*" || iequals(subtype, other_subtype));
}

bool has_body_of(const Message& message, std::string_view type, std::string_view subtype) {
  const auto value = message.get(HeaderName::kContentType);
  const auto parsed = value ? MediaType::parse(*value) : std::nullopt;
  return parsed && iequals(parsed->type, type) && iequals(parsed->subtype, subtype);
}

bool accepts(const Message& message, std::string_view type, std::string_view subtype) {
  if (!message.has(HeaderName::kAccept)) return iequals(type, "application") && iequals(subtype, "sdp");
  for (const std::string_view element : message.elements(HeaderName::kAccept)) {
    const auto range = MediaType::parse(element);
    if (range && range->matches(type, subtype)) return true;
  }
  return false;
}

}  // namespace bw::sip
