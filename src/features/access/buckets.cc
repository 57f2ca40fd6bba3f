#include "access/buckets.h"

#include <algorithm>
#include <chrono>

namespace bw::access {

double Buckets::filled(const Bucket& b, Instant now) const {
  const double seconds = std::chrono::duration<double>(now - b.filled).count();
  return std::min(rate_.burst, b.tokens + std::max(seconds, 0.0) * rate_.per_second);
}

// A full bucket tells nothing that a new one would not. If nobody's is full, all start afresh: that is kinder
// than keeping some of them out.
void Buckets::forget_full(Instant now) {
  std::erase_if(buckets_, [&](const auto& entry) { return filled(entry.second, now) >= rate_.burst; });
  if (buckets_.size() >= capacity_) buckets_.clear();
}

std::optional<Duration> Buckets::take(std::string_view sender, Instant now) {
  auto it = buckets_.find(sender);
  if (it == buckets_.end()) {
    if (buckets_.size() >= capacity_) forget_full(now);
    it = buckets_.emplace(std::string(sender), Bucket{rate_.burst, now}).first;
  }
  Bucket& b = it->second;
  b.tokens = filled(b, now);
  b.filled = now;
  if (b.tokens >= 1) {
    b.tokens -= 1;
    return std::nullopt;
  }
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>((1 - b.tokens) / rate_.per_second));
}

Duration Buckets::full_in(std::string_view sender, Instant now) const {
  const auto it = buckets_.find(sender);
  if (it == buckets_.end()) return Duration{0};
  const std::chrono::duration<double> wait{(rate_.burst - filled(it->second, now)) / rate_.per_second};
  return std::chrono::duration_cast<Duration>(wait);
}

std::uint32_t Buckets::left(std::string_view sender, Instant now) const {
  const auto it = buckets_.find(sender);
  return it == buckets_.end() ? burst() : static_cast<std::uint32_t>(filled(it->second, now));
}

}  // namespace bw::access
