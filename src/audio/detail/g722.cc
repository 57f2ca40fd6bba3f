// ITU-T G.722 at 64 kbit/s: 16 kHz of audio under an RTP clock of 8 kHz (RFC 3551 §4.5.2).
#include <algorithm>

#include "audio/detail/coders.h"
#include "audio/detail/concealer.h"
#include "audio/detail/spandsp.h"

namespace bw::audio::detail {
namespace {

constexpr int kBitRate = 64'000;
constexpr int kNoOptions = 0;

class G722Decoder final : public Decoder {
 public:
  std::size_t decode(std::span<const std::uint8_t> payload, Samples out) override {
    const std::size_t bytes = std::min(payload.size(), out.size() / 2);
    if (bytes == 0) return 0;
    const int made = g722_decode(state_.get(), out.data(), payload.data(), static_cast<int>(bytes));
    const auto count = static_cast<std::size_t>(std::max(made, 0));
    concealer_.heard(out.first(count));
    return count;
  }
  void conceal(Samples out) override { concealer_.fill(out); }
  std::uint32_t rate() const override { return 16'000; }

 private:
  Owned<g722_decode_state_t, &g722_decode_free> state_{g722_decode_init(nullptr, kBitRate, kNoOptions)};
  Concealer concealer_{16'000};
};

class G722Encoder final : public Encoder {
 public:
  std::size_t encode(ConstSamples tick, std::span<std::uint8_t> out) override {
    const std::size_t samples = std::min(tick.size(), out.size() * 2) & ~std::size_t{1};
    const int made = g722_encode(state_.get(), out.data(), tick.data(), static_cast<int>(samples));
    return static_cast<std::size_t>(std::max(made, 0));
  }
  std::uint32_t rate() const override { return 16'000; }

 private:
  Owned<g722_encode_state_t, &g722_encode_free> state_{g722_encode_init(nullptr, kBitRate, kNoOptions)};
};

}  // namespace

std::unique_ptr<Decoder> make_g722_decoder() {
  return std::make_unique<G722Decoder>();
}
std::unique_ptr<Encoder> make_g722_encoder() {
  return std::make_unique<G722Encoder>();
}

}  // namespace bw::audio::detail
