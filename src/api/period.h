// The period that a query asks for.
#pragma once

#include <array>
#include <expected>
#include <optional>

#include "api/exchange.h"
#include "api/schema.h"
#include "base/time.h"

namespace bw::api {

// ?date=, or ?from= and ?to=, of which each may be missing. Days are those of UTC.
inline constexpr std::array kPeriodQuery{
    Field{.name = "date", .about = "a day in UTC: 2026-03-01; instead of from and to", .most = 40},
    Field{.name = "from", .about = "a day or a moment (RFC 3339): that of the first call", .most = 40},
    Field{.name = "to", .about = "a day, the last one, or the moment before which calls start", .most = 40},
};
struct Period {
  std::optional<Instant> from;
  std::optional<Instant> before;
};
std::expected<Period, Problem> period_of(const Exchange& exchange);

}  // namespace bw::api
