// Tones made of one or two sines with a cadence: what a caller hears (ITU-T E.180), and keys (Q.23).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "audio/codec.h"

namespace bw::audio {

enum class Tone : std::uint8_t { kRingBack, kBusy, kCongestion };

struct Sound {
  std::array<double, 2> hertz{};  // 0: none
  double level = 0.15;            // of full scale, each sine
  // On, off, on, off, … in ms, for ever; the first 0 ends the list, nothing at all: for ever on.
  std::array<std::uint16_t, 4> cadence_ms{};
};

// `region` is ISO 3166 ("US", "DE"); an unknown one gets the tones that E.180 recommends.
Sound sound_of(Tone tone, std::string_view region);
// 0-9 * # A-D.
Sound sound_of_key(char key);

// Makes a sound at one rate. Keeps its phase from tick to tick; allocates nothing.
class ToneGenerator {
 public:
  ToneGenerator(const Sound& sound, std::uint32_t rate);
  void fill(Samples out);  // overwrites

 private:
  // A rotation by a fixed angle per sample: two multiplications instead of a sine.
  struct Oscillator {
    double cosine = 1, sine = 0;
    double step_cosine = 1, step_sine = 0;
    double next();
  };
  bool sounds_now();

  Sound sound_;
  std::uint32_t rate_;
  std::array<Oscillator, 2> oscillators_;
  std::size_t phase_ = 0;           // index into the cadence
  std::uint32_t samples_left_ = 0;  // of the phase
};

}  // namespace bw::audio
