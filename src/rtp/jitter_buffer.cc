#include "rtp/jitter_buffer.h"

#include <algorithm>

namespace bw::rtp {
namespace {

// A sequence number or timestamp this far from the last one belongs to a sender that started again.
constexpr int kSequenceJump = 1'000;
constexpr Duration kTimestampJump = 10s;
constexpr std::uint32_t kDecayEach = 64;     // packets …
constexpr std::uint32_t kLatePerMille = 20;  // … and how many of a thousand may come too late
constexpr std::uint32_t kJudgeOver = 50;     // packets with too much held before one is left out
constexpr Duration kTick = 20ms;

std::int32_t distance(std::uint32_t from, std::uint32_t to) {
  return static_cast<std::int32_t>(to - from);
}
std::int16_t distance(std::uint16_t from, std::uint16_t to) {
  return static_cast<std::int16_t>(to - from);
}

}  // namespace

// ---- how late ----

void DelayEstimate::on_packet(std::uint32_t timestamp, Instant now) {
  if (!started_) {
    started_ = true;
    last_timestamp_ = timestamp;
    sent_ticks_ = 0;
    began_ = bucket_began_ = now;
    earliest_ = earliest_before_ = Duration{0};
  }
  sent_ticks_ += distance(last_timestamp_, timestamp);
  last_timestamp_ = timestamp;
  const Duration transit = now - began_ - Duration{sent_ticks_ * 1'000'000'000 / clock_rate_};
  if (now - bucket_began_ > kBaseline) {
    earliest_before_ = earliest_;
    earliest_ = transit;
    bucket_began_ = now;
  }
  earliest_ = std::min(earliest_, transit);
  count(transit - std::min(earliest_, earliest_before_));
}

void DelayEstimate::count(Duration late) {
  constexpr std::uint32_t kWeight = 256;
  const auto bin = std::min<std::size_t>(static_cast<std::size_t>(late / kBin), kBins - 1);
  late_[bin] += kWeight;
  total_ += kWeight;
  if (++until_decay_ >= kDecayEach) {
    until_decay_ = 0;
    total_ = 0;
    for (std::uint32_t& n : late_) {
      n -= n / 8;
      total_ += n;
    }
  }
  std::uint32_t beyond = total_;
  for (std::size_t i = 0; i < kBins; ++i) {
    beyond -= late_[i];
    if (std::uint64_t{beyond} * 1000 <= std::uint64_t{total_} * kLatePerMille) {
      wanted_ = kBin * static_cast<std::int64_t>(i + 1);
      return;
    }
  }
}

// ---- in ----

JitterBuffer::JitterBuffer(std::uint32_t clock_rate, JitterLimits limits)
    : limits_(limits),
      clock_rate_(clock_rate == 0 ? 8'000 : clock_rate),
      estimate_(clock_rate_),
      slots_(std::max<std::size_t>(limits.packets, 2)) {}

void JitterBuffer::begin(const Header& header, Instant now) {
  for (Slot& s : slots_) s.used = false;
  used_ = 0;
  known_ = true;
  playing_ = false;
  ssrc_ = header.ssrc;
  next_sequence_ = newest_sequence_ = header.sequence;
  next_timestamp_ = newest_timestamp_ = header.timestamp;
  gathering_since_ = now;
  idle_ = 0;
  judged_ = 0;
  estimate_.restart();
}

bool JitterBuffer::fits(const Header& header) const {
  if (!known_ || header.ssrc != ssrc_) return false;
  if (std::abs(distance(newest_sequence_, header.sequence)) > kSequenceJump) return false;
  return std::abs(std::int64_t{distance(newest_timestamp_, header.timestamp)}) <= ticks(kTimestampJump);
}

void JitterBuffer::drop_to(std::uint16_t sequence) {
  while (next_sequence_ != sequence) {
    Slot& s = slot(next_sequence_);
    if (s.used && s.sequence == next_sequence_) {
      s.used = false;
      --used_;
    }
    ++next_sequence_;
  }
}

// False: the packet comes too late to be heard.
bool JitterBuffer::make_room(const Header& header) {
  const auto most = static_cast<int>(slots_.size());
  const int ahead = distance(next_sequence_, header.sequence);
  if (ahead < 0) {
    // Overtaken before anything was heard: it becomes the first.
    if (playing_ || distance(header.sequence, newest_sequence_) >= most) return false;
    next_sequence_ = header.sequence;
  } else if (ahead >= most) {
    drop_to(static_cast<std::uint16_t>(header.sequence - most + 1));
  }
  return true;
}

void JitterBuffer::store(const Header& header, std::span<const std::uint8_t> payload) {
  Slot& s = slot(header.sequence);
  if (s.used) return;  // came twice
  s.used = true;
  s.payload_type = header.payload_type;
  s.sequence = header.sequence;
  s.timestamp = header.timestamp;
  const auto kept = payload.first(std::min(payload.size(), limits_.payload));
  s.payload.assign(kept.begin(), kept.end());
  ++used_;
}

void JitterBuffer::push(const Header& header, std::span<const std::uint8_t> payload, Instant now) {
  if (!fits(header)) {
    begin(header, now);
  } else if (!playing_ && used_ == 0) {  // after a long silence
    next_sequence_ = header.sequence;
    gathering_since_ = now;
  }
  estimate_.on_packet(header.timestamp, now);
  if (!make_room(header)) {
    ++late_;
    return;
  }
  store(header, payload);
  if (distance(newest_sequence_, header.sequence) >= 0) {
    newest_sequence_ = header.sequence;
    newest_timestamp_ = header.timestamp;
  }
}

// ---- out ----

Duration JitterBuffer::delay() const {
  return std::clamp(estimate_.wanted(), limits_.least_delay, limits_.most_delay);
}

Duration JitterBuffer::held() const {
  if (used_ == 0) return Duration{0};
  const std::uint32_t from = playing_ ? next_timestamp_ : first_from(next_sequence_)->timestamp;
  return duration(std::max(distance(from, newest_timestamp_), 0)) + kTick;
}

const JitterBuffer::Slot* JitterBuffer::first_from(std::uint16_t sequence) const {
  if (used_ == 0) return nullptr;
  for (std::size_t i = 0; i < slots_.size(); ++i, ++sequence) {
    const Slot& s = slots_[sequence % slots_.size()];
    if (s.used && s.sequence == sequence) return &s;
  }
  return nullptr;
}

bool JitterBuffer::ready(Instant now) const {
  return used_ != 0 && (now - gathering_since_ >= delay() || held() >= delay() + kTick);
}

JitterBuffer::Step JitterBuffer::empty() {
  idle_ += ticks(kTick);
  if (duration(idle_) > limits_.dry_after) {
    playing_ = false;
    idle_ = 0;
  }
  return {.kind = Step::Kind::kEmpty};
}

// What is missing before `later`, one packet of it at a time; what was concealed while nothing was there
// counts as heard.
JitterBuffer::Step JitterBuffer::gap(const Slot& later) {
  const int packets = std::max<int>(distance(next_sequence_, later.sequence), 1);
  const std::int64_t silence = distance(next_timestamp_, later.timestamp);
  if (silence > ticks(limits_.longest_silence) || silence < -ticks(limits_.longest_silence)) {
    next_timestamp_ = later.timestamp;  // not waited for
  }
  const std::int64_t missing = std::max(distance(next_timestamp_, later.timestamp), 0);
  const std::int64_t made_up = std::min(missing, idle_);
  next_timestamp_ += static_cast<std::uint32_t>(made_up);
  idle_ -= made_up;
  const std::int64_t rest = missing - made_up;
  Step step{.kind = Step::Kind::kGap, .payload_type = later.payload_type};
  if (later.sequence != next_sequence_) {
    if (packets == 1) step.payload = later.payload;
    ++next_sequence_;
    ++lost_;
    step.ticks = static_cast<std::uint32_t>(std::min(rest / packets, ticks(6 * kTick)));
  } else {
    step.ticks = static_cast<std::uint32_t>(std::min(rest, ticks(kTick)));
  }
  return step;
}

void JitterBuffer::judge_surplus(Step& step) {
  const std::int64_t beyond = distance(next_timestamp_, newest_timestamp_);
  least_held_ = judged_ == 0 ? beyond : std::min(least_held_, beyond);
  if (++judged_ < kJudgeOver) return;
  step.surplus = least_held_ > ticks(delay() + kTick);
  if (!step.surplus) judged_ = 0;
}

void JitterBuffer::left_out() {
  judged_ = 0;
}

JitterBuffer::Step JitterBuffer::packet(Slot& due) {
  due.used = false;
  --used_;
  ++next_sequence_;
  idle_ = 0;
  next_timestamp_ = due.timestamp;
  Step step{.kind = Step::Kind::kPacket,
            .payload_type = due.payload_type,
            .header = {false, due.payload_type, due.sequence, due.timestamp, ssrc_},
            .payload = due.payload};
  judge_surplus(step);
  return step;
}

JitterBuffer::Step JitterBuffer::next(Instant now) {
  if (!playing_) {
    if (!ready(now)) return {};
    const Slot* first = first_from(next_sequence_);
    playing_ = true;
    next_sequence_ = first->sequence;
    next_timestamp_ = first->timestamp;
    judged_ = 0;
  }
  // Each turn leaves a lost packet behind that takes no time any more.
  for (std::size_t turn = 0; turn <= slots_.size(); ++turn) {
    const Slot* first = first_from(next_sequence_);
    if (first == nullptr) return empty();
    const bool due = first->sequence == next_sequence_;
    if (due && distance(next_timestamp_, first->timestamp) <= 0) break;
    const Step step = gap(*first);
    if (step.ticks > 0) return step;
    if (due) break;
  }
  return packet(slot(next_sequence_));
}

}  // namespace bw::rtp
