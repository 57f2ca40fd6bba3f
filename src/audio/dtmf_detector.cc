#include "audio/dtmf_detector.h"

#include <algorithm>
#include <array>

#include "audio/detail/spandsp.h"

namespace bw::audio {
namespace {

constexpr std::uint32_t kRate = 8'000;  // what spandsp's filters are made for

}  // namespace

struct DtmfDetector::State {
  explicit State(std::uint32_t rate) {
    if (rate != kRate) to_narrow.emplace(rate, kRate);
  }
  detail::Owned<dtmf_rx_state_t, &dtmf_rx_free> receiver{dtmf_rx_init(nullptr, nullptr, nullptr)};
  std::optional<Resampler> to_narrow;
};

DtmfDetector::DtmfDetector(std::uint32_t rate) : state_(std::make_unique<State>(rate)) {}
DtmfDetector::~DtmfDetector() = default;
DtmfDetector::DtmfDetector(DtmfDetector&&) noexcept = default;
DtmfDetector& DtmfDetector::operator=(DtmfDetector&&) noexcept = default;

void DtmfDetector::hear(ConstSamples said) {
  if (!state_->to_narrow) {
    dtmf_rx(state_->receiver.get(), said.data(), static_cast<int>(said.size()));
    return;
  }
  std::array<std::int16_t, tick_samples(kRate)> narrow{};
  const std::uint32_t rate = state_->to_narrow->from();
  while (!said.empty()) {
    const ConstSamples tick = said.first(std::min(said.size(), tick_samples(rate)));
    said = said.subspan(tick.size());
    const std::size_t count = tick.size() * kRate / rate;
    state_->to_narrow->run(tick, Samples{narrow}.first(count));
    dtmf_rx(state_->receiver.get(), narrow.data(), static_cast<int>(count));
  }
}

// The filters begin anew, for the phase jumps here; what they found so far stays.
void DtmfDetector::missed() {
  dtmf_rx_fillin(state_->receiver.get(), static_cast<int>(tick_samples(kRate)));
}

std::optional<char> DtmfDetector::next_key() {
  std::array<char, 4> keys{};
  if (dtmf_rx_get(state_->receiver.get(), keys.data(), 1) == 0) return std::nullopt;
  return keys[0];
}

bool DtmfDetector::sounding() const {
  return dtmf_rx_status(state_->receiver.get()) != 0;
}

}  // namespace bw::audio
