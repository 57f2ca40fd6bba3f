#include "media/detail/speaker.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace bw::media {
namespace {

constexpr std::string_view kKeys = "0123456789*#ABCD";  // RFC 4733 §3.2, by event number
constexpr std::uint8_t kVolume = 10;                    // -10 dBm0
constexpr std::uint8_t kEndFlag = 0x80;
constexpr std::uint8_t kEnds = 3;  // the end of a press is sent so often (RFC 4733 §2.5.1.4)
constexpr Duration kTick = 20ms;
constexpr Duration kLeastPress = 80ms;  // shorter ones are not heard by every machine
constexpr Duration kMostPress = 1s;
constexpr Duration kPause = 80ms;  // between two keys
constexpr std::size_t kEventBytes = 4;
// Where nothing tells what the listener's samples should be: speech.
constexpr std::uint32_t kSpeechRate = 16'000;

std::uint32_t ticks(Duration d, std::uint32_t clock_rate) {
  return static_cast<std::uint32_t>(d.count() * clock_rate / 1'000'000'000);
}

std::uint16_t get16(std::span<const std::uint8_t> b, std::size_t at) {
  return static_cast<std::uint16_t>(b[at] << 8U | b[at + 1]);
}
void put16(std::span<std::uint8_t> b, std::size_t at, std::uint32_t value) {
  b[at] = static_cast<std::uint8_t>(value >> 8U);
  b[at + 1] = static_cast<std::uint8_t>(value);
}

}  // namespace

void Speaker::set_peer(std::optional<OwnVoice> voice, std::optional<OwnEvents> events) {
  if (voice != voice_) encoder_.reset();
  voice_ = std::move(voice);
  events_ = std::move(events);
  set_rate(voice_ && rate_ != 0 ? audio::best_rate(voice_->kind, rate_) : rate_);
}

std::uint32_t Speaker::rate_for(std::optional<audio::CodecKind> source) const {
  const auto source_rate = source ? audio::native_rate(*source) : kSpeechRate;
  return voice_ ? audio::best_rate(voice_->kind, source_rate) : source_rate;
}

void Speaker::set_rate(std::uint32_t rate) {
  if (rate_ == rate) return;
  rate_ = rate;
  encoder_.reset();
  begin();
  if (key_tone_) key_tone_.emplace(audio::sound_of_key(presses_[first_press_].key), rate_);
}

void Speaker::play(std::optional<audio::Sound> tone, std::shared_ptr<const model::Prompt> prompt) {
  tone_sound_ = tone;
  tone_.reset();
  player_.reset();
  prompt_ = std::move(prompt);
  if (!tone && !prompt_) return;
  if (rate_ == 0) return set_rate(rate_for({}));
  begin();
}

// Both from their beginning.
void Speaker::begin() {
  if (tone_sound_) tone_.emplace(*tone_sound_, rate_);
  if (prompt_) player_ = std::make_unique<audio::PromptPlayer>(prompt_->g722(), rate_);
}

bool Speaker::press(char key, Duration length) {
  if ((!events_ && !voice_) || pressed_ == kWaitingKeys || kKeys.find(key) == kKeys.npos) return false;
  if (rate_ == 0) set_rate(rate_for({}));
  presses_[(first_press_ + pressed_++) % kWaitingKeys] = {key, std::clamp(length, kLeastPress, kMostPress)};
  return true;
}

// ---- the stream ----

std::uint32_t Speaker::timestamp_at(Instant at, std::uint32_t clock_rate) {
  if (!began_ || clock_rate != clock_rate_) {
    if (began_) timestamp_ += ticks(std::max(at - timestamp_at_, kTick), clock_rate_);
    began_ = true;
    clock_rate_ = clock_rate;
    timestamp_at_ = at;
  }
  return timestamp_ + ticks(std::max(at - timestamp_at_, Duration{0}), clock_rate);
}

std::size_t Speaker::write(std::uint8_t payload, std::uint32_t timestamp, bool marker,
                           std::span<std::uint8_t> out, std::size_t payload_bytes) {
  rtp::write_header({marker, payload, next_sequence_++, timestamp, ssrc_}, out);
  return rtp::kHeaderBytes + payload_bytes;
}

std::size_t Speaker::tick(audio::ConstSamples said, Instant due, std::span<std::uint8_t> out) {
  if (presses() && events_) return tick_event(due, out);
  return voice_ ? tick_voice(said, due, out) : 0;
}

void Speaker::next_press() {
  first_press_ = (first_press_ + 1) % kWaitingKeys;
  --pressed_;
  key_tone_.reset();
}

std::size_t Speaker::tick_event(Instant due, std::span<std::uint8_t> out) {
  Press& press = presses_[first_press_];
  if (press.ends_sent == kEnds) {
    press.passed += kTick;
    if (press.passed >= press.length + kPause) next_press();
    return 0;
  }
  const bool first = press.passed == Duration{0};
  if (first) press.timestamp = timestamp_at(due, events_->clock_rate);
  if (press.passed < press.length) press.passed += kTick;
  const bool end = press.passed >= press.length;
  if (end) ++press.ends_sent;
  const auto body = out.subspan(rtp::kHeaderBytes, kEventBytes);
  body[0] = static_cast<std::uint8_t>(kKeys.find(press.key));
  body[1] = end ? kEndFlag | kVolume : kVolume;
  put16(body, 2, std::min<std::uint32_t>(ticks(press.passed, events_->clock_rate), 0xffff));
  if (follows_) {
    ++sequence_offset_;  // between two packets of the voice
  } else {
    mark_next_ = true;
  }
  return write(events_->payload, press.timestamp, first, out, kEventBytes);
}

// What is to be heard in this tick; empty: nothing.
audio::ConstSamples Speaker::own_samples(audio::ConstSamples said) {
  const auto own = audio::Samples{samples_}.first(audio::tick_samples(rate_));
  if (presses()) {
    Press& press = presses_[first_press_];
    if (press.passed == Duration{0}) key_tone_.emplace(audio::sound_of_key(press.key), rate_);
    if (press.passed < press.length) {
      key_tone_->fill(own);
    } else {
      std::ranges::fill(own, std::int16_t{0});
    }
    press.passed += kTick;
    if (press.passed >= press.length + kPause) next_press();
    return own;
  }
  if (player_) {
    player_->fill(own);
    if (player_->done()) {
      player_.reset();
      prompt_.reset();
    }
    return own;
  }
  if (tone_) {
    tone_->fill(own);
    return own;
  }
  return said;
}

std::size_t Speaker::tick_voice(audio::ConstSamples said, Instant due, std::span<std::uint8_t> out) {
  const audio::ConstSamples samples = own_samples(said);
  if (samples.empty()) {
    mark_next_ = true;
    return 0;
  }
  if (!encoder_) encoder_ = audio::make_encoder(voice_->kind, rate_, voice_->fmtp);
  if (!encoder_) return 0;
  const std::uint32_t timestamp = timestamp_at(due, audio::rtp_clock(voice_->kind));
  timestamp_ = timestamp;
  timestamp_at_ = due;
  follows_ = false;
  const std::size_t bytes = encoder_->encode(samples, out.subspan(rtp::kHeaderBytes, audio::kMostPayload));
  if (bytes == 0) {  // silence that the listener makes itself
    mark_next_ = true;
    return 0;
  }
  return write(voice_->payload, timestamp, std::exchange(mark_next_, false), out, bytes);
}

// ---- packets of the other side ----

void Speaker::follow(const rtp::Header& header, const Way& way, Instant now) {
  const std::uint32_t clock = way.fate == Way::Fate::kEvent ? way.other_clock_rate : way.clock_rate;
  const auto jump = static_cast<std::int32_t>(header.timestamp - last_followed_);
  const bool same = follows_ && header.ssrc == followed_ && clock == clock_rate_ &&
                    std::abs(std::int64_t{jump}) < std::int64_t{60} * clock;
  if (same) return;
  follows_ = true;
  followed_ = header.ssrc;
  sequence_offset_ = static_cast<std::uint16_t>(next_sequence_ - header.sequence);
  timestamp_offset_ = timestamp_at(std::max(now, timestamp_at_ + kTick), clock) - header.timestamp;
  last_followed_ = header.timestamp;
  mark_next_ = true;
}

void Speaker::fit_in(std::span<std::uint8_t> packet, const rtp::Header& header, const Way& way, Instant now) {
  follow(header, way, now);
  const auto sequence = static_cast<std::uint16_t>(header.sequence + sequence_offset_);
  const std::uint32_t timestamp = header.timestamp + timestamp_offset_;
  rtp::set_payload_type(packet, way.number);
  rtp::set_sequence(packet, sequence);
  rtp::set_timestamp(packet, timestamp);
  rtp::set_ssrc(packet, ssrc_);
  if (std::exchange(mark_next_, false)) rtp::set_marker(packet, true);
  if (static_cast<std::int16_t>(sequence - next_sequence_) < 0) return;
  next_sequence_ = static_cast<std::uint16_t>(sequence + 1);
  last_followed_ = header.timestamp;
  timestamp_ = timestamp;
  timestamp_at_ = now;
}

void Speaker::leave_out(const rtp::Header& header) {
  const auto sequence = static_cast<std::uint16_t>(header.sequence + sequence_offset_);
  const bool late = static_cast<std::int16_t>(sequence - next_sequence_) < 0;
  if (!follows_ || header.ssrc != followed_ || late) return;
  --sequence_offset_;
  last_followed_ = header.timestamp;
  mark_next_ = true;
}

bool Speaker::fit_in_event(std::span<std::uint8_t> packet, const rtp::Packet& event, const Way& way,
                           Instant now) {
  const rtp::Header header = event.header();
  if (std::exchange(event_ssrc_, header.ssrc) != header.ssrc) fitted_events_ = {};
  Event* known = nullptr;
  for (Event& e : fitted_events_) {
    if (e.used && e.theirs == header.timestamp) known = &e;
  }
  if (known == nullptr) {
    const Event& newest = fitted_events_[newest_event_];
    if (newest.used && static_cast<std::int32_t>(header.timestamp - newest.theirs) < 0) return false;
    newest_event_ = (newest_event_ + 1) % fitted_events_.size();
    known = &fitted_events_[newest_event_];
    // Beside a voice that is fitted in with the same clock, the press is at its place in that voice.
    const bool beside = follows_ && header.ssrc == followed_ && way.other_clock_rate == clock_rate_ &&
                        way.clock_rate == way.other_clock_rate;
    *known = {header.timestamp,
              beside ? header.timestamp + timestamp_offset_ : timestamp_at(now, way.other_clock_rate), true};
  }
  rtp::set_payload_type(packet, way.number);
  rtp::set_timestamp(packet, known->ours);
  rtp::set_ssrc(packet, ssrc_);
  if (follows_ && header.ssrc == followed_) {
    const auto sequence = static_cast<std::uint16_t>(header.sequence + sequence_offset_);
    rtp::set_sequence(packet, sequence);
    if (static_cast<std::int16_t>(sequence - next_sequence_) >= 0) {
      next_sequence_ = static_cast<std::uint16_t>(sequence + 1);
    }
  } else {
    rtp::set_sequence(packet, next_sequence_++);
  }
  if (way.clock_rate == way.other_clock_rate || event.payload().size() < kEventBytes) return true;
  const auto body =
      packet.subspan(static_cast<std::size_t>(event.payload().data() - packet.data()), kEventBytes);
  const std::uint64_t duration = std::uint64_t{get16(body, 2)} * way.other_clock_rate / way.clock_rate;
  put16(body, 2, static_cast<std::uint32_t>(std::min<std::uint64_t>(duration, 0xffff)));
  return true;
}

}  // namespace bw::media
