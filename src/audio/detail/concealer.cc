#include "audio/detail/concealer.h"

#include <algorithm>
#include <limits>

namespace bw::audio::detail {
namespace {

// In fractions of a second.
constexpr std::uint32_t kFullFor = 100;     // 10 ms at full volume …
constexpr std::uint32_t kSilentAfter = 16;  // … and gone after 62 ms
constexpr std::uint32_t kBlend = 250;       // 4 ms

std::int16_t clipped(double value) {
  return static_cast<std::int16_t>(std::clamp(value, -32'768.0, 32'767.0));
}

}  // namespace

// The lag at which the last 20 ms look most like what was before them.
std::size_t Concealer::find_pitch() const {
  const std::size_t window = rate_ / 50;
  const std::size_t start = history_length() - window;
  const std::size_t stride = rate_ / 8'000;
  std::size_t best = rate_ / 66;
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (std::size_t lag = rate_ / 400; lag <= rate_ / 66; lag += stride) {
    std::int64_t difference = 0;
    for (std::size_t i = start; i < start + window; i += stride) {
      difference += std::abs(int{history_[i]} - int{history_[i - lag]});
    }
    if (difference < least) {
      least = difference;
      best = lag;
    }
  }
  return best;
}

// One period, its last quarter passing into what came before its first sample: so it can follow itself.
void Concealer::begin_gap() {
  pitch_ = find_pitch();
  const std::size_t start = history_length() - pitch_;
  const std::size_t overlap = pitch_ / 4;
  for (std::size_t i = 0; i < pitch_; ++i) {
    double value = history_[start + i];
    if (i >= pitch_ - overlap) {
      const auto part = static_cast<double>(i - (pitch_ - overlap)) / static_cast<double>(overlap);
      value = value * (1 - part) + history_[start + i - pitch_] * part;
    }
    period_[i] = value;
  }
  at_ = 0;
}

double Concealer::next() {
  const double value = period_[at_];
  at_ = at_ + 1 < pitch_ ? at_ + 1 : 0;
  const std::size_t full = rate_ / kFullFor;
  const std::size_t silent = rate_ / kSilentAfter;
  const std::size_t age = made_up_++;
  if (age >= silent) return 0;
  if (age <= full) return value;
  return value * static_cast<double>(silent - age) / static_cast<double>(silent - full);
}

void Concealer::fill(Samples out) {
  if (made_up_ == 0) begin_gap();
  for (std::int16_t& sample : out) sample = clipped(next());
}

void Concealer::heard(Samples said) {
  if (made_up_ != 0) {
    const std::size_t blend = std::min<std::size_t>(said.size(), rate_ / kBlend);
    for (std::size_t i = 0; i < blend; ++i) {
      const double part = static_cast<double>(i + 1) / static_cast<double>(blend + 1);
      said[i] = clipped(said[i] * part + next() * (1 - part));
    }
    made_up_ = 0;
  }
  remember(said);
}

void Concealer::remember(ConstSamples said) {
  const std::size_t length = history_length();
  const ConstSamples kept = said.last(std::min(said.size(), length));
  std::copy(history_.begin() + static_cast<std::ptrdiff_t>(kept.size()),
            history_.begin() + static_cast<std::ptrdiff_t>(length), history_.begin());
  std::ranges::copy(kept, history_.begin() + static_cast<std::ptrdiff_t>(length - kept.size()));
}

}  // namespace bw::audio::detail
