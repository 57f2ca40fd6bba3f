// ITU-T G.711: a sample is a sign, three bits of magnitude and four of detail.
#include <algorithm>
#include <array>
#include <bit>

#include "audio/detail/coders.h"
#include "audio/detail/concealer.h"

namespace bw::audio::detail {
namespace {

struct MuLaw {
  static constexpr int kBias = 0x84;
  static constexpr std::int16_t expand(std::uint8_t code) {
    const unsigned u = ~code & 0xffU;
    const int magnitude = static_cast<int>((((u & 0x0fU) << 3U) + kBias) << ((u & 0x70U) >> 4U)) - kBias;
    return static_cast<std::int16_t>((u & 0x80U) != 0 ? -magnitude : magnitude);
  }
  static constexpr std::uint8_t compress(std::int16_t sample) {
    const unsigned sign = sample < 0 ? 0x80U : 0;
    const auto magnitude =
        static_cast<unsigned>(std::min(sample < 0 ? -int{sample} : int{sample}, 32'635) + kBias);
    const auto exponent = static_cast<unsigned>(std::bit_width(magnitude >> 7U)) - 1;
    const unsigned detail = magnitude >> (exponent + 3U) & 0x0fU;
    return static_cast<std::uint8_t>(~(sign | exponent << 4U | detail));
  }
};

struct ALaw {
  static constexpr std::int16_t expand(std::uint8_t code) {
    const unsigned a = code ^ 0x55U;
    const unsigned exponent = a >> 4U & 7U;
    unsigned magnitude = (a & 0x0fU) << 4U | 8U;
    if (exponent > 0) magnitude = (magnitude + 0x100U) << (exponent - 1);
    const int value = static_cast<int>(magnitude);
    return static_cast<std::int16_t>((a & 0x80U) != 0 ? value : -value);
  }
  static constexpr std::uint8_t compress(std::int16_t sample) {
    const unsigned sign = sample < 0 ? 0 : 0x80U;
    const auto magnitude = static_cast<unsigned>(sample < 0 ? ~int{sample} : int{sample}) >> 4U;  // 11 bits
    unsigned code = magnitude;
    if (magnitude > 15) {
      const auto exponent = static_cast<unsigned>(std::bit_width(magnitude)) - 4;
      code = exponent << 4U | (magnitude >> (exponent - 1) & 0x0fU);
    }
    return static_cast<std::uint8_t>((sign | code) ^ 0x55U);
  }
};

template <typename Law>
constexpr auto kExpanded = [] {
  std::array<std::int16_t, 256> table{};
  for (unsigned code = 0; code < table.size(); ++code)
    table[code] = Law::expand(static_cast<std::uint8_t>(code));
  return table;
}();

template <typename Law>
class G711Decoder final : public Decoder {
 public:
  std::size_t decode(std::span<const std::uint8_t> payload, Samples out) override {
    const std::size_t count = std::min(payload.size(), out.size());
    std::ranges::transform(payload.first(count), out.begin(),
                           [](std::uint8_t code) { return kExpanded<Law>[code]; });
    concealer_.heard(out.first(count));
    return count;
  }
  void conceal(Samples out) override { concealer_.fill(out); }
  std::uint32_t rate() const override { return 8'000; }

 private:
  Concealer concealer_{8'000};
};

template <typename Law>
class G711Encoder final : public Encoder {
 public:
  std::size_t encode(ConstSamples tick, std::span<std::uint8_t> out) override {
    const std::size_t count = std::min(tick.size(), out.size());
    std::ranges::transform(tick.first(count), out.begin(), &Law::compress);
    return count;
  }
  std::uint32_t rate() const override { return 8'000; }
};

}  // namespace

std::unique_ptr<Decoder> make_mu_law_decoder() {
  return std::make_unique<G711Decoder<MuLaw>>();
}
std::unique_ptr<Decoder> make_a_law_decoder() {
  return std::make_unique<G711Decoder<ALaw>>();
}
std::unique_ptr<Encoder> make_mu_law_encoder() {
  return std::make_unique<G711Encoder<MuLaw>>();
}
std::unique_ptr<Encoder> make_a_law_encoder() {
  return std::make_unique<G711Encoder<ALaw>>();
}

}  // namespace bw::audio::detail
