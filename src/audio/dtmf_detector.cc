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

std::optional<char> DtmfDetector::hear(ConstSamples tick) {
  std::array<std::int16_t, tick_samples(kRate)> narrow{};
  ConstSamples heard = tick;
  if (state_->to_narrow) {
    const std::size_t count = std::min(tick.size() * kRate / state_->to_narrow->from(), narrow.size());
    state_->to_narrow->run(tick, Samples{narrow}.first(count));
    heard = Samples{narrow}.first(count);
  }
  dtmf_rx(state_->receiver.get(), heard.data(), static_cast<int>(heard.size()));
  std::array<char, 4> keys{};
  if (dtmf_rx_get(state_->receiver.get(), keys.data(), 1) == 0) return std::nullopt;
  return keys[0];
}

bool DtmfDetector::sounding() const {
  return dtmf_rx_status(state_->receiver.get()) != 0;
}

}  // namespace bw::audio
