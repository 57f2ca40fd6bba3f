// What a peer hears that is not a packet of the other side as it came: a stream of our own, of encoded
// samples, tones, key presses, and packets of the other side that had to be fitted in.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "audio/codec.h"
#include "audio/prompt_player.h"
#include "audio/tones.h"
#include "base/time.h"
#include "media/detail/passage.h"
#include "model/prompt.h"
#include "rtp/packet.h"

namespace bw::media {

// One per leg, from its first own packet to its end: sequence numbers must never begin again under the same
// SSRC and key (RFC 3711 §3.3.1). Allocates when codec or rate change.
class Speaker {
 public:
  explicit Speaker(std::uint32_t ssrc) : ssrc_(ssrc) {}

  void set_peer(std::optional<OwnVoice> voice, std::optional<OwnEvents> events);
  bool can_speak() const { return voice_.has_value(); }
  bool has_events() const { return events_.has_value(); }
  // Of the samples that tick() takes: what fits a source of this codec.
  std::uint32_t rate_for(std::optional<audio::CodecKind> source) const;
  void set_rate(std::uint32_t rate);
  std::uint32_t rate() const { return rate_; }

  // The prompt once, then the tone; either may be none.
  void play(std::optional<audio::Sound> tone, std::shared_ptr<const model::Prompt> prompt = nullptr);
  // False: the peer could not hear it.
  bool press(char key, Duration length);
  bool presses() const { return pressed_ != 0; }
  // There is something to say whatever the other side does …
  bool sounds() const { return plays() || presses(); }
  // … and it takes the place of what the other side says.
  bool replaces_voice() const { return plays() || (presses() && !events_); }

  // One RTP packet of 20 ms into `out`, or none. `said` is what the other side said (rate() samples), empty
  // if nothing. `due` is the moment the tick was due.
  std::size_t tick(audio::ConstSamples said, Instant due, std::span<std::uint8_t> out);

  // A packet of the other side becomes one of this stream, in place; losses and order stay visible.
  void fit_in(std::span<std::uint8_t> packet, const rtp::Header& header, const Way& way, Instant now);
  // A packet of the other side that is not to be heard, nor to seem lost.
  void leave_out(const rtp::Header& header);
  // The same as fit_in() for a telephone-event. False: it is older than the presses remembered.
  bool fit_in_event(std::span<std::uint8_t> packet, const rtp::Packet& event, const Way& way, Instant now);

 private:
  struct Press {
    char key = '0';
    Duration length{0};
    Duration passed{0};
    std::uint32_t timestamp = 0;  // of its first packet
    std::uint8_t ends_sent = 0;
  };
  struct Event {  // of the other side
    std::uint32_t theirs = 0;
    std::uint32_t ours = 0;
    bool used = false;
  };

  void begin();
  bool plays() const { return tone_.has_value() || prompt_ != nullptr; }
  std::uint32_t timestamp_at(Instant at, std::uint32_t clock_rate);
  std::size_t write(std::uint8_t payload, std::uint32_t timestamp, bool marker, std::span<std::uint8_t> out,
                    std::size_t payload_bytes);
  std::size_t tick_event(Instant due, std::span<std::uint8_t> out);
  std::size_t tick_voice(audio::ConstSamples said, Instant due, std::span<std::uint8_t> out);
  audio::ConstSamples own_samples(audio::ConstSamples said);
  void next_press();
  void follow(const rtp::Header& header, const Way& way, Instant now);

  static constexpr std::size_t kWaitingKeys = 80;  // a page may press 64 at once

  const std::uint32_t ssrc_;
  std::optional<OwnVoice> voice_;
  std::optional<OwnEvents> events_;
  std::uint32_t rate_ = 0;
  std::unique_ptr<audio::Encoder> encoder_;

  // The stream: a moment and its timestamp, from which the others follow.
  bool began_ = false;
  std::uint16_t next_sequence_ = 0;
  std::uint32_t clock_rate_ = 0;
  std::uint32_t timestamp_ = 0;
  Instant timestamp_at_;
  bool mark_next_ = true;

  // A stream of the other side that is fitted in.
  bool follows_ = false;
  std::uint32_t followed_ = 0;  // its SSRC
  std::uint16_t sequence_offset_ = 0;
  std::uint32_t timestamp_offset_ = 0;
  std::uint32_t last_followed_ = 0;  // its newest timestamp
  std::array<Event, 4> fitted_events_{};
  std::uint32_t event_ssrc_ = 0;
  std::size_t newest_event_ = 0;

  std::shared_ptr<const model::Prompt> prompt_;  // what player_ says
  std::unique_ptr<audio::PromptPlayer> player_;
  std::optional<audio::ToneGenerator> tone_;
  std::optional<audio::Sound> tone_sound_;
  std::array<Press, kWaitingKeys> presses_{};
  std::size_t first_press_ = 0;
  std::size_t pressed_ = 0;
  std::optional<audio::ToneGenerator> key_tone_;
  std::array<std::int16_t, audio::kMostTickSamples> samples_{};
};

}  // namespace bw::media
