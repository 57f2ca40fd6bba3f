#include "sip/retry_after.h"

#include "sip/grammar.h"
#include "sip/number.h"
#include "sip/params.h"

namespace bw::sip {

std::size_t comment_length(std::string_view s) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '\\') {
      ++i;
    } else if (s[i] == '(') {
      ++depth;
    } else if (s[i] == ')' && --depth == 0) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

std::optional<RetryAfter> RetryAfter::parse(std::string_view value) {
  value = trim(value);
  std::size_t digits = 0;
  while (digits < value.size() && is_digit(value[digits])) ++digits;
  const auto seconds = parse_delta_seconds(value.substr(0, digits));
  std::string_view rest = trim_left(value.substr(digits));
  if (rest.starts_with('(')) {
    const std::size_t length = comment_length(rest);
    if (length == std::string_view::npos) return std::nullopt;
    rest = trim_left(rest.substr(length));
  }
  const auto params = Params::parse(rest);
  if (!seconds || !params) return std::nullopt;
  RetryAfter out{*seconds, std::nullopt};
  if (const auto duration = params->get("duration")) out.duration = parse_delta_seconds(*duration);
  return out;
}

}  // namespace bw::sip
