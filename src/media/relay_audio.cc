// The part of the relay (relay.h) that makes audio: which passages need it, and its 20 ms beat.
#include <algorithm>
#include <utility>

#include "audio/tones.h"
#include "media/detail/audio_desk.h"
#include "media/detail/leg.h"
#include "media/relay.h"
#include "rtp/dtmf_receiver.h"

namespace bw::media {
namespace {

constexpr Duration kBeat = 20ms;
constexpr Duration kHeardKey = 160ms;  // a tone is told when it begins; its length is not known then
constexpr Duration kTellBehindEach = 10s;

// Distinct for the legs of a process; unlike what phones draw only by chance.
std::uint32_t ssrc_of(MediaLegId leg) {
  std::uint64_t x = leg.value + 0x9e37'79b9'7f4a'7c15;
  x = (x ^ x >> 30U) * 0xbf58'476d'1ce4'e5b9;
  x = (x ^ x >> 27U) * 0x94d0'49bb'1331'11eb;
  return static_cast<std::uint32_t>(x ^ x >> 31U);
}

Speaker& speaker_of(Leg& leg) {
  if (!leg.audio().speaker) leg.audio().speaker = std::make_unique<Speaker>(ssrc_of(leg.id));
  leg.audio().speaker->set_peer(own_voice(leg.audio().payloads), own_events(leg.audio().payloads));
  return *leg.audio().speaker;
}

Event heard_key(const Leg& talker, char key) {
  const auto length = std::chrono::duration_cast<std::chrono::milliseconds>(kHeardKey).count();
  return DigitPressed{talker.id, key, static_cast<std::uint32_t>(length)};
}

std::optional<audio::Sound> sound_of(const Play& command) {
  switch (command.tone) {
    case Tone::kNone:
      return std::nullopt;
    case Tone::kRingBack:
      return audio::sound_of(audio::Tone::kRingBack, command.region);
    case Tone::kBusy:
      return audio::sound_of(audio::Tone::kBusy, command.region);
    case Tone::kCongestion:
      return audio::sound_of(audio::Tone::kCongestion, command.region);
  }
  return std::nullopt;
}

}  // namespace

// How packets of `from` reach its partner; again whenever either of them, or what it takes, changes.
void Relay::plan(Leg& from, Instant) {
  Leg* to = from.partner();
  from.audio().keys_unheard = false;
  if (to == nullptr) {
    from.audio().mixes = false;
    from.audio().keys.reset();
    from.passage.reset();
    from.audio().listener.reset();
    return;
  }
  if (to->audio().speaker) speaker_of(*to).play({});
  Passage planned = plan_passage(from.audio().payloads, to->audio().payloads);
  from.audio().keys_unheard =
      std::ranges::any_of(planned.ways, [](const Way& w) { return w.fate == Way::Fate::kKey; });
  if (!planned.hears_relayed_tones) {
    from.audio().keys.reset();
  } else if (!from.audio().keys || from.audio().keys->kinds() != planned.relayed_voice) {
    from.audio().keys = std::make_unique<RelayedKeys>(planned.relayed_voice);
  }
  const bool known = !from.audio().payloads.receive.empty() && !to->audio().payloads.send.empty();
  if (to->audio().mixes && known) planned.kind = Passage::Kind::kOwnStream;
  if (planned.kind == Passage::Kind::kAsIs) {
    from.passage.reset();
    from.audio().listener.reset();
    return;
  }
  if (planned.kind == Passage::Kind::kOwnStream) {
    Speaker& speaker = speaker_of(*to);
    speaker.set_rate(speaker.rate_for(planned.decodes));
  }
  if (!planned.decodes) {
    from.audio().listener.reset();
  } else if (const std::uint32_t rate = to->audio().speaker->rate();
             !from.audio().listener || from.audio().listener->rate() != rate ||
             from.audio().listener->hears_tones() != planned.hears_tones) {
    from.audio().listener = std::make_unique<Listener>(rate, planned.hears_tones, audio_->workspace);
  }
  from.passage = std::make_unique<Passage>(std::move(planned));
}

void Relay::carry(Leg& leg, InPacket& packet, const rtp::Packet& received, Instant now, OutBatch& out) {
  Leg& to = *leg.partner();
  const rtp::Header header = received.header();
  const Way& way = leg.passage->ways[header.payload_type];
  const bool own = leg.passage->kind == Passage::Kind::kOwnStream;
  const std::span<std::uint8_t> bytes = packet.buffer.first(packet.size);
  switch (way.fate) {
    case Way::Fate::kDrop:
      ++counters_.untranslated;
      return;
    case Way::Fate::kKey:  // tell_digits() passes it on
      if (leg.audio().listener) leg.audio().listener->on_other();
      return;
    case Way::Fate::kDecode:
      leg.audio().listener->on_voice(header, received.payload(), way, now);
      let_sound(to, now);
      return;
    case Way::Fate::kRelay:
      if (leg.audio().listener) leg.audio().listener->on_other();
      if (!own) {
        rtp::set_payload_type(bytes, way.number);
        break;
      }
      if (to.audio().speaker->replaces_voice()) return;
      if (leg.audio().keys && leg.audio().keys->sounding()) return to.audio().speaker->leave_out(header);
      to.audio().speaker->fit_in(bytes, header, way, now);
      break;
    case Way::Fate::kEvent:
      if (leg.audio().listener) leg.audio().listener->on_other();
      if (!own) {
        rtp::set_payload_type(bytes, way.number);
      } else if (!to.audio().speaker->fit_in_event(bytes, received, way, now)) {
        return;
      }
      break;
  }
  if (const auto changed = rtp::Packet::parse(bytes)) to.send_rtp(packet, changed->header(), now, out);
}

// False: the exchange has to tell the partner's peer in another way.
bool Relay::pass_digit(Leg& leg, const rtp::Digit& digit, Instant now) {
  Leg* to = leg.partner();
  if (to == nullptr || !leg.audio().keys_unheard) return true;
  if (!speaker_of(*to).press(digit.key, std::chrono::milliseconds{digit.duration_ms})) return false;
  let_sound(*to, now);
  return true;
}

void Relay::on(const SendDigit& command, Instant now) {
  Leg* leg = find(command.leg);
  if (leg != nullptr) press(*leg, command.digit, std::chrono::milliseconds{command.duration_ms}, now);
}

void Relay::press(Leg& leg, char key, Duration length, Instant now) {
  if (!speaker_of(leg).press(key, length)) return;
  // Voice and keys are one stream to a phone: from now on the partner's packets are fitted into ours.
  if (!leg.audio().mixes && leg.partner() != nullptr) {
    leg.audio().mixes = true;
    plan(*leg.partner(), now);
  }
  let_sound(leg, now);
}

// For keys that are tones in what is relayed.
void Relay::listen(Leg& leg, const rtp::Packet& received, Instant now) {
  leg.audio().keys->hear(received, audio_->workspace.decoded, now);
  const auto key = leg.audio().keys->next_key();
  if (!key) return;
  events_.push_back(heard_key(leg, *key));
  press(*leg.partner(), *key, kHeardKey, now);
}

void Relay::on(const Play& command, Instant now) {
  Leg* leg = find(command.leg);
  if (leg == nullptr || leg->partner() != nullptr || leg->echoes()) return;
  speaker_of(*leg).play(sound_of(command), command.prompt);
  if (leg->audio().speaker->sounds()) let_sound(*leg, now);
}

// ---- the beat ----

void Relay::let_sound(Leg& leg, Instant now) {
  if (leg.audio().sounding) return;
  leg.audio().sounding = true;
  audio_->sounding.push_back(leg.id);
  if (alarms_.is_armed(audio_->alarm) || audio_->beat) return;
  audio_->due = now + kBeat;
  alarms_.arm(audio_->alarm, audio_->due, {Alarm::Kind::kAudio, {}, 0});
}

void Relay::audio_due(Instant now) {
  AudioDesk& desk = *audio_;
  desk.beat = true;
  desk.written = 0;
  const Duration behind = now - desk.due;
  if (behind < limits_.catch_up) return;
  counters_.ticks_cut += static_cast<std::uint64_t>(behind / kBeat);
  desk.due = now;
  if (now - desk.behind_told < kTellBehindEach) return;
  desk.behind_told = now;
  events_.emplace_back(LoopBehind{loop_, behind});
}

bool Relay::write_audio(Instant now, OutBatch& out) {
  AudioDesk& desk = *audio_;
  if (!desk.beat) return false;
  for (auto& buffer : desk.buffers) {
    if (desk.written >= desk.sounding.size()) break;
    Leg* leg = find(desk.sounding[desk.written]);
    if (leg != nullptr && speak(*leg, buffer.bytes, now, out)) {
      ++desk.written;
      continue;
    }
    if (leg != nullptr) leg->audio().sounding = false;
    desk.sounding[desk.written] = desk.sounding.back();
    desk.sounding.pop_back();
  }
  if (desk.written < desk.sounding.size()) return true;
  desk.beat = false;
  if (!desk.sounding.empty()) {
    desk.due = desk.due + kBeat;  // not `now`: what is late is caught up with
    alarms_.arm(desk.alarm, desk.due, {Alarm::Kind::kAudio, {}, 0});
  }
  return false;
}

// One beat of what the leg's peer hears. False: there is no more.
bool Relay::speak(Leg& leg, std::span<std::uint8_t> buffer, Instant now, OutBatch& out) {
  if (leg.audio().speaker == nullptr) return false;
  Leg* from = leg.partner();
  Listener* listener = from == nullptr ? nullptr : from->audio().listener.get();
  Listener::Heard heard;
  const auto samples =
      audio::Samples{audio_->samples}.first(audio::tick_samples(leg.audio().speaker->rate()));
  if (listener != nullptr && listener->rate() == leg.audio().speaker->rate())
    heard = listener->tick(samples, now);
  if (heard.key) {
    // Without events the peer hears the tone itself.
    if (leg.audio().speaker->has_events()) leg.audio().speaker->press(*heard.key, kHeardKey);
    events_.push_back(heard_key(*from, *heard.key));
  }
  if (heard.key_sounds && leg.audio().speaker->has_events()) heard.sound = false;
  const std::size_t size =
      leg.audio().speaker->tick(heard.sound ? samples : audio::Samples{}, audio_->due, buffer);
  if (size != 0) {
    InPacket packet{.from = {}, .local_port = leg.port, .buffer = buffer, .size = size};
    if (const auto made = rtp::Packet::parse(buffer.first(size)))
      leg.send_rtp(packet, made->header(), now, out);
  }
  return leg.audio().speaker->sounds() || (listener != nullptr && !listener->idle());
}

}  // namespace bw::media
