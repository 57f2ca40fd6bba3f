// Keys heard as tones in decoded audio (ITU-T Q.24).
#pragma once

#include <memory>
#include <optional>

#include "audio/codec.h"
#include "audio/resampler.h"

namespace bw::audio {

// One stream of 8, 16 or 48 kHz. Allocates when made, never afterwards.
class DtmfDetector {
 public:
  explicit DtmfDetector(std::uint32_t rate);
  ~DtmfDetector();
  DtmfDetector(DtmfDetector&&) noexcept;
  DtmfDetector& operator=(DtmfDetector&&) noexcept;

  // At most one tick; a key that began to sound in it, once per press.
  std::optional<char> hear(ConstSamples tick);
  // A key sounds, as of the last tick.
  bool sounding() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bw::audio
