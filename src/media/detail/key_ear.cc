#include "media/detail/key_ear.h"

#include <algorithm>

#include "base/time.h"

namespace bw::media {
namespace {

// A press is hardly longer than what is missing: who still sounds afterwards has pressed again.
constexpr Duration kMostLost = 100ms;
// Enough for the detector to know that nothing sounds.
constexpr std::uint32_t kPauseTicks = 3;
constexpr Duration kMostHeldBack = 5s;  // by the network, and then comes at once
constexpr int kSequenceJump = 1'000;    // a sender that started again

// What a packet sounds like depends on those before it: after a loss it is not what was said for some
// packets, and not quite for some more.
constexpr int kUnsettled = 2;
constexpr int kUneven = 8;
constexpr std::uint32_t kShortestPause = 20;  // of a second: less of it is a fault of the decoder
bool remembers(audio::CodecKind kind) {
  return kind != audio::CodecKind::kPcmu && kind != audio::CodecKind::kPcma;
}

}  // namespace

KeyEar::Before KeyEar::what_is_before(const rtp::Header& header, std::uint32_t clock_rate) const {
  if (!began_) return Before::kNothing;
  const auto step = static_cast<std::int16_t>(header.sequence - last_.sequence);
  if (header.ssrc != last_.ssrc || std::abs(int{step}) > kSequenceJump) return Before::kPause;
  if (step <= 0) return Before::kLate;
  const std::int64_t missing = static_cast<std::int32_t>(header.timestamp - expected_);
  const Duration silent{missing * 1'000'000'000 / clock_rate};
  if (step == 1) return silent < 20ms ? Before::kNothing : Before::kPause;
  return silent <= kMostLost ? Before::kLoss : Before::kPause;
}

void KeyEar::pause() {
  static constexpr std::array<std::int16_t, audio::kMostTickSamples> kSilence{};
  const auto tick = audio::ConstSamples{kSilence}.first(audio::tick_samples(rate_));
  for (std::uint32_t i = 0; i < kPauseTicks; ++i) detector_.hear(tick);
  quiet_ += kPauseTicks * tick.size();
}

void KeyEar::hear_keys(audio::ConstSamples said) {
  detector_.hear(said);
  if (!detector_.sounding()) quiet_ += said.size();
  while (const auto key = detector_.next_key()) {
    const bool goes_on = *key == newest_ && quiet_ < rate_ / kShortestPause;
    if (!(goes_on && uneven_ > 0) && untaken_ < keys_.size()) keys_[untaken_++] = *key;
    newest_ = *key;
    quiet_ = 0;
  }
}

std::optional<char> KeyEar::next_key() {
  if (untaken_ == 0) return std::nullopt;
  const char key = keys_[0];
  std::copy(keys_.begin() + 1, keys_.end(), keys_.begin());
  --untaken_;
  return key;
}

void KeyEar::hear(const rtp::Header& header, audio::CodecKind kind, audio::ConstSamples said) {
  const std::uint32_t clock_rate = audio::rtp_clock(kind);
  switch (what_is_before(header, clock_rate)) {
    case Before::kLate:
      return;
    case Before::kLoss:
      detector_.missed();
      uneven_ = remembers(kind) ? kUneven : 0;
      break;
    case Before::kPause:
      pause();
      break;
    case Before::kNothing:
      break;
  }
  if (uneven_ > kUneven - kUnsettled) {
    detector_.missed();
  } else {
    hear_keys(said);
  }
  if (uneven_ > 0) --uneven_;
  began_ = true;
  last_ = header;
  expected_ = header.timestamp + static_cast<std::uint32_t>(std::uint64_t{said.size()} * clock_rate / rate_);
}

void RelayedKeys::hear(const rtp::Packet& packet, audio::Samples room, Instant now) {
  const rtp::Header header = packet.header();
  const auto kind = kinds_[header.payload_type];
  if (!kind || said_until_ - now > kMostHeldBack) return;
  auto& ear = ears_[static_cast<std::size_t>(*kind)];
  if (!ear) {
    const std::uint32_t rate = audio::best_rate(*kind, 8'000);  // the tones are below 2 kHz
    ear = std::make_unique<Ear>(audio::make_decoder(*kind, rate), KeyEar{rate});
  }
  current_ = ear.get();
  if (!ear->decoder) return;
  const std::size_t count = ear->decoder->decode(packet.payload(), room);
  if (count == 0) return;
  said_until_ = std::max(said_until_, now) +
                Duration{std::int64_t{1'000'000'000} * std::ssize(room.first(count)) / ear->decoder->rate()};
  ear->ear.hear(header, *kind, room.first(count));
}

std::optional<char> RelayedKeys::next_key() {
  return current_ == nullptr ? std::nullopt : current_->ear.next_key();
}

}  // namespace bw::media
