#include "api/period.h"

#include <fmt/format.h>

#include <string>

#include "api/moment.h"

namespace bw::api {
namespace {

constexpr std::string_view kDay = "2026-03-01";

std::optional<Instant> midnight_of(const std::string& day) {
  return day.size() == kDay.size() ? parse_moment(day + "T00:00:00Z") : std::nullopt;
}

// A plus that was not encoded has become a space on its way: that of the zone.
std::optional<Instant> moment_of(std::string text) {
  const auto space = text.rfind(' ');
  if (space != text.npos && space > kDay.size()) text[space] = '+';
  return parse_moment(text);
}

Problem no_moment(std::string_view field) {
  return {
      fmt::format("{} must be a day (2026-03-01) or a moment with its zone (2026-03-01T09:30:00Z).", field),
      "bad_request", std::string(field)};
}

}  // namespace

std::expected<Period, Problem> period_of(const Exchange& e) {
  const std::string date = e.query("date");
  const std::string from = e.query("from");
  const std::string to = e.query("to");
  if (!date.empty()) {
    const auto day = midnight_of(date);
    if (!day) return std::unexpected(Problem{"date must be a day: 2026-03-01.", "bad_request", "date"});
    if (!from.empty() || !to.empty())
      return std::unexpected(Problem{"Either date, or from and to, but not both.", "bad_request", "date"});
    return Period{day, *day + 24h};
  }
  Period period;
  if (!from.empty()) {
    period.from = midnight_of(from);
    if (!period.from) period.from = moment_of(from);
    if (!period.from) return std::unexpected(no_moment("from"));
  }
  if (!to.empty()) {
    if (const auto last_day = midnight_of(to)) period.before = *last_day + 24h;
    if (!period.before) period.before = moment_of(to);
    if (!period.before) return std::unexpected(no_moment("to"));
  }
  if (period.from && period.before && *period.from > *period.before)
    return std::unexpected(Problem{"The period ends before it begins.", "bad_request", "to"});
  return period;
}

}  // namespace bw::api
