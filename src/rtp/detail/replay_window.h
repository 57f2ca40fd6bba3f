// Which packets have been (RFC 3711 §3.3.1, §3.3.2, appendix A).
#pragma once

#include <bitset>
#include <cstdint>

namespace bw::rtp::detail {

class ReplayWindow {
 public:
  // How far behind the newest a late packet may come: five seconds of 20 ms frames.
  static constexpr std::uint64_t kSize = 256;

  // The whole index of a packet of which only the lower half is sent. It only counts once it is added.
  std::uint64_t guess(std::uint16_t sequence) const {
    const std::uint64_t rollovers = highest_ >> 16U;
    const auto newest = static_cast<std::uint16_t>(highest_);
    std::uint64_t of = rollovers;
    if (newest < kHalf) {
      if (sequence > newest + kHalf && rollovers > 0) of = rollovers - 1;
    } else if (sequence + kHalf < newest) {
      of = rollovers + 1;
    }
    return of << 16U | sequence;
  }
  // Neither seen nor too old to know.
  bool is_new(std::uint64_t index) const {
    if (empty_ || index > highest_) return true;
    return highest_ - index < kSize && !seen_[index % kSize];
  }
  void add(std::uint64_t index) {
    if (empty_) {
      highest_ = index;
      empty_ = false;
    } else if (index > highest_ && index - highest_ >= kSize) {
      seen_.reset();
      highest_ = index;
    }
    while (highest_ < index) seen_.reset(++highest_ % kSize);
    seen_.set(index % kSize);
  }
  std::uint64_t highest() const { return highest_; }

 private:
  static constexpr std::uint32_t kHalf = 0x8000;
  std::bitset<kSize> seen_;  // by index modulo kSize
  std::uint64_t highest_ = 0;
  bool empty_ = true;
};

}  // namespace bw::rtp::detail
