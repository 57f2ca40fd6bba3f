// The query string of a request.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/schema.h"

namespace bw::api {

// %XX decoded; a percent sign that encodes nothing stays as it is.
std::string percent_decoded(std::string_view text, bool plus_is_space);

// Decoded; empty if absent.
std::string query_value(std::string_view query, std::string_view name);

// What is unknown, given twice, too long or no number in its range.
std::optional<Problem> check_query(std::string_view query, std::span<const Field> fields);

}  // namespace bw::api
