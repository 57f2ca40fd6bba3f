// Parameters: ";name=value;flag" (RFC 3261 §25.1 generic-param, and uri-parameter of §19.1.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bw::sip {

struct Param {
  std::string_view name;
  std::string_view value;  // as on the wire: a quoted string keeps its quotes (sip/grammar.h: unquote)
  bool has_value = false;
};

// A view of the parameters of one element; valid as long as the text it was read from. Looking one up reads
// the text again, which is cheaper than any table for the few there are.
struct Params {
  static constexpr std::size_t kMax = 64;  // more in one element are refused

  std::string_view text;  // empty, or starts with ';'

  // Header parameters: white space around ';' and '=', quoted values. `text` must be nothing but parameters.
  static std::optional<Params> parse(std::string_view text);
  // URI parameters: no white space, no quotes, escapes checked.
  static std::optional<Params> parse_uri(std::string_view text);

  bool has(std::string_view name) const;
  // Case-insensitive name. A flag has an empty value; absent is nullopt.
  std::optional<std::string_view> get(std::string_view name) const;
  // Reads one from the front of `rest` (begin with `text`); nullopt at the end.
  static std::optional<Param> next(std::string_view& rest);

  // The text with this parameter set (in its place, or added at the end), or removed.
  std::string with(std::string_view name, std::string_view value) const;
  std::string with_flag(std::string_view name) const;
  std::string without(std::string_view name) const;

  // The same parameters with the same values in the same order, white space apart.
  friend bool operator==(const Params& a, const Params& b);
};

}  // namespace bw::sip
