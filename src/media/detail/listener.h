// What one peer says, as samples: jitter buffer, decoders, and keys heard as tones.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "audio/codec.h"
#include "audio/resampler.h"
#include "media/detail/key_ear.h"
#include "media/detail/passage.h"
#include "rtp/jitter_buffer.h"
#include "rtp/packet.h"

namespace bw::media {

// Room for one packet or gap on its way; one per relay, as only one is at a time.
struct Workspace {
  std::array<std::int16_t, audio::kMostSamples> decoded;
  std::array<std::int16_t, audio::kMostSamples> resampled;
};

// Owned by the leg whose peer it listens to, while that leg's voice is decoded. A decoder is made when its
// codec is first heard; after that nothing is allocated per packet.
class Listener {
 public:
  // `rate` is that of the samples it gives.
  Listener(std::uint32_t rate, bool hears_tones, Workspace& workspace);

  std::uint32_t rate() const { return rate_; }
  bool hears_tones() const { return ear_.has_value(); }
  void on_voice(const rtp::Header& header, std::span<const std::uint8_t> payload, const Way& way,
                Instant now);
  // The peer presses a key, or its voice goes another way: what is missing now is no loss.
  void on_other() { expects_voice_ = false; }

  struct Heard {
    bool sound = false;  // `out` was filled; else nothing was said
    std::optional<char> key{};
    bool key_sounds = false;
  };
  // The next 20 ms; `out` has audio::tick_samples(rate()).
  Heard tick(audio::Samples out, Instant now);
  // Nothing was said for a while: no more ticks are needed until the next packet.
  bool idle() const { return idle_; }

 private:
  struct Coder {
    std::unique_ptr<audio::Decoder> decoder;
    std::optional<audio::Resampler> resampler;
  };

  Coder* coder(audio::CodecKind kind);
  void conceal(std::size_t count);
  bool more(Instant now);  // false: nothing to be had now
  void decode(const rtp::JitterBuffer::Step& step);
  void fill_gap(const rtp::JitterBuffer::Step& step);
  audio::ConstSamples at_our_rate(Coder& coder, audio::ConstSamples heard);
  void append(audio::ConstSamples heard, bool leave_out);
  void add(audio::ConstSamples samples);
  std::size_t samples_of(std::uint32_t ticks, std::uint32_t rate) const;

  Workspace& workspace_;
  std::uint32_t rate_;
  std::uint32_t clock_rate_ = 8'000;
  std::optional<rtp::JitterBuffer> buffer_;
  std::array<std::optional<audio::CodecKind>, 128> kinds_{};  // by payload number, of what was pushed
  std::array<Coder, audio::kCodecKinds> coders_;
  Coder* current_ = nullptr;
  std::optional<KeyEar> ear_;
  std::vector<std::int16_t> waiting_;  // heard and not yet taken
  std::size_t taken_ = 0;
  std::array<std::int16_t, 240> carry_{};  // the start of a packet that was left out: the next one blends in
  std::size_t carried_ = 0;
  bool expects_voice_ = false;
  bool idle_ = true;
};

}  // namespace bw::media
