#include "audio/prompt_player.h"

#include <algorithm>

namespace bw::audio {

PromptPlayer::PromptPlayer(std::span<const std::uint8_t> g722, std::uint32_t rate)
    : left_(g722), decoder_(make_decoder(CodecKind::kG722, kRate)) {
  if (rate != kRate) resampler_.emplace(kRate, rate);
}

void PromptPlayer::fill(Samples out) {
  const auto tick = Samples{decoded_}.first(tick_samples(kRate));
  const std::size_t bytes = std::min(left_.size(), tick.size() / 2);  // two samples a byte
  const std::size_t made = decoder_ ? decoder_->decode(left_.first(bytes), decoded_) : 0;
  left_ = left_.subspan(bytes);
  std::ranges::fill(tick.subspan(std::min(made, tick.size())), std::int16_t{0});
  if (resampler_) {
    resampler_->run(tick, out);
  } else {
    std::ranges::copy(tick.first(std::min(tick.size(), out.size())), out.begin());
  }
}

}  // namespace bw::audio
