#include "sip/event.h"

#include <algorithm>

#include "sip/grammar.h"
#include "sip/number.h"

namespace bw::sip {
namespace {

struct Split {
  std::string_view token;
  Params params;
};

std::optional<Split> split(std::string_view value) {
  value = trim(value);
  const std::size_t semicolon = std::min(value.find(';'), value.size());
  const auto params = Params::parse(value.substr(semicolon));
  const std::string_view token = trim(value.substr(0, semicolon));
  if (!params || !is_token(token)) return std::nullopt;
  return Split{token, *params};
}

}  // namespace

std::optional<Event> Event::parse(std::string_view value) {
  const auto parts = split(value);
  if (!parts) return std::nullopt;
  return Event{parts->token, parts->params};
}

std::string Event::to_string() const {
  std::string out{package};
  out += params.text;
  return out;
}

std::optional<SubscriptionState> SubscriptionState::parse(std::string_view value) {
  const auto parts = split(value);
  if (!parts) return std::nullopt;
  SubscriptionState out;
  out.state = parts->token;
  out.reason = parts->params.get("reason").value_or(std::string_view{});
  if (const auto text = parts->params.get("expires")) out.expires = parse_delta_seconds(*text);
  if (const auto text = parts->params.get("retry-after")) out.retry_after = parse_delta_seconds(*text);
  return out;
}

bool SubscriptionState::is(std::string_view name) const {
  return iequals(state, name);
}

std::string SubscriptionState::to_string() const {
  std::string out{state};
  if (!reason.empty()) out.append(";reason=").append(reason);
  if (expires) out.append(";expires=").append(std::to_string(*expires));
  if (retry_after) out.append(";retry-after=").append(std::to_string(*retry_after));
  return out;
}

}  // namespace bw::sip
