#include "webhooks/backoff.h"

#include <algorithm>

namespace bw::webhooks {
namespace {

constexpr Duration kLongFirst = 60s;
constexpr Duration kLongMost = 1h;
constexpr Duration kProbeMost = 60s;
constexpr Duration kLeast = 50ms;

Duration doubled(Duration first, std::uint32_t times, Duration most) {
  Duration out = std::max(first, kLeast);
  for (std::uint32_t i = 0; i < times && out < most; ++i) out *= 2;
  return std::min(out, most);
}

Duration with_jitter(Duration d, Rng& rng) {
  const auto thousandths = static_cast<std::int64_t>(800 + rng.below(401));
  return Duration{d.count() / 1'000 * thousandths};
}

}  // namespace

Duration retry_delay(std::uint32_t failures, Duration first, std::uint32_t quick, Rng& rng) {
  const std::uint32_t done = failures == 0 ? 0 : failures - 1;
  if (done < quick) return with_jitter(doubled(first, done, kLongMost), rng);
  return with_jitter(doubled(std::max(first, kLongFirst), done - quick, kLongMost), rng);
}

Duration probe_delay(std::uint32_t failures, Duration first, Rng& rng) {
  return with_jitter(doubled(first, failures, std::max(first, kProbeMost)), rng);
}

Duration wait_asked_for(std::chrono::seconds asked) {
  return std::clamp<Duration>(asked, 1s, 1h);
}

}  // namespace bw::webhooks
