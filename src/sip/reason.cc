#include "sip/reason.h"

#include <algorithm>

#include "sip/grammar.h"
#include "sip/params.h"

namespace bw::sip {

std::optional<Reason> Reason::parse(std::string_view element) {
  element = trim(element);
  const std::size_t semicolon = std::min(element.find(';'), element.size());
  const auto params = Params::parse(element.substr(semicolon));
  Reason out;
  out.protocol = trim(element.substr(0, semicolon));
  if (!params || !is_token(out.protocol)) return std::nullopt;
  if (const auto cause = params->get("cause")) {
    out.cause = to_number<std::uint16_t>(*cause);
    if (!out.cause) return std::nullopt;
  }
  out.text = params->get("text").value_or(std::string_view{});
  return out;
}

std::optional<Reason> Reason::of(const Message& message, std::string_view protocol) {
  for (const std::string_view element : message.elements(HeaderName::kReason)) {
    const auto reason = parse(element);
    if (reason && iequals(reason->protocol, protocol)) return reason;
  }
  return std::nullopt;
}

std::string Reason::plain_text() const {
  return unquote(text);
}

std::string Reason::to_string() const {
  std::string out{protocol};
  if (cause) out.append(";cause=").append(std::to_string(*cause));
  if (!text.empty()) out.append(";text=").append(text);
  return out;
}

std::string make_reason(std::string_view protocol, std::uint16_t cause, std::string_view text) {
  const std::string quoted = text.empty() ? std::string{} : quote(text);
  return Reason{protocol, cause, quoted}.to_string();
}

}  // namespace bw::sip
