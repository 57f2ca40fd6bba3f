// The schema as a numbered list of steps that only grows: a step that was released is never changed.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace bw::store {

enum class Dialect : std::uint8_t { kSqlite, kPostgresql };

struct Migration {
  int version;
  std::string_view about;
  std::span<const std::string_view> statements;  // with the marks that in_dialect() replaces
};

std::span<const Migration> migrations();
int newest_version();

// One text for both databases: {int} and {real} are their 64-bit types, {strict} makes SQLite check types and
// keep rows in the order of their key; {rowid} only the first, for a table whose key is a growing number.
std::string in_dialect(std::string_view sql, Dialect dialect);

}  // namespace bw::store
