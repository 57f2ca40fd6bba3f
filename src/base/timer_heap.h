// Many timers under one deadline(): a binary heap with handles, so that arming and cancelling cost O(log n)
// and a cancelled timer leaves nothing behind.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/time.h"

namespace bw {

// Names one arming of a timer; default = none. A handle whose timer has fired names nothing any more, though
// its slot may serve another by now: the serial number tells them apart. So nobody has to reset it.
struct TimerHandle {
  std::uint32_t slot = 0;
  std::uint64_t serial = 0;
};

// Key is copied out when the timer fires; keep it small (an id).
template <typename Key>
class TimerHeap {
 public:
  // Arms or re-arms: an already armed handle moves to the new time and key.
  void arm(TimerHandle& handle, Instant at, Key key) {
    if (!is_armed(handle)) {
      handle = take_slot();
      heap_.push_back({at, handle.slot, std::move(key)});
      slots_[handle.slot].position = static_cast<std::uint32_t>(heap_.size() - 1);
      sift_up(heap_.size() - 1);
      return;
    }
    const std::size_t i = slots_[handle.slot].position;
    heap_[i].at = at;
    heap_[i].key = std::move(key);
    sift_down(sift_up(i));
  }

  // Of a timer that has fired or was never armed: nothing happens.
  void cancel(TimerHandle& handle) {
    if (is_armed(handle)) remove(slots_[handle.slot].position);
    handle = {};
  }

  bool is_armed(const TimerHandle& handle) const {
    return handle.serial != 0 && slots_[handle.slot].serial == handle.serial;
  }

  // The key of one timer that is due, earliest first; its handle is not armed any more.
  std::optional<Key> pop_due(Instant now) {
    if (heap_.empty() || heap_.front().at > now) return std::nullopt;
    Key key = std::move(heap_.front().key);
    remove(0);
    return key;
  }

  std::optional<Instant> next() const {
    if (heap_.empty()) return std::nullopt;
    return heap_.front().at;
  }
  std::size_t size() const { return heap_.size(); }

 private:
  struct Entry {
    Instant at;
    std::uint32_t slot;
    Key key;
  };
  struct Slot {
    std::uint32_t position = 0;  // in heap_
    std::uint64_t serial = 0;    // of the timer that has it; 0: free
  };

  TimerHandle take_slot() {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    slots_[slot].serial = ++last_serial_;
    return {slot, last_serial_};
  }

  void remove(std::size_t i) {
    slots_[heap_[i].slot].serial = 0;
    free_.push_back(heap_[i].slot);
    if (i + 1 != heap_.size()) {
      heap_[i] = std::move(heap_.back());
      heap_.pop_back();
      slots_[heap_[i].slot].position = static_cast<std::uint32_t>(i);
      sift_down(sift_up(i));
    } else {
      heap_.pop_back();
    }
  }

  void swap_entries(std::size_t a, std::size_t b) {
    std::swap(heap_[a], heap_[b]);
    slots_[heap_[a].slot].position = static_cast<std::uint32_t>(a);
    slots_[heap_[b].slot].position = static_cast<std::uint32_t>(b);
  }

  std::size_t sift_up(std::size_t i) {
    while (i > 0 && heap_[i].at < heap_[(i - 1) / 2].at) {
      swap_entries(i, (i - 1) / 2);
      i = (i - 1) / 2;
    }
    return i;
  }

  void sift_down(std::size_t i) {
    for (;;) {
      std::size_t least = i;
      for (const std::size_t child : {2 * i + 1, 2 * i + 2}) {
        if (child < heap_.size() && heap_[child].at < heap_[least].at) least = child;
      }
      if (least == i) return;
      swap_entries(i, least);
      i = least;
    }
  }

  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::uint64_t last_serial_ = 0;
};

}  // namespace bw
