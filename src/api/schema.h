// What a request may hold and what an answer holds, as data: requests are checked by it, and the description
// for integrators (openapi.json) is written from it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "api/body.h"

namespace bw::api {

enum class Type : std::uint8_t {
  kText,
  kInteger,
  kDecimal,  // only in answers
  kFlag,
  kTime,  // RFC 3339; only in answers, a request takes it as kText
  kTexts,
  kObject,   // `fields`
  kObjects,  // a list of such
  kMap,      // names of the sender's choice with texts
  kAny,      // its reader checks it
};

// What a text looks like.
enum class Format : std::uint8_t { kPlain, kExtension, kWord, kPath };

struct Field {
  std::string_view name;
  Type type = Type::kText;
  std::string_view about{};
  bool required = false;
  bool nullable = false;  // only in answers
  bool secret = false;    // kept out of the audit log
  // Bytes of a text, value of an integer, items of a list.
  std::int64_t least = 0;
  std::int64_t most = 256;
  Format format = Format::kPlain;
  std::span<const Field> fields{};
};

// Two lists of fields as one: what several requests have in common is described once.
template <std::size_t A, std::size_t B>
constexpr std::array<Field, A + B> both(const std::array<Field, A>& a, const std::array<Field, B>& b) {
  std::array<Field, A + B> all{};
  std::copy(a.begin(), a.end(), all.begin());
  std::copy(b.begin(), b.end(), all.begin() + A);
  return all;
}

// The answer of a route. Without fields and media: {"success": true, "message": …}.
struct Shape {
  std::string_view name;  // "Phone": its name among the schemas
  std::span<const Field> fields;
  bool list = false;         // a bare array of them, paged by Link headers
  std::string_view media{};  // of what is not JSON: "text/html"
};

// A regular expression (ECMA 262) for the description.
std::string_view pattern_of(Format format);
bool has_format(std::string_view text, Format format);

// Takes every field it knows out of the body; what is wrong, missing or unknown is the problem. Fields of
// kText may be checked further by their handler.
std::optional<Problem> check(Body body, std::span<const Field> fields);

// A copy for the audit log.
boost::json::object without_secrets(const boost::json::object& value, std::span<const Field> fields);

}  // namespace bw::api
