// What waits to be written to one connection, in order and bounded.
#pragma once

#include <algorithm>
#include <deque>
#include <vector>

#include "io/detail/asio.h"
#include "io/detail/link.h"

namespace bw::io::detail {

class WriteQueue {
 public:
  explicit WriteQueue(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  bool empty() const { return queue_.empty(); }
  bool writing() const { return writing_ > 0; }
  // False: no room, nothing was taken.
  bool push(const Bytes& bytes) {
    const std::size_t cost = bytes->size() + kEntryCost;
    if (bytes_ + cost > most_bytes_) return false;
    push_last(bytes);
    return true;
  }
  // A last word, for which there is always room.
  void push_last(const Bytes& bytes) {
    bytes_ += bytes->size() + kEntryCost;
    queue_.push_back(bytes);
  }
  // The first `most` messages, which stay until written() is told.
  const std::vector<asio::const_buffer>& begin_writing(std::size_t most) {
    writing_ = std::min(queue_.size(), most);
    buffers_.clear();
    for (std::size_t i = 0; i < writing_; ++i) buffers_.push_back(asio::buffer(*queue_[i]));
    return buffers_;
  }
  const std::string& front() const { return *queue_.front(); }
  void written() { drop(0, std::exchange(writing_, 0)); }
  // Forgets what is not being written; what comes next shall find room.
  void drop_waiting() { drop(writing_, queue_.size() - writing_); }

 private:
  static constexpr std::size_t kEntryCost = 64;  // so that a queue of tiny messages is bounded too

  void drop(std::size_t first, std::size_t count) {
    const auto begin = queue_.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = begin + static_cast<std::ptrdiff_t>(count);
    for (auto it = begin; it != end; ++it) bytes_ -= (*it)->size() + kEntryCost;
    queue_.erase(begin, end);
  }

  std::size_t most_bytes_;
  std::size_t bytes_ = 0;
  std::size_t writing_ = 0;
  std::deque<Bytes> queue_;
  std::vector<asio::const_buffer> buffers_;
};

}  // namespace bw::io::detail
