// What becomes of the packets of one peer on their way to the other, by payload number.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "audio/codec.h"
#include "media/detail/key_ear.h"
#include "ports/media.h"

namespace bw::media {

struct Way {
  enum class Fate : std::uint8_t {
    kDrop,
    kRelay,   // the other peer takes the same codec
    kDecode,  // it does not: heard and said again
    kEvent,   // telephone-event, its clock translated where the other's differs
    kKey,     // telephone-event, and the other peer takes none: a tone, or whatever the exchange can do
  };
  Fate fate = Fate::kDrop;
  std::uint8_t number = 0;                          // of the other peer, for kRelay and kEvent
  audio::CodecKind kind = audio::CodecKind::kPcmu;  // for kDecode
  std::uint32_t clock_rate = 8'000;                 // of what comes …
  std::uint32_t other_clock_rate = 8'000;           // … and of what goes
};

struct Passage {
  enum class Kind : std::uint8_t {
    kAsIs,        // nothing is looked at
    kRenumbered,  // the same packets under other payload numbers
    kOwnStream,   // what the other peer gets is a stream of our own
  };
  Kind kind = Kind::kAsIs;
  std::array<Way, 128> ways{};
  std::optional<audio::CodecKind> decodes{};  // the first codec of kDecode
  // The peer has no telephone-event: its keys may be tones in what is decoded …
  bool hears_tones = false;
  // … and, by payload number, in what is relayed to a peer that has.
  RelayedKeys::Kinds relayed_voice{};
  bool hears_relayed_tones = false;
};

bool is_telephone_event(const PayloadFormat& format);

// `from` is whose packets they are, `to` who gets them.
Passage plan_passage(const PayloadMap& from, const PayloadMap& to);

// What we say to a peer by ourselves.
struct OwnVoice {
  audio::CodecKind kind = audio::CodecKind::kPcmu;
  std::uint8_t payload = 0;
  std::string fmtp;
  friend bool operator==(const OwnVoice&, const OwnVoice&) = default;
};
struct OwnEvents {  // telephone-event
  std::uint8_t payload = 101;
  std::uint32_t clock_rate = 8'000;
  friend bool operator==(const OwnEvents&, const OwnEvents&) = default;
};
// The first codec of the peer that we can speak, and its events, of the voice's clock if there are such.
std::optional<OwnVoice> own_voice(const PayloadMap& to);
std::optional<OwnEvents> own_events(const PayloadMap& to);

}  // namespace bw::media
