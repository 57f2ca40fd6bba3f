#include "base/rfc3339.h"

#include <chrono>

namespace bw {
namespace {

// By hand, because every event and record says when: fmt takes several times as long.
void append_digits(std::string& out, long long value, int width) {
  long long unit = 1;
  for (int i = 1; i < width; ++i) unit *= 10;
  for (; unit > 0; unit /= 10) out += static_cast<char>('0' + value / unit % 10);
}

}  // namespace

void append_rfc3339(std::string& out, Instant t) {
  using namespace std::chrono;
  const sys_time<milliseconds> at{milliseconds{t.unix_ms()}};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss time{at - day};
  append_digits(out, static_cast<int>(date.year()), 4);
  out += '-';
  append_digits(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_digits(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_digits(out, time.hours().count(), 2);
  out += ':';
  append_digits(out, time.minutes().count(), 2);
  out += ':';
  append_digits(out, time.seconds().count(), 2);
  out += '.';
  append_digits(out, time.subseconds().count(), 3);
  out += 'Z';
}

std::string rfc3339(Instant t) {
  std::string out;
  out.reserve(24);
  append_rfc3339(out, t);
  return out;
}

}  // namespace bw
