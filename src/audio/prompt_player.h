// A recording becomes samples.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "audio/codec.h"
#include "audio/resampler.h"

namespace bw::audio {

// Says a recording in G.722 (64 kbit/s, no header) once, tick by tick, at the rate of its listener. Allocates
// when made, never afterwards.
class PromptPlayer {
 public:
  // `g722` outlives the player. `rate` is 8,000, 16,000 or 48,000.
  PromptPlayer(std::span<const std::uint8_t> g722, std::uint32_t rate);

  bool done() const { return left_.empty(); }
  void fill(Samples out);  // a tick; what comes after the end is silence

 private:
  static constexpr std::uint32_t kRate = 16'000;

  std::span<const std::uint8_t> left_;
  std::unique_ptr<Decoder> decoder_;
  std::optional<Resampler> resampler_;  // none: the listener has the recording's rate
  std::array<std::int16_t, kMostSamples> decoded_{};
};

}  // namespace bw::audio
