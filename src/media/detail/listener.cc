#include "media/detail/listener.h"

#include <algorithm>
#include <utility>

namespace bw::media {
namespace {

using Step = rtp::JitterBuffer::Step;

constexpr std::uint32_t kMostPacketMs = 120;
constexpr std::size_t kBlendPerSecond = 200;  // 5 ms

std::size_t most_samples(std::uint32_t rate) {
  return rate / 1000 * kMostPacketMs;
}

}  // namespace

Listener::Listener(std::uint32_t rate, bool hears_tones, Workspace& workspace)
    : workspace_(workspace), rate_(rate) {
  if (hears_tones) ear_.emplace(rate);
  waiting_.reserve(most_samples(rate) + audio::tick_samples(rate));
}

Listener::Coder* Listener::coder(audio::CodecKind kind) {
  Coder& c = coders_[static_cast<std::size_t>(kind)];
  if (c.decoder) return &c;
  c.decoder = audio::make_decoder(kind, audio::best_rate(kind, rate_));
  if (!c.decoder) return nullptr;
  if (c.decoder->rate() != rate_) c.resampler.emplace(c.decoder->rate(), rate_);
  return &c;
}

void Listener::on_voice(const rtp::Header& header, std::span<const std::uint8_t> payload, const Way& way,
                        Instant now) {
  const std::uint32_t clock = audio::rtp_clock(way.kind);
  if (!buffer_ || clock != clock_rate_) {
    buffer_.emplace(clock);
    clock_rate_ = clock;
  }
  kinds_[header.payload_type] = way.kind;
  buffer_->push(header, payload, now);
  expects_voice_ = true;
  idle_ = false;
}

std::size_t Listener::samples_of(std::uint32_t ticks, std::uint32_t rate) const {
  return std::min<std::size_t>(std::uint64_t{ticks} * rate / clock_rate_, most_samples(rate));
}

void Listener::add(audio::ConstSamples samples) {
  const std::size_t blend = std::min(std::exchange(carried_, 0), samples.size());
  const std::size_t start = waiting_.size();
  waiting_.insert(waiting_.end(), samples.begin(), samples.end());
  for (std::size_t i = 0; i < blend; ++i) {
    const auto part = static_cast<int>(i + 1);
    const auto whole = static_cast<int>(blend + 1);
    waiting_[start + i] = static_cast<std::int16_t>((samples[i] * part + carry_[i] * (whole - part)) / whole);
  }
}

audio::ConstSamples Listener::at_our_rate(Coder& coder, audio::ConstSamples heard) {
  if (!coder.resampler) return heard;
  const std::size_t count =
      std::min<std::size_t>(heard.size() * rate_ / coder.resampler->from(), workspace_.resampled.size());
  const audio::Samples out = audio::Samples{workspace_.resampled}.first(count);
  coder.resampler->run(heard, out);
  return out;
}

void Listener::append(audio::ConstSamples heard, bool leave_out) {
  if (!leave_out) return add(heard);
  carried_ = std::min({heard.size(), std::size_t{rate_} / kBlendPerSecond, carry_.size()});
  std::ranges::copy(heard.first(carried_), carry_.begin());
}

void Listener::decode(const Step& step) {
  const auto kind = kinds_[step.payload_type];
  Coder* c = kind ? coder(*kind) : nullptr;
  std::size_t count = 0;
  if (c != nullptr) {
    current_ = c;
    const auto room = audio::Samples{workspace_.decoded}.first(most_samples(c->decoder->rate()));
    count = c->decoder->decode(step.payload, room);
    const std::uint32_t rate = c->decoder->rate();
    if (count != 0) {
      buffer_->played(static_cast<std::uint32_t>(std::uint64_t{count} * clock_rate_ / rate));
      const audio::ConstSamples heard = at_our_rate(*c, room.first(count));
      if (ear_) ear_->hear(step.header, *kind, heard);
      append(heard, step.surplus);
      if (step.surplus) buffer_->left_out();
      return;
    }
  }
  // Nonsense is as good as lost.
  fill_gap({.kind = Step::Kind::kGap, .ticks = clock_rate_ / 1000 * audio::kTickMs});
}

void Listener::fill_gap(const Step& step) {
  buffer_->played(step.ticks);
  if (current_ == nullptr) return;
  const std::size_t count = samples_of(step.ticks, current_->decoder->rate());
  if (step.payload.empty()) return conceal(count);
  const auto said = audio::Samples{workspace_.decoded}.first(count);
  current_->decoder->recover(step.payload, said);
  append(at_our_rate(*current_, said), false);
}

void Listener::conceal(std::size_t count) {
  const auto made_up = audio::Samples{workspace_.decoded}.first(count);
  current_->decoder->conceal(made_up);
  append(at_our_rate(*current_, made_up), false);
}

bool Listener::more(Instant now) {
  if (!buffer_) return false;
  const Step step = buffer_->next(now);
  switch (step.kind) {
    case Step::Kind::kNothing:
      return false;
    case Step::Kind::kEmpty:
      if (!expects_voice_ || current_ == nullptr) return false;
      conceal(audio::tick_samples(current_->decoder->rate()));
      return true;
    case Step::Kind::kGap:
      fill_gap(step);
      return true;
    case Step::Kind::kPacket:
      decode(step);
      return true;
  }
  return false;
}

Listener::Heard Listener::tick(audio::Samples out, Instant now) {
  if (taken_ > 0) {
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(taken_));
    taken_ = 0;
  }
  while (waiting_.size() < out.size() && more(now)) {
  }
  Heard heard;
  if (waiting_.empty()) {
    idle_ = !buffer_ || buffer_->held() == Duration{0};
    return heard;
  }
  heard.sound = true;
  taken_ = std::min(out.size(), waiting_.size());
  std::copy_n(waiting_.begin(), taken_, out.begin());
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(taken_), out.end(), std::int16_t{0});
  if (ear_) {
    heard.key = ear_->next_key();
    heard.key_sounds = ear_->sounding();
  }
  return heard;
}

}  // namespace bw::media
