// Port pairs that are open in the media loops and free for the next call. Kept per loop, because legs that
// are joined must live in one loop.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "ports/media.h"

namespace bw::calls {

class PortStock {
 public:
  PortStock(media::LoopIndex loops, std::uint16_t batch)
      : free_(loops), asked_(loops), dry_(loops), batch_(batch) {}

  media::LoopIndex loops() const { return static_cast<media::LoopIndex>(free_.size()); }

  // The loop with most free pairs, for a new call.
  media::LoopIndex roomiest() const {
    const auto it = std::ranges::max_element(free_, {}, &std::deque<media::PortPair>::size);
    return static_cast<media::LoopIndex>(it - free_.begin());
  }

  // Oldest first, so that a port rests as long as possible before it is used again.
  std::optional<media::PortPair> take(media::LoopIndex loop) {
    if (free_[loop].empty()) return std::nullopt;
    const media::PortPair pair = free_[loop].front();
    free_[loop].pop_front();
    return pair;
  }
  void give_back(media::PortPair pair) { free_[pair.loop].push_back(pair); }

  // A port of ours, whoever uses it: nobody's phone lives there.
  bool is_ours(std::uint16_t port) const { return ours_[port]; }

  void opened(const media::PortsOpened& event) {
    for (const media::PortPair pair : event.ports) {
      ours_[pair.rtp] = ours_[pair.rtp | 1U] = true;
      if (pair.loop >= free_.size()) continue;
      free_[pair.loop].push_back(pair);
      asked_[pair.loop] = false;
    }
    if (event.range_exhausted) dry_.assign(dry_.size(), true);
  }

  // How many pairs this loop shall open now; 0 mostly. Grows with use, so that a busy system asks rarely.
  std::uint16_t wanted(media::LoopIndex loop) {
    if (asked_[loop] || dry_[loop] || free_[loop].size() >= batch_ / 2U) return 0;
    asked_[loop] = true;
    return batch_;
  }

 private:
  std::vector<std::deque<media::PortPair>> free_;
  std::vector<bool> ours_ = std::vector<bool>(65'536);
  std::vector<bool> asked_;
  std::vector<bool> dry_;
  std::uint16_t batch_;
};

}  // namespace bw::calls
