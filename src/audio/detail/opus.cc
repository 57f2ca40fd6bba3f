// Opus (RFC 6716) in RTP (RFC 7587): one channel, for speech.
#include <opus/opus.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "audio/detail/coders.h"

namespace bw::audio::detail {
namespace {

// Effort of the encoder, 0 to 10. 4 costs a fifth more per call (bench/audio_bench.cc); 2 is heard when
// packets are lost.
constexpr int kComplexity = 3;
constexpr int kExpectedLossPercent = 10;  // how much of the bit rate in-band FEC may take

struct DestroyDecoder {
  void operator()(OpusDecoder* d) const { opus_decoder_destroy(d); }
};
struct DestroyEncoder {
  void operator()(OpusEncoder* e) const { opus_encoder_destroy(e); }
};

// The number after "name=" in "a=1; b=2".
std::optional<int> parameter(std::string_view fmtp, std::string_view name) {
  while (!fmtp.empty()) {
    const auto end = std::min(fmtp.find(';'), fmtp.size());
    std::string_view item = fmtp.substr(0, end);
    fmtp.remove_prefix(std::min(end + 1, fmtp.size()));
    while (item.starts_with(' ')) item.remove_prefix(1);
    if (!item.starts_with(name) || item.size() <= name.size() || item[name.size()] != '=') continue;
    item.remove_prefix(name.size() + 1);
    int value = 0;
    const auto [rest, error] = std::from_chars(item.data(), item.data() + item.size(), value);
    if (error == std::errc{}) return value;
  }
  return std::nullopt;
}

opus_int32 bit_rate(std::uint32_t rate, std::string_view fmtp) {
  const opus_int32 good = rate <= 8'000 ? 16'000 : rate <= 16'000 ? 24'000 : 32'000;
  const auto most = parameter(fmtp, "maxaveragebitrate");
  return most ? std::clamp(*most, 6'000, good) : good;
}

opus_int32 widest_band(std::uint32_t heard_rate) {
  if (heard_rate <= 8'000) return OPUS_BANDWIDTH_NARROWBAND;
  if (heard_rate <= 12'000) return OPUS_BANDWIDTH_MEDIUMBAND;
  if (heard_rate <= 16'000) return OPUS_BANDWIDTH_WIDEBAND;
  if (heard_rate <= 24'000) return OPUS_BANDWIDTH_SUPERWIDEBAND;
  return OPUS_BANDWIDTH_FULLBAND;
}

class OpusSpeechDecoder final : public Decoder {
 public:
  explicit OpusSpeechDecoder(std::uint32_t rate)
      : rate_(rate), state_(opus_decoder_create(static_cast<opus_int32>(rate), 1, nullptr)) {}
  bool usable() const { return state_ != nullptr; }

  std::size_t decode(std::span<const std::uint8_t> payload, Samples out) override {
    if (payload.empty()) return 0;  // null would mean a lost packet
    return run(payload, out, false);
  }
  void conceal(Samples out) override { fill({}, out, false); }
  void recover(std::span<const std::uint8_t> next_payload, Samples out) override {
    fill(next_payload, out, true);
  }
  std::uint32_t rate() const override { return rate_; }

 private:
  std::size_t run(std::span<const std::uint8_t> payload, Samples out, bool from_next) {
    const int made = opus_decode(state_.get(), payload.empty() ? nullptr : payload.data(),
                                 static_cast<opus_int32>(payload.size()), out.data(),
                                 static_cast<int>(out.size()), from_next);
    return static_cast<std::size_t>(std::max(made, 0));
  }
  // Whole steps of 2.5 ms only (opus_decode); what is left is silence.
  void fill(std::span<const std::uint8_t> payload, Samples out, bool from_next) {
    const std::size_t step = rate_ / 400;
    const std::size_t whole = std::min<std::size_t>(out.size() / step * step, rate_ / 1000 * 120);
    const std::size_t made = whole == 0 ? 0 : run(payload, out.first(whole), from_next);
    std::ranges::fill(out.subspan(std::min(made, out.size())), std::int16_t{0});
  }

  std::uint32_t rate_;
  std::unique_ptr<OpusDecoder, DestroyDecoder> state_;
};

class OpusSpeechEncoder final : public Encoder {
 public:
  OpusSpeechEncoder(std::uint32_t rate, std::string_view fmtp)
      : rate_(rate),
        state_(opus_encoder_create(static_cast<opus_int32>(rate), 1, OPUS_APPLICATION_VOIP, nullptr)) {
    if (!usable()) return;
    set(OPUS_SET_COMPLEXITY(kComplexity));
    set(OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    set(OPUS_SET_BITRATE(bit_rate(rate, fmtp)));
    set(OPUS_SET_MAX_BANDWIDTH(widest_band(
        static_cast<std::uint32_t>(std::max(parameter(fmtp, "maxplaybackrate").value_or(48'000), 0)))));
    set(OPUS_SET_DTX(parameter(fmtp, "usedtx") == 1 ? 1 : 0));
    if (parameter(fmtp, "useinbandfec") == 1) {
      set(OPUS_SET_INBAND_FEC(1));
      set(OPUS_SET_PACKET_LOSS_PERC(kExpectedLossPercent));
    }
  }
  bool usable() const { return state_ != nullptr; }

  std::size_t encode(ConstSamples tick, std::span<std::uint8_t> out) override {
    const int made = opus_encode(state_.get(), tick.data(), static_cast<int>(tick.size()), out.data(),
                                 static_cast<opus_int32>(std::min(out.size(), kMostPayload)));
    return made <= 2 ? 0 : static_cast<std::size_t>(made);  // up to two bytes: not to be sent (DTX)
  }
  std::uint32_t rate() const override { return rate_; }

 private:
  void set(int request, opus_int32 value) {
    static_cast<void>(opus_encoder_ctl(state_.get(), request, value));
  }

  std::uint32_t rate_;
  std::unique_ptr<OpusEncoder, DestroyEncoder> state_;
};

}  // namespace

std::unique_ptr<Decoder> make_opus_decoder(std::uint32_t rate) {
  auto made = std::make_unique<OpusSpeechDecoder>(rate);
  return made->usable() ? std::move(made) : nullptr;
}

std::unique_ptr<Encoder> make_opus_encoder(std::uint32_t rate, std::string_view peer_fmtp) {
  auto made = std::make_unique<OpusSpeechEncoder>(rate, peer_fmtp);
  return made->usable() ? std::move(made) : nullptr;
}

}  // namespace bw::audio::detail
