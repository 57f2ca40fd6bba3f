// Every decoder with a hostile sender: payloads, gaps and repairs as the input says; and a
// recording of any bytes.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "audio/codec.h"
#include "audio/dtmf_detector.h"
#include "audio/prompt_player.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bw::audio;
  if (size < 2) return 0;
  constexpr std::array kKinds{CodecKind::kPcmu, CodecKind::kPcma, CodecKind::kG722, CodecKind::kOpus,
                              CodecKind::kGsm};
  constexpr std::array kRates{8'000u, 16'000u, 48'000u};
  const CodecKind kind = kKinds[data[0] % kKinds.size()];
  if (data[0] == 255) {  // a recording
    PromptPlayer player{{data + 2, size - 2}, kRates[data[1] % kRates.size()]};
    std::array<std::int16_t, kMostTickSamples> tick{};
    while (!player.done()) player.fill(Samples{tick}.first(tick_samples(kRates[data[1] % kRates.size()])));
    return 0;
  }
  const std::uint32_t rate = best_rate(kind, kRates[data[1] % kRates.size()]);
  const auto decoder = make_decoder(kind, rate);
  DtmfDetector detector{rate};
  std::array<std::int16_t, kMostSamples> pcm{};
  std::span rest{data + 2, size - 2};
  while (rest.size() >= 2) {
    const std::size_t length = std::min<std::size_t>(rest[1], rest.size() - 2);
    const auto payload = rest.subspan(2, length);
    std::size_t made = tick_samples(rate);
    switch (rest[0] % 3) {
      case 0:
        made = decoder->decode(payload, pcm);
        break;
      case 1:
        decoder->conceal(Samples{pcm}.first(made));
        break;
      case 2:
        decoder->recover(payload, Samples{pcm}.first(made));
        break;
    }
    if (made > pcm.size()) std::abort();
    for (std::size_t at = 0; at < made; at += tick_samples(rate)) {
      detector.hear(ConstSamples{pcm}.subspan(at, std::min(tick_samples(rate), made - at)));
      detector.next_key();
    }
    rest = rest.subspan(2 + length);
  }
  return 0;
}
