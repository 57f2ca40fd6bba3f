// A map of bounded size that forgets what was not touched for the longest time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <utility>

namespace bw::registrar {

// Keys are keyed hashes (SourceHash), so nobody outside can aim at a collision.
template <typename Value>
class LruTable {
 public:
  explicit LruTable(std::size_t capacity) : capacity_(capacity) {}

  Value* find(std::uint64_t key) {
    const auto it = index_.find(key);
    return it == index_.end() ? nullptr : &it->second->second;
  }
  // The entry of `key`, made if there was none, now the youngest; the oldest makes room for it.
  Value& touch(std::uint64_t key) {
    if (const auto it = index_.find(key); it != index_.end()) {
      order_.splice(order_.begin(), order_, it->second);
      return it->second->second;
    }
    if (order_.size() >= capacity_) drop_oldest();
    order_.emplace_front(key, Value{});
    index_.emplace(key, order_.begin());
    return order_.front().second;
  }
  // From the oldest on, as long as `is_over(value)`.
  template <typename Predicate>
  void drop_while(Predicate is_over) {
    while (!order_.empty() && is_over(order_.back().second)) drop_oldest();
  }
  std::size_t size() const { return order_.size(); }

 private:
  void drop_oldest() {
    if (order_.empty()) return;
    index_.erase(order_.back().first);
    order_.pop_back();
  }

  using Order = std::list<std::pair<std::uint64_t, Value>>;
  std::size_t capacity_;
  Order order_;  // youngest first
  std::unordered_map<std::uint64_t, typename Order::iterator> index_;
};

}  // namespace bw::registrar
