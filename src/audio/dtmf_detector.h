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

  void hear(ConstSamples said);
  // Something was said here that did not arrive: what sounds before and after it is one sound.
  void missed();
  // Of the keys that began to sound the oldest one not taken yet; once per press.
  std::optional<char> next_key();
  // A key sounds, as of the last sample.
  bool sounding() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bw::audio
