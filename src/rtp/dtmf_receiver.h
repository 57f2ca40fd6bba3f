// Key presses from telephone-event packets (RFC 4733 §2.3).
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  |     event     |E|R|  volume   |          duration             |
//
// A press is a run of packets with one RTP timestamp: updates, then an end sent three times. It is reported
// once, at its first end packet; if all of those are lost, when the next press begins or nothing came for
// kSilence. What comes later of a press that was reported is recognised by its timestamp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/core.h"
#include "base/time.h"
#include "rtp/packet.h"

namespace bw::rtp {

struct Digit {
  char key = '0';  // 0-9 * # A-D
  std::uint32_t duration_ms = 0;
};

// Presses that one packet or tick completed: the one before it, and its own.
class Digits {
 public:
  void push(Digit digit) { items_[size_++] = digit; }
  const Digit* begin() const { return items_.data(); }
  const Digit* end() const { return items_.data() + size_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  std::array<Digit, 2> items_{};
  std::size_t size_ = 0;
};

// One per leg, for the payload number of telephone-event. Allocates nothing.
class DtmfReceiver {
 public:
  static constexpr Duration kSilence = 400ms;  // longer than a lost burst of updates, shorter than patience

  explicit DtmfReceiver(std::uint32_t clock_rate) : clock_rate_(clock_rate == 0 ? 8000 : clock_rate) {}

  Digits on_packet(const Header& header, std::span<const std::uint8_t> payload, Instant now);
  Digits on_tick(Instant now);
  Deadline deadline() const;

 private:
  struct Press {
    std::uint32_t first = 0;     // timestamp of the first segment
    std::uint32_t current = 0;   // timestamp of the last segment (long presses: RFC 4733 §2.5.1.3)
    std::uint16_t duration = 0;  // longest seen of the current segment
    std::uint8_t event = 0;
    bool used = false;
    bool reported = false;
    Instant last_packet;
  };
  static constexpr std::size_t kRemembered = 8;

  Press* find(std::uint32_t timestamp);
  bool continues(const Press& press, const Header& header, std::uint8_t event) const;
  Press& begin(std::uint32_t timestamp, std::uint8_t event);
  Press& overtaken(std::uint32_t timestamp, std::uint8_t event, std::uint16_t duration);
  void report(Press& press, Digits& out);

  std::uint32_t clock_rate_;
  std::uint32_t ssrc_ = 0;
  std::array<Press, kRemembered> presses_{};
  std::size_t newest_ = 0;  // index of the press that began last; only that one can be unreported
};

}  // namespace bw::rtp
