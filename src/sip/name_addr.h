// name-addr or addr-spec with parameters (RFC 3261 §20.10, §20.20, §25.1): From, To, Contact, Route,
// Record-Route, Refer-To, Referred-By, Reply-To, P-Asserted-Identity, Path and their like.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sip/params.h"
#include "sip/uri.h"

namespace bw::sip {

// A view of one element; valid as long as the text it was read from.
struct NameAddr {
  std::string_view display;  // as on the wire: quoted, or tokens; may be empty
  std::string_view uri;      // what is between the brackets, or the bare addr-spec; Uri::parse judges it
  Params params;             // of the header, not of the URI

  // Without brackets everything from the first ';' belongs to the header, and '?' is not allowed (§20.10).
  static std::optional<NameAddr> parse(std::string_view element);

  std::string_view tag() const { return params.get("tag").value_or(std::string_view{}); }
  // The name as a person reads it: no quotes, no backslashes.
  std::string display_name() const;
  // Always with brackets.
  std::string to_string() const;

  friend bool operator==(const NameAddr&, const NameAddr&) = default;
};

// `name` is plain text and is quoted here; an empty one is left out. `params` empty or starting with ';'.
std::string make_name_addr(std::string_view name, std::string_view uri, std::string_view params = {});

// The value of a From or To with its tag set or removed.
std::string with_tag(std::string_view value, std::string_view tag);
std::string without_tag(std::string_view value);
// The tag of a From or To value; empty if it has none.
std::string_view tag_of(std::string_view value);
// The URI of a value, brackets and all else removed; empty if it is malformed.
std::string_view uri_of(std::string_view value);

}  // namespace bw::sip
