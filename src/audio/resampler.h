// From one sample rate to another (8, 16, 48 kHz).
#pragma once

#include <cstdint>
#include <memory>

#include "audio/codec.h"

struct SpeexResamplerState_;  // of speexdsp

namespace bw::audio {

// One stream; keeps the end of each tick for the next. Allocates when made, never afterwards.
class Resampler {
 public:
  Resampler(std::uint32_t from, std::uint32_t to);

  std::uint32_t from() const { return from_; }
  std::uint32_t to() const { return to_; }
  // Fills `out`, which has in.size() * to / from samples; the first few of a stream are silence.
  void run(ConstSamples in, Samples out);

 private:
  struct Destroy {
    void operator()(SpeexResamplerState_* state) const;
  };
  std::uint32_t from_;
  std::uint32_t to_;
  std::unique_ptr<SpeexResamplerState_, Destroy> state_;
};

}  // namespace bw::audio
