#include "events/description.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <tuple>

#include "base/json_text.h"
#include "base/rfc3339.h"
#include "events/detail/members.h"
#include "events/detail/table.h"

namespace bw::events {
namespace {

using detail::Table;

// ---- one value ----
// Milliseconds and hundredths are all that is known; more digits would only be noise.
void append(std::string& out, double value) {
  append_json_number(out, std::round(value * 1000) / 1000);
}
void append(std::string& out, std::integral auto value) {
  append_json_number(out, static_cast<std::int64_t>(value));
}
void append(std::string& out, const std::string& text) {
  append_json_text(out, text, kLimits.text_bytes);
}
void append(std::string& out, const Personal<std::string>& text) {
  append(out, text.reveal());
}
void append(std::string& out, const model::CallId& id) {
  append(out, id.value);
}
void append(std::string& out, model::Disposition disposition) {
  append_json_text(out, model::name_of(disposition), kLimits.text_bytes);
}
void append(std::string& out, const std::vector<LegQuality>& legs) {
  out += '[';
  for (const LegQuality& leg : legs) {
    out += out.back() == '[' ? R"({"party":)" : R"(,{"party":)";
    append(out, leg.party);
    out += R"(,"mos":)";
    if (leg.mos > 0) {
      append(out, leg.mos);
    } else {
      out += "null";
    }
    out += R"(,"loss":)";
    append(out, leg.loss);
    out += R"(,"jitter_ms":)";
    append(out, leg.jitter_ms);
    out += '}';
  }
  out += ']';
}

template <typename T>
constexpr std::string_view json_type() {
  if constexpr (std::integral<T>) {
    return "integer";
  } else if constexpr (std::floating_point<T>) {
    return "number";
  } else if constexpr (std::same_as<T, std::vector<LegQuality>>) {
    return "array of objects";
  } else {
    return "string";
  }
}

// ---- one type ----
template <typename T>
constexpr auto fields_of() {
  return std::apply(
      []<typename... E>(const E&... entry) {
        return std::array{Field{entry.name,
                                json_type<std::remove_cvref_t<decltype(std::declval<T>().*entry.member)>>(),
                                entry.about}...};
      },
      Table<T>::kFields);
}

template <typename T>
constexpr auto kFieldsOf = fields_of<T>();

template <typename T>
constexpr Description describe() {
  static_assert(detail::member_count<T>() == kFieldsOf<T>.size(), "a member of an event is not described");
  return {Table<T>::kType, Table<T>::kAbout, kFieldsOf<T>};
}

template <typename T>
void append_fields(std::string& out, const T& event) {
  const auto one = [&](const auto& entry) {
    out += ",\"";
    out += entry.name;
    out += "\":";
    append(out, event.*entry.member);
  };
  std::apply([&](const auto&... entry) { (one(entry), ...); }, Table<T>::kFields);
}

// ---- all types ----
template <typename V>
struct All;
template <typename... T>
struct All<std::variant<T...>> {
  static constexpr std::array kDescriptions{describe<T>()...};
};

constexpr const auto& kAll = All<Event>::kDescriptions;

template <typename T>
concept OfACall = requires(const T& event) {
  { event.call_id } -> std::convertible_to<const model::CallId&>;
};

}  // namespace

std::span<const Description> descriptions() {
  return kAll;
}

const Description& description_of(const Event& event) {
  return kAll.at(event.index());
}

std::vector<std::string_view> concerned(const Event& event) {
  auto all = std::visit([]<typename T>(const T& e) { return Table<T>::concerned(e); }, event);
  std::erase_if(all, [](std::string_view extension) { return extension.empty(); });
  for (std::size_t i = 1; i < all.size();) {
    if (std::find(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(i), all[i]) ==
        all.begin() + static_cast<std::ptrdiff_t>(i)) {
      ++i;
    } else {
      all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  return all;
}

const model::CallId* call_of(const Event& event) {
  return std::visit(
      []<typename T>(const T& e) -> const model::CallId* {
        if constexpr (OfACall<T>) {
          return &e.call_id;
        } else {
          return nullptr;
        }
      },
      event);
}

void append_data(std::string& out, const Event& event, Instant at) {
  out += R"({"timestamp":")";
  append_rfc3339(out, at);
  out += '"';
  std::visit([&](const auto& e) { append_fields(out, e); }, event);
  out += '}';
}

bool matches(std::string_view pattern, std::string_view type) {
  if (pattern == "*" || pattern == type) return true;
  // "call.*": everything up to and with the dot.
  return pattern.ends_with(".*") && type.starts_with(pattern.substr(0, pattern.size() - 1));
}

std::span<const std::string_view> later_types() {
  static constexpr std::array<std::string_view, 21> kLater{"call.parked",
                                                           "call.retrieved",
                                                           "voicemail.new",
                                                           "voicemail.read",
                                                           "voicemail.deleted",
                                                           "queue.call_added",
                                                           "queue.call_answered",
                                                           "queue.call_abandoned",
                                                           "paging.started",
                                                           "paging.ended",
                                                           "conference.started",
                                                           "conference.participant_joined",
                                                           "conference.participant_left",
                                                           "conference.ended",
                                                           "hot_desk.login",
                                                           "hot_desk.logout",
                                                           "hot_desk.login_failed",
                                                           "crm.screen_pop",
                                                           "trunk.up",
                                                           "trunk.down",
                                                           "emergency.call"};
  return kLater;
}

bool is_pattern(std::string_view pattern) {
  return std::ranges::any_of(kAll, [&](const Description& d) { return matches(pattern, d.type); });
}

}  // namespace bw::events
