// A date in a request (RFC 3339 §5.6): any offset, any fraction of a second.
#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"

namespace bw::api {

// From 1970 to 2200; base/rfc3339.h writes what this reads. A leap second is the second after it.
std::optional<Instant> parse_moment(std::string_view text);

}  // namespace bw::api
