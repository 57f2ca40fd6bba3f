#include "audio/tones.h"

#include <cmath>
#include <numbers>

namespace bw::audio {
namespace {

struct Plan {
  std::string_view region;
  Sound ring_back;
  Sound busy;
};
constexpr double kLevel = 0.1;
constexpr Sound tone(double low, double high, std::array<std::uint16_t, 4> cadence) {
  return {{low, high}, kLevel, cadence};
}
// ITU-T E.180 supplement 2 (various tones used in national networks).
constexpr std::array kPlans{
    Plan{"US", tone(440, 480, {2000, 4000}), tone(480, 620, {500, 500})},
    Plan{"CA", tone(440, 480, {2000, 4000}), tone(480, 620, {500, 500})},
    Plan{"GB", tone(400, 450, {400, 200, 400, 2000}), tone(400, 0, {375, 375})},
    Plan{"IE", tone(400, 450, {400, 200, 400, 2000}), tone(425, 0, {500, 500})},
    Plan{"AU", tone(400, 450, {400, 200, 400, 2000}), tone(425, 0, {375, 375})},
    Plan{"NZ", tone(400, 450, {400, 200, 400, 2000}), tone(400, 0, {500, 500})},
    Plan{"JP", tone(384, 416, {1000, 2000}), tone(400, 0, {500, 500})},
    Plan{"FR", tone(440, 0, {1500, 3500}), tone(440, 0, {500, 500})},
    Plan{"", tone(425, 0, {1000, 4000}), tone(425, 0, {480, 480})},  // E.180 §5 and §6
};

constexpr std::string_view kKeys = "123A456B789C*0#D";  // rows and columns of Q.23
constexpr std::array<double, 4> kRows{697, 770, 852, 941};
constexpr std::array<double, 4> kColumns{1209, 1336, 1477, 1633};
constexpr double kKeyLevel = 0.2;

}  // namespace

Sound sound_of(Tone wanted, std::string_view region) {
  const Plan* plan = kPlans.data();
  while (!plan->region.empty() && plan->region != region) ++plan;
  switch (wanted) {
    case Tone::kRingBack:
      return plan->ring_back;
    case Tone::kBusy:
      return plan->busy;
    case Tone::kCongestion: {
      Sound fast = plan->busy;  // the same, twice as fast
      for (auto& ms : fast.cadence_ms) ms = static_cast<std::uint16_t>(ms / 2);
      return fast;
    }
  }
  return plan->busy;
}

Sound sound_of_key(char key) {
  const auto at = kKeys.find(key);
  if (at == std::string_view::npos) return {};
  return {{kRows[at / 4], kColumns[at % 4]}, kKeyLevel, {}};
}

ToneGenerator::ToneGenerator(const Sound& sound, std::uint32_t rate) : sound_(sound), rate_(rate) {
  for (std::size_t i = 0; i < oscillators_.size(); ++i) {
    const double angle = 2 * std::numbers::pi * sound.hertz[i] / rate;
    oscillators_[i].step_cosine = std::cos(angle);
    oscillators_[i].step_sine = std::sin(angle);
  }
  samples_left_ = sound_.cadence_ms[0] * (rate_ / 1000);
}

double ToneGenerator::Oscillator::next() {
  const double now = sine;
  const double turned = cosine * step_cosine - sine * step_sine;
  sine = sine * step_cosine + cosine * step_sine;
  cosine = turned;
  return now;
}

bool ToneGenerator::sounds_now() {
  if (sound_.cadence_ms[0] == 0) return true;
  while (samples_left_ == 0) {
    phase_ = (phase_ + 1) % sound_.cadence_ms.size();
    if (sound_.cadence_ms[phase_] == 0) phase_ = 0;
    samples_left_ = sound_.cadence_ms[phase_] * (rate_ / 1000);
  }
  --samples_left_;
  return phase_ % 2 == 0;
}

void ToneGenerator::fill(Samples out) {
  for (std::int16_t& sample : out) {
    double value = 0;
    for (std::size_t i = 0; i < oscillators_.size(); ++i) {
      if (sound_.hertz[i] > 0) value += oscillators_[i].next();
    }
    sample = sounds_now() ? static_cast<std::int16_t>(value * sound_.level * 32'767) : std::int16_t{0};
  }
}

}  // namespace bw::audio
