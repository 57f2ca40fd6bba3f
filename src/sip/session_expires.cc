#include "sip/session_expires.h"

#include <algorithm>

#include "sip/grammar.h"
#include "sip/number.h"

namespace bw::sip {

std::optional<SessionExpires> SessionExpires::parse(std::string_view value) {
  const std::size_t semicolon = std::min(value.find(';'), value.size());
  const auto seconds = parse_delta_seconds(value.substr(0, semicolon));
  const auto params = Params::parse(value.substr(semicolon));
  if (!seconds || !params) return std::nullopt;
  const auto refresher = params->get("refresher");
  if (!refresher) return SessionExpires{*seconds, Refresher::kUnspecified};
  if (iequals(*refresher, "uac")) return SessionExpires{*seconds, Refresher::kUac};
  if (iequals(*refresher, "uas")) return SessionExpires{*seconds, Refresher::kUas};
  return std::nullopt;
}

std::string SessionExpires::to_string() const {
  std::string out = std::to_string(seconds);
  if (refresher == Refresher::kUac) out += ";refresher=uac";
  if (refresher == Refresher::kUas) out += ";refresher=uas";
  return out;
}

std::optional<std::uint32_t> parse_min_se(std::string_view value) {
  const auto parsed = SessionExpires::parse(value);  // the same syntax, and no refresher means anything here
  return parsed ? std::optional{parsed->seconds} : std::nullopt;
}

}  // namespace bw::sip
