// From a 64-bit hash to the slot of a record: open addressing in one array, 16 bytes a place.
//
// The hash is the key itself. Whoever uses it takes care that two things never share one: by a bijection of a
// number, or by SipHash of a text under a secret key, where 200,000 entries meet by chance once in 10^14
// look-ups and by design never.
#pragma once

#include <cassert>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace bw::sip::detail {

class HashIndex {
 public:
  // False if the hash was there already; it then keeps its slot.
  bool insert(std::uint64_t hash, std::uint32_t slot) {
    if ((count_ + 1) * 2 > places_.size()) grow();
    std::size_t i = home(hash);
    for (; places_[i].used; i = next(i)) {
      if (places_[i].hash == hash) return false;
    }
    places_[i] = {hash, slot, true};
    ++count_;
    return true;
  }

  std::optional<std::uint32_t> find(std::uint64_t hash) const {
    if (places_.empty()) return std::nullopt;
    for (std::size_t i = home(hash); places_[i].used; i = next(i)) {
      if (places_[i].hash == hash) return places_[i].slot;
    }
    return std::nullopt;
  }

  void erase(std::uint64_t hash) {
    if (places_.empty()) return;
    std::size_t hole = home(hash);
    while (places_[hole].used && places_[hole].hash != hash) hole = next(hole);
    if (!places_[hole].used) return;
    --count_;
    // Those behind it that would no longer be found move up.
    for (std::size_t i = next(hole); places_[i].used; i = next(i)) {
      const std::size_t distance = (i - home(places_[i].hash)) & mask();
      if (distance >= ((i - hole) & mask())) {
        places_[hole] = places_[i];
        hole = i;
      }
    }
    places_[hole] = {};
  }

  std::size_t count() const { return count_; }
  std::size_t memory_bytes() const { return places_.capacity() * sizeof(Place); }

 private:
  struct Place {
    std::uint64_t hash = 0;
    std::uint32_t slot = 0;
    bool used = false;
  };

  std::size_t mask() const { return places_.size() - 1; }
  std::size_t home(std::uint64_t hash) const { return static_cast<std::size_t>(hash) & mask(); }
  std::size_t next(std::size_t i) const { return (i + 1) & mask(); }
  void grow() {
    std::vector<Place> old(places_.empty() ? 64 : places_.size() * 2);
    old.swap(places_);
    count_ = 0;
    for (const Place& place : old) {
      if (place.used) insert(place.hash, place.slot);
    }
  }

  std::vector<Place> places_;  // a power of two, at most half of them used
  std::size_t count_ = 0;
};

}  // namespace bw::sip::detail
