// How other threads hand values to a thread that sleeps in epoll: a bounded queue and an eventfd.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "io/descriptor.h"

namespace bw::io {

// Many writers, one reader. The reader takes everything at once, so the lock is held for a swap; the
// descriptor is signalled only when the queue was empty, so a burst costs one wake-up.
template <typename T>
class Inbox {
 public:
  explicit Inbox(std::size_t capacity)
      : capacity_(capacity), event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (!event_) throw std::system_error(errno, std::system_category(), "eventfd");
  }

  // False if full: the value is dropped, and the writer decides what that means (drop a message, close a
  // link).
  bool push(T&& value) {
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.size() >= capacity_) return false;
      waiting_.push_back(std::move(value));
      if (waiting_.size() > 1 || reader_looks_) return true;
    }
    signal();
    return true;
  }

  // For what must not get lost and is bounded by its nature (one per connection, query or ticket that the
  // reader itself asked for).
  void push_always(T&& value) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(value));
      if (waiting_.size() > 1 || reader_looks_) return;
    }
    signal();
  }

  // All of them with one lock and one wake-up, in order; as far as there is room: the rest stays in `values`.
  bool push_all(std::vector<T>& values) {
    if (values.empty()) return true;
    bool was_empty = false;
    {
      const std::lock_guard lock(mutex_);
      was_empty = waiting_.empty() && !reader_looks_;
      const std::size_t room = capacity_ - std::min(capacity_, waiting_.size());
      const auto end = values.begin() + static_cast<std::ptrdiff_t>(std::min(room, values.size()));
      waiting_.insert(waiting_.end(), std::make_move_iterator(values.begin()), std::make_move_iterator(end));
      values.erase(values.begin(), end);
    }
    if (was_empty) signal();
    return values.empty();
  }

  // Reader only. Fills `into` (cleared first) with all that waits; its capacity is used again next time.
  // `looks_again`: the reader promises to take() again very soon by its own clock, so that writers need not
  // wake it: under load a wake-up for every value costs more than the values. It stops promising once nothing
  // came; a value that slips in between is then still found by this take().
  void take(std::vector<T>& into, bool looks_again = false) {
    into.clear();
    if (!looks_again || !reader_looks_) {  // only the reader writes reader_looks_
      std::uint64_t count = 0;
      [[maybe_unused]] const auto n = ::read(event_.get(), &count, sizeof count);
    }
    const std::lock_guard lock(mutex_);
    waiting_.swap(into);
    reader_looks_ = looks_again && !into.empty();
  }
  bool reader_looks() const { return reader_looks_; }

  // Wakes the reader without a value.
  void signal() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = ::write(event_.get(), &one, sizeof one);
  }

  int descriptor() const { return event_.get(); }

 private:
  std::size_t capacity_;
  Descriptor event_;
  std::mutex mutex_;
  std::vector<T> waiting_;
  bool reader_looks_ = false;  // written under the lock
};

}  // namespace bw::io
