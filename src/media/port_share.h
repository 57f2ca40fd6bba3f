// Which ports of the RTP range belong to one media loop: every n-th pair, so that loops never meet.
#pragma once

#include <cstdint>
#include <optional>

#include "ports/media.h"

namespace bw::media {

struct PortRange {
  std::uint16_t first = 10'000;  // an odd one is rounded up: RTP ports are even (RFC 3550 §11)
  std::uint16_t last = 20'000;

  friend bool operator==(const PortRange&, const PortRange&) = default;
};

// Hands out each pair of the share once, in rising order. Owned by the driver that opens the sockets.
class PortShare {
 public:
  PortShare(PortRange range, LoopIndex loop, LoopIndex loops)
      : next_((range.first + 1U) / 2 + loop), end_((range.last + 1U) / 2), step_(loops), loop_(loop) {}

  std::optional<PortPair> next() {
    if (next_ >= end_) return std::nullopt;
    const PortPair pair{loop_, static_cast<std::uint16_t>(next_ * 2)};
    next_ += step_;
    return pair;
  }
  bool exhausted() const { return next_ >= end_; }

 private:
  std::uint32_t next_;  // halves of ports
  std::uint32_t end_;
  std::uint32_t step_;
  LoopIndex loop_;
};

}  // namespace bw::media
