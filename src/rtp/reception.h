// What arrived from one source, and how well (RFC 3550 A.1 validity, A.3 loss, A.8 jitter).
#pragma once

#include <bitset>
#include <cstdint>

#include "base/time.h"
#include "rtp/packet.h"
#include "rtp/rtcp.h"

namespace bw::rtp {

// One per SSRC; a new SSRC gets a new one. Differs from the RFC's example on purpose: the first packet counts
// at once (the relay has latched on to its sender already), and a packet that comes twice is known as such,
// so that duplicates do not hide losses.
class Reception {
 public:
  enum class Verdict : std::uint8_t {
    kInOrder,
    kLate,        // older than the newest, not seen before
    kDuplicate,   // seen before
    kOutOfRange,  // a jump too far; twice in a row it is a restart of the sender and is followed
  };

  explicit Reception(std::uint32_t clock_rate) : clock_rate_(clock_rate == 0 ? 8000 : clock_rate) {}

  Verdict on_packet(const Header& header, Instant arrival);
  void on_sender_report(const SenderInfo& info, Instant arrival);

  std::uint64_t received() const { return received_; }  // without duplicates
  std::uint64_t duplicates() const { return duplicates_; }
  std::uint64_t late() const { return late_; }
  std::uint64_t lost() const;  // over all restarts
  // Packets that should have come, over all restarts.
  std::uint64_t expected() const;
  std::uint32_t highest_sequence() const { return cycles_ + highest_; }
  std::uint32_t jitter() const { return jitter_ >> 4U; }  // in ticks
  double jitter_ms() const { return static_cast<double>(jitter_) / 16.0 * 1000.0 / clock_rate_; }

  // The block for our next report; fraction_lost counts from the previous call.
  ReportBlock report(std::uint32_t ssrc, Instant now);

 private:
  void restart(std::uint16_t sequence);
  Verdict place(std::uint16_t sequence);
  Verdict place_late(std::uint16_t distance);
  void measure(std::uint32_t timestamp, Instant arrival);
  std::uint32_t ticks(Instant t) const;
  std::uint64_t expected_now() const;

  static constexpr std::size_t kRemembered = 128;
  static constexpr std::uint32_t kNoBadSequence = 1U << 16U;

  std::uint32_t clock_rate_;
  bool started_ = false;
  std::uint16_t highest_ = 0;
  std::uint32_t cycles_ = 0;  // in the upper half
  std::uint32_t base_ = 0;
  std::uint32_t bad_sequence_ = kNoBadSequence;
  std::bitset<kRemembered> seen_;  // bit n: highest - n came
  std::uint64_t received_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t late_ = 0;
  std::uint64_t expected_before_ = 0;  // of runs that ended with a restart
  std::uint64_t expected_reported_ = 0;
  std::uint64_t received_reported_ = 0;

  bool have_transit_ = false;
  std::uint32_t transit_ = 0;
  std::uint32_t last_timestamp_ = 0;
  std::uint32_t jitter_ = 0;  // times 16

  std::uint32_t last_sr_ = 0;
  Instant last_sr_at_;
};

}  // namespace bw::rtp
