#include "base/rfc3339.h"

#include <fmt/format.h>

#include <chrono>

namespace bw {

std::string rfc3339(Instant t) {
  using namespace std::chrono;
  const sys_time<milliseconds> at{milliseconds{t.unix_ms()}};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss time{at - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     time.subseconds().count());
}

}  // namespace bw
