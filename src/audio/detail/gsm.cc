// GSM 06.10 full rate, 33 bytes for 20 ms (RFC 3551 §4.5.8).
#include <algorithm>

#include "audio/detail/coders.h"
#include "audio/detail/concealer.h"
#include "audio/detail/spandsp.h"

namespace bw::audio::detail {
namespace {

constexpr std::size_t kFrameBytes = 33;
constexpr std::size_t kFrameSamples = 160;
constexpr unsigned kSignature = 0xd;  // the upper half of the first byte of every frame

using State = Owned<gsm0610_state_t, &gsm0610_free>;

class GsmDecoder final : public Decoder {
 public:
  std::size_t decode(std::span<const std::uint8_t> payload, Samples out) override {
    std::size_t count = 0;
    while (payload.size() >= kFrameBytes && payload[0] >> 4U == kSignature &&
           out.size() - count >= kFrameSamples) {
      gsm0610_decode(state_.get(), &out[count], payload.data(), static_cast<int>(kFrameBytes));
      count += kFrameSamples;
      payload = payload.subspan(kFrameBytes);
    }
    concealer_.heard(out.first(count));
    return count;
  }
  void conceal(Samples out) override { concealer_.fill(out); }
  std::uint32_t rate() const override { return 8'000; }

 private:
  State state_{gsm0610_init(nullptr, GSM0610_PACKING_VOIP)};
  Concealer concealer_{8'000};
};

class GsmEncoder final : public Encoder {
 public:
  std::size_t encode(ConstSamples tick, std::span<std::uint8_t> out) override {
    if (tick.size() != kFrameSamples || out.size() < kFrameBytes) return 0;
    const int made = gsm0610_encode(state_.get(), out.data(), tick.data(), static_cast<int>(tick.size()));
    return static_cast<std::size_t>(std::max(made, 0));
  }
  std::uint32_t rate() const override { return 8'000; }

 private:
  State state_{gsm0610_init(nullptr, GSM0610_PACKING_VOIP)};
};

}  // namespace

std::unique_ptr<Decoder> make_gsm_decoder() {
  return std::make_unique<GsmDecoder>();
}
std::unique_ptr<Encoder> make_gsm_encoder() {
  return std::make_unique<GsmEncoder>();
}

}  // namespace bw::audio::detail
