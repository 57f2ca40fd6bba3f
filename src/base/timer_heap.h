// Many timers under one deadline(): a binary heap with handles, so that arming and cancelling cost O(log n)
// and a cancelled timer leaves nothing behind.
#pragma once

#include <cassert>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "base/time.h"

namespace bw {

// A handle to an armed timer; default = not armed. Handles are reused, so whoever owns one must reset it
// when its timer fires (pop_due gives the key back) or is cancelled.
struct TimerHandle {
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t slot = kNone;
  explicit operator bool() const { return slot != kNone; }
};

// Key is copied out when the timer fires; keep it small (an id).
template <typename Key>
class TimerHeap {
 public:
  // Arms or re-arms: an already armed handle moves to the new time and key.
  void arm(TimerHandle& handle, Instant at, Key key) {
    if (!handle) {
      handle.slot = take_slot();
      heap_.push_back({at, handle.slot, std::move(key)});
      position_[handle.slot] = static_cast<std::uint32_t>(heap_.size() - 1);
      sift_up(heap_.size() - 1);
      return;
    }
    const std::size_t i = position_[handle.slot];
    heap_[i].at = at;
    heap_[i].key = std::move(key);
    sift_down(sift_up(i));
  }

  void cancel(TimerHandle& handle) {
    if (!handle) return;
    remove(position_[handle.slot]);
    handle = {};
  }

  // The key of one timer that is due, earliest first; its handle is free again.
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

  std::uint32_t take_slot() {
    if (free_.empty()) {
      position_.push_back(0);
      return static_cast<std::uint32_t>(position_.size() - 1);
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }

  void remove(std::size_t i) {
    free_.push_back(heap_[i].slot);
    if (i + 1 != heap_.size()) {
      heap_[i] = std::move(heap_.back());
      heap_.pop_back();
      position_[heap_[i].slot] = static_cast<std::uint32_t>(i);
      sift_down(sift_up(i));
    } else {
      heap_.pop_back();
    }
  }

  void swap_entries(std::size_t a, std::size_t b) {
    std::swap(heap_[a], heap_[b]);
    position_[heap_[a].slot] = static_cast<std::uint32_t>(a);
    position_[heap_[b].slot] = static_cast<std::uint32_t>(b);
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
  std::vector<std::uint32_t> position_;  // slot → index in heap_
  std::vector<std::uint32_t> free_;
};

}  // namespace bw
