// Keys heard as tones in what a phone says that has no telephone-event.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "audio/codec.h"
#include "audio/dtmf_detector.h"
#include "base/time.h"
#include "rtp/packet.h"

namespace bw::media {

// Listens packet by packet, as they were sent: a lost one is neither tone nor pause, so that one press stays
// one. What is made up in its place is for people alone.
class KeyEar {
 public:
  explicit KeyEar(std::uint32_t rate) : rate_(rate), detector_(rate) {}

  // What a packet of that codec says; one that comes late is ignored.
  void hear(const rtp::Header& header, audio::CodecKind kind, audio::ConstSamples said);
  // Of the keys that began to sound the oldest one not taken yet; once per press.
  std::optional<char> next_key();
  bool sounding() const { return detector_.sounding(); }

 private:
  enum class Before : std::uint8_t { kNothing, kLoss, kPause, kLate };
  Before what_is_before(const rtp::Header& header, std::uint32_t clock_rate) const;
  void pause();
  void hear_keys(audio::ConstSamples said);

  std::uint32_t rate_;
  audio::DtmfDetector detector_;
  bool began_ = false;
  rtp::Header last_;
  std::uint32_t expected_ = 0;  // timestamp
  int uneven_ = 0;              // packets until the decoder has got over a loss
  std::size_t quiet_ = 0;       // samples without a key since the newest one began
  char newest_ = 0;
  std::array<char, 4> keys_{};  // not taken yet
  std::size_t untaken_ = 0;
};

// The ears for voice that is relayed, of the codecs we know by the talker's payload numbers. Owned by the
// leg; decoders are made when their codec is first heard, after that nothing is allocated per packet.
class RelayedKeys {
 public:
  using Kinds = std::array<std::optional<audio::CodecKind>, 128>;
  explicit RelayedKeys(const Kinds& kinds) : kinds_(kinds) {}

  const Kinds& kinds() const { return kinds_; }
  // `room` is for kMostSamples. Who says more than time allows is not listened to: nobody hears it out
  // either.
  void hear(const rtp::Packet& packet, audio::Samples room, Instant now);
  std::optional<char> next_key();
  bool sounding() const { return current_ != nullptr && current_->ear.sounding(); }

 private:
  struct Ear {
    std::unique_ptr<audio::Decoder> decoder;
    KeyEar ear;
  };

  Kinds kinds_;
  std::array<std::unique_ptr<Ear>, audio::kCodecKinds> ears_;
  Ear* current_ = nullptr;
  Instant said_until_;
};

}  // namespace bw::media
