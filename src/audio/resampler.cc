#include "audio/resampler.h"

#include <speex/speex_resampler.h>

#include <algorithm>

namespace bw::audio {
namespace {

constexpr int kQuality = 4;  // 0 to 10: 4 keeps telephone speech intact

}  // namespace

void Resampler::Destroy::operator()(SpeexResamplerState_* state) const {
  speex_resampler_destroy(state);
}

Resampler::Resampler(std::uint32_t from, std::uint32_t to)
    : from_(from), to_(to), state_(speex_resampler_init(1, from, to, kQuality, nullptr)) {}

void Resampler::run(ConstSamples in, Samples out) {
  auto taken = static_cast<spx_uint32_t>(in.size());
  auto made = static_cast<spx_uint32_t>(out.size());
  if (!state_ || speex_resampler_process_int(state_.get(), 0, in.data(), &taken, out.data(), &made) != 0)
    made = 0;
  std::ranges::fill(out.subspan(made), std::int16_t{0});
}

}  // namespace bw::audio
