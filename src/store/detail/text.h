// How values become columns: text that every database accepts, lists and legs as JSON.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/call_record.h"

namespace bw::store::detail {

// Valid UTF-8 without zero bytes (PostgreSQL refuses others; a phone may send anything as its User-Agent) and
// at most kLongestText bytes. Each byte that does not fit becomes '?'.
inline constexpr std::size_t kLongestText = 8192;
void assign_clean(std::string& out, std::string_view text);

// ["a","b"]
void assign_list(std::string& out, const std::vector<std::string>& items);
std::optional<std::vector<std::string>> parse_list(std::string_view json);

// Whom an event concerns: " 1001 1002 ", so that one of them can be looked for with LIKE … ESCAPE '!'.
void assign_extensions(std::string& out, std::span<const std::string_view> extensions);
std::vector<std::string> split_extensions(std::string_view column);
std::string extension_pattern(std::string_view extension);

void assign_legs(std::string& out, const std::vector<model::LegRecord>& legs);
std::optional<std::vector<model::LegRecord>> parse_legs(std::string_view json);

}  // namespace bw::store::detail
