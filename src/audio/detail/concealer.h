// Packet loss concealment for codecs that bring none, after ITU-T G.711 appendix I: the last pitch period is
// repeated, fades away, and is blended into what comes next. (spandsp has one, which copies a buffer over
// itself.)
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "audio/codec.h"

namespace bw::audio::detail {

// Of one stream of 8 or 16 kHz. Allocates nothing.
class Concealer {
 public:
  explicit Concealer(std::uint32_t rate) : rate_(rate) {}

  // The first samples after a gap are changed: what was made up passes into them.
  void heard(Samples said);
  void fill(Samples out);

 private:
  static constexpr std::size_t kMostRate = 16'000;
  static constexpr std::size_t kMostPitch = kMostRate / 66;  // the deepest voice
  static constexpr std::size_t kMostHistory = kMostRate / 50 + 2 * kMostPitch;

  std::size_t history_length() const { return rate_ / 50 + 2 * (rate_ / 66); }
  std::size_t find_pitch() const;
  void begin_gap();
  double next();  // sample of the made-up sound
  void remember(ConstSamples said);

  std::uint32_t rate_;
  std::array<std::int16_t, kMostHistory> history_{};  // the newest at history_length() - 1
  std::array<double, kMostPitch> period_{};
  std::size_t pitch_ = 0;
  std::size_t at_ = 0;       // in period_
  std::size_t made_up_ = 0;  // samples of this gap; 0: no gap
};

}  // namespace bw::audio::detail
