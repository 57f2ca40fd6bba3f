// What is known of every event type at compile time: its name, its fields, whom it concerns, and how its data
// becomes JSON. Made from one table (events/detail/table.h); docs/events.md is written from the same.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "events/event.h"

namespace bw::events {

struct Limits {
  std::size_t text_bytes = 1024;  // of one field of `data`; the rest is cut off
};
inline constexpr Limits kLimits;

struct Field {
  std::string_view name;
  std::string_view json_type;  // "string", "integer", "number", …
  std::string_view about;
};

struct Description {
  std::string_view type;          // "call.started"
  std::string_view about;         // one sentence
  std::span<const Field> fields;  // in the order in which they are written; "timestamp" goes before them
};

// Every type, in the order of the variant Event.
std::span<const Description> descriptions();
const Description& description_of(const Event& event);
inline std::string_view type_of(const Event& event) {
  return description_of(event).type;
}

// The extensions it is about, each once: whose owners may see it. Views into `event`.
std::vector<std::string_view> concerned(const Event& event);

// The call it belongs to; null if to none.
const model::CallId* call_of(const Event& event);

// Appends {"timestamp":…,…} (docs/events.md).
void append_data(std::string& out, const Event& event, Instant at);

// Does a pattern of a subscription ask for this type? "*", "call.*" or the type itself.
bool matches(std::string_view pattern, std::string_view type);
// What later versions of this program tell of: asking for it is no mistake.
std::span<const std::string_view> later_types();
// May it stand in a subscription: does any type match it?
bool is_pattern(std::string_view pattern);

}  // namespace bw::events
