#include "api/moment.h"

#include <chrono>

namespace bw::api {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take_any(std::string_view chars) {
    for (const char c : chars) {
      if (take(c)) return true;
    }
    return false;
  }
  // Exactly so many digits.
  std::optional<int> number(std::size_t digits, int most) {
    if (rest_.size() < digits) return std::nullopt;
    int value = 0;
    for (const char c : rest_.substr(0, digits)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(digits);
    if (value > most) return std::nullopt;
    return value;
  }
  // Of a second; digits beyond the nanosecond say nothing to us.
  std::optional<Duration> fraction() {
    if (!take('.')) return Duration{0};
    std::int64_t value = 0;
    std::int64_t unit = 100'000'000;
    std::size_t digits = 0;
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; rest_.remove_prefix(1), ++digits) {
      value += (rest_.front() - '0') * unit;
      unit /= 10;
    }
    if (digits == 0) return std::nullopt;
    return Duration{value};
  }

 private:
  std::string_view rest_;
};

std::optional<Duration> offset(Reader& in) {
  if (in.take_any("Zz")) return Duration{0};
  const bool east = in.take('+');
  if (!east && !in.take('-')) return std::nullopt;
  const auto hours = in.number(2, 23);
  if (!hours || !in.take(':')) return std::nullopt;
  const auto minutes = in.number(2, 59);
  if (!minutes) return std::nullopt;
  const Duration size = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return east ? size : -size;
}

}  // namespace

std::optional<Instant> parse_moment(std::string_view text) {
  using namespace std::chrono;
  Reader in(text);
  const auto y = in.number(4, 2200);
  if (!y || *y < 1970 || !in.take('-')) return std::nullopt;
  const auto m = in.number(2, 12);
  if (!m || !in.take('-')) return std::nullopt;
  const auto d = in.number(2, 31);
  if (!d || !in.take_any("Tt ")) return std::nullopt;
  const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)}, day{static_cast<unsigned>(*d)}};
  const auto h = in.number(2, 23);
  if (!date.ok() || !h || !in.take(':')) return std::nullopt;
  const auto min = in.number(2, 59);
  if (!min || !in.take(':')) return std::nullopt;
  const auto s = in.number(2, 60);
  if (!s) return std::nullopt;
  const auto fraction = in.fraction();
  const auto zone = fraction ? offset(in) : std::nullopt;
  if (!zone || !in.done()) return std::nullopt;
  return Instant{sys_days{date}.time_since_epoch() + hours(*h) + minutes(*min) + seconds(*s) + *fraction -
                 *zone};
}

}  // namespace bw::api
