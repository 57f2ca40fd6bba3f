#include "rtp/reception.h"

#include <algorithm>

namespace bw::rtp {
namespace {

// RFC 3550 A.1.
constexpr std::uint16_t kMaxDropout = 3000;
constexpr std::uint16_t kMaxMisorder = 100;

}  // namespace

Reception::Verdict Reception::on_packet(const Header& header, Instant arrival) {
  const Verdict verdict = place(header.sequence);
  switch (verdict) {
    case Verdict::kDuplicate:
      ++duplicates_;
      return verdict;
    case Verdict::kOutOfRange:
      return verdict;
    case Verdict::kLate:
      ++late_;
      break;
    case Verdict::kInOrder:
      break;
  }
  ++received_;
  measure(header.timestamp, arrival);
  return verdict;
}

void Reception::restart(std::uint16_t sequence) {
  if (started_) expected_before_ += expected_now();
  started_ = true;
  base_ = sequence;
  highest_ = sequence;
  cycles_ = 0;
  bad_sequence_ = kNoBadSequence;
  seen_.reset();
  seen_.set(0);
  have_transit_ = false;
}

Reception::Verdict Reception::place(std::uint16_t sequence) {
  if (!started_) {
    restart(sequence);
    return Verdict::kInOrder;
  }
  const auto ahead = static_cast<std::uint16_t>(sequence - highest_);
  if (ahead == 0) return Verdict::kDuplicate;
  if (ahead < kMaxDropout) {
    if (sequence < highest_) cycles_ += 1U << 16U;
    highest_ = sequence;
    bad_sequence_ = kNoBadSequence;
    seen_ = ahead < kRemembered ? seen_ << ahead : std::bitset<kRemembered>{};
    seen_.set(0);
    return Verdict::kInOrder;
  }
  const auto behind = static_cast<std::uint16_t>(highest_ - sequence);
  if (behind <= kMaxMisorder) return place_late(behind);
  if (bad_sequence_ == sequence) {
    restart(sequence);
    return Verdict::kInOrder;
  }
  bad_sequence_ = static_cast<std::uint16_t>(sequence + 1);
  return Verdict::kOutOfRange;
}

Reception::Verdict Reception::place_late(std::uint16_t distance) {
  static_assert(kMaxMisorder < kRemembered);
  if (seen_[distance]) return Verdict::kDuplicate;
  seen_.set(distance);
  // The stream began with a packet that had overtaken this one.
  const std::uint32_t extended = cycles_ + highest_ - distance;
  if (static_cast<std::int32_t>(extended - base_) < 0) base_ = extended;
  return Verdict::kLate;
}

std::uint32_t Reception::ticks(Instant t) const {
  const auto ns = static_cast<std::uint64_t>(t.since_epoch().count());
  return static_cast<std::uint32_t>(ns / 1'000'000'000 * clock_rate_ +
                                    ns % 1'000'000'000 * clock_rate_ / 1'000'000'000);
}

void Reception::measure(std::uint32_t timestamp, Instant arrival) {
  // Packets of one telephone-event share a timestamp and would look ever later (RFC 4733 §2.5.1.2).
  if (have_transit_ && timestamp == last_timestamp_) return;
  const std::uint32_t transit = ticks(arrival) - timestamp;
  const auto change = static_cast<std::int32_t>(transit - transit_);
  const bool measurable = have_transit_;
  have_transit_ = true;
  transit_ = transit;
  last_timestamp_ = timestamp;
  if (!measurable) return;
  const std::uint32_t d =
      change < 0 ? 0U - static_cast<std::uint32_t>(change) : static_cast<std::uint32_t>(change);
  // A leap of seconds is a sender whose clock stood still (hold) or began anew, not the network.
  if (d > 2 * std::uint64_t{clock_rate_}) return;
  jitter_ += d - ((jitter_ + 8) >> 4U);
}

void Reception::on_sender_report(const SenderInfo& info, Instant arrival) {
  last_sr_ = info.ntp.middle();
  last_sr_at_ = arrival;
}

std::uint64_t Reception::expected_now() const {
  return started_ ? std::uint64_t{cycles_ + highest_ - base_} + 1 : 0;
}

std::uint64_t Reception::expected() const {
  return expected_before_ + expected_now();
}

std::uint64_t Reception::lost() const {
  const std::uint64_t e = expected();
  return e > received_ ? e - received_ : 0;
}

ReportBlock Reception::report(std::uint32_t ssrc, Instant now) {
  ReportBlock out;
  out.ssrc = ssrc;
  const std::uint64_t e = expected();
  const std::uint64_t expected_here = e - expected_reported_;
  const std::uint64_t received_here = received_ - received_reported_;
  expected_reported_ = e;
  received_reported_ = received_;
  if (expected_here > received_here) {
    const std::uint64_t fraction = (expected_here - received_here) * 256 / expected_here;
    out.fraction_lost = static_cast<std::uint8_t>(std::min<std::uint64_t>(fraction, 255));
  }
  out.lost = static_cast<std::int32_t>(std::min<std::uint64_t>(lost(), 0x7f'ffff));
  out.highest_sequence = highest_sequence();
  out.jitter = jitter();
  out.last_sr = last_sr_;
  if (last_sr_ != 0 && now > last_sr_at_) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - last_sr_at_).count();
    out.delay_since_sr = static_cast<std::uint32_t>(std::min<std::int64_t>(ms, 3'600'000) * 65'536 / 1000);
  }
  return out;
}

}  // namespace bw::rtp
