// Records with addresses that never move and numbers to find them by: no hashing, no allocation of their own.
#pragma once

#include <cassert>
#include <cstdint>
#include <memory>
#include <vector>

namespace bw::sip::detail {

// What the slab keeps in each record.
struct SlabEntry {
  std::uint32_t slot = 0;        // its number
  std::uint32_t generation = 0;  // how often the place was given back: tells its tenants apart
  bool live = false;
};

// T is a SlabEntry. Freed places are used again, the last one freed first, while it is still in the cache.
template <typename T>
class Slab {
 public:
  T& take() {
    if (free_.empty()) grow();
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    T& record = at(slot);
    record.live = true;
    ++count_;
    return record;
  }
  // The record becomes an empty one again.
  void give_back(T& record) {
    assert(record.live);
    const std::uint32_t slot = record.slot;
    const std::uint32_t generation = record.generation + 1;
    record = T{};
    record.slot = slot;
    record.generation = generation;
    free_.push_back(slot);
    --count_;
  }
  T& at(std::uint32_t slot) { return chunks_[slot / kChunk][slot % kChunk]; }
  const T& at(std::uint32_t slot) const { return chunks_[slot / kChunk][slot % kChunk]; }
  bool is_live(std::uint32_t slot) const { return slot < chunks_.size() * kChunk && at(slot).live; }

  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& chunk : chunks_) {
      for (std::uint32_t i = 0; i < kChunk; ++i) {
        if (chunk[i].live) visit(chunk[i]);
      }
    }
  }
  std::size_t count() const { return count_; }
  std::size_t memory_bytes() const {
    return chunks_.size() * kChunk * sizeof(T) + free_.capacity() * sizeof(std::uint32_t);
  }

 private:
  static constexpr std::uint32_t kChunk = 256;

  void grow() {
    const auto first = static_cast<std::uint32_t>(chunks_.size()) * kChunk;
    chunks_.push_back(std::make_unique<T[]>(kChunk));
    free_.reserve(chunks_.size() * kChunk);
    for (std::uint32_t i = kChunk; i-- > 0;) {
      chunks_.back()[i].slot = first + i;
      free_.push_back(first + i);
    }
  }

  std::vector<std::unique_ptr<T[]>> chunks_;
  std::vector<std::uint32_t> free_;
  std::size_t count_ = 0;
};

}  // namespace bw::sip::detail
