// Speech codecs behind one interface: 16-bit mono samples on one side, RTP payloads on the other.
//
// What runs on the rate of its codec is cheap: the Opus coders run directly on 8 or 16 kHz, so that Opus and
// G.711 meet without a resampler.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace bw::audio {

using Samples = std::span<std::int16_t>;
using ConstSamples = std::span<const std::int16_t>;

enum class CodecKind : std::uint8_t { kPcmu, kPcma, kG722, kOpus, kGsm };
inline constexpr std::size_t kCodecKinds = 5;

// As RTP describes it (a=rtpmap); the clock of RTP is not the rate of the samples (G.722: RFC 3551 §4.5.2).
std::optional<CodecKind> codec_kind(std::string_view name, std::uint32_t clock_rate, unsigned channels);
std::uint32_t rtp_clock(CodecKind kind);
// The rate the codec hears and speaks at by nature; Opus: 48,000, but any of 8, 16 and 48 kHz will do.
std::uint32_t native_rate(CodecKind kind);
// Which rate its coders take where the other side works at `wanted`.
std::uint32_t best_rate(CodecKind kind, std::uint32_t wanted);
// Higher sounds better.
int sound_rank(CodecKind kind);

// Bounds of one call of the coders.
inline constexpr std::size_t kMostSamples = 5'760;    // 120 ms at 48 kHz (RFC 6716 §2)
inline constexpr std::size_t kMostPayload = 1'275;    // of an Opus frame; others are shorter per 20 ms
inline constexpr std::size_t kMostTickSamples = 960;  // 20 ms at 48 kHz
inline constexpr std::uint32_t kTickMs = 20;
constexpr std::size_t tick_samples(std::uint32_t rate) {
  return rate / 1000 * kTickMs;
}

// State of one stream in one direction. Allocates when made, never afterwards.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // What was said; `out` has room for kMostSamples. 0: the payload makes no sense.
  virtual std::size_t decode(std::span<const std::uint8_t> payload, Samples out) = 0;
  // Fills `out` with what may have been said, fading away when nothing comes for long.
  virtual void conceal(Samples out) = 0;
  // What the lost packet before this payload said, if the payload carries it (RFC 6716 §2.1.7), else a
  // concealment.
  virtual void recover(std::span<const std::uint8_t> next_payload, Samples out) {
    static_cast<void>(next_payload);
    conceal(out);
  }
  virtual std::uint32_t rate() const = 0;
};

class Encoder {
 public:
  virtual ~Encoder() = default;
  // 20 ms in, a payload out; `out` has room for kMostPayload. 0: nothing needs to be sent (DTX), or a
  // failure.
  virtual std::size_t encode(ConstSamples tick, std::span<std::uint8_t> out) = 0;
  virtual std::uint32_t rate() const = 0;
};

// `rate` is one that best_rate() gives. Null only when out of memory.
std::unique_ptr<Decoder> make_decoder(CodecKind kind, std::uint32_t rate);
// `peer_fmtp` is what the listener asked for: useinbandfec, usedtx, maxaveragebitrate (RFC 7587 §6.1).
std::unique_ptr<Encoder> make_encoder(CodecKind kind, std::uint32_t rate, std::string_view peer_fmtp);

}  // namespace bw::audio
