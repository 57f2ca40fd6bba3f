#include "registrar/detail/binding_table.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace bw::registrar {

const std::vector<BindingTable::Slot>& BindingTable::of(std::string_view extension) const {
  static const std::vector<Slot> kNone;
  const auto it = by_extension_.find(extension);
  return it == by_extension_.end() ? kNone : it->second;
}

BindingTable::Slot BindingTable::add(model::Binding binding) {
  Slot slot = 0;
  if (free_.empty()) {
    slot = static_cast<Slot>(records_.size());
    records_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  by_extension_[binding.extension.value].push_back(slot);
  records_[slot].binding = std::move(binding);
  index_connection(slot);
  arm(slot);
  return slot;
}

void BindingTable::update(Slot slot, model::Binding binding) {
  assert(records_[slot].binding.extension == binding.extension);
  unindex_connection(slot);
  records_[slot].binding = std::move(binding);
  records_[slot].gone_at.reset();
  index_connection(slot);
  arm(slot);
}

model::Binding BindingTable::remove(Slot slot) {
  unindex_connection(slot);
  Record& record = records_[slot];
  timers_.cancel(record.timer);
  const auto it = by_extension_.find(record.binding.extension.view());
  assert(it != by_extension_.end());
  std::erase(it->second, slot);
  if (it->second.empty()) by_extension_.erase(it);
  model::Binding binding = std::move(record.binding);
  record = {};
  free_.push_back(slot);
  return binding;
}

std::vector<BindingTable::Slot> BindingTable::take_connection(sip::ConnectionId connection) {
  const auto it = by_connection_.find(connection);
  if (it == by_connection_.end()) return {};
  std::vector<Slot> slots = std::move(it->second);
  by_connection_.erase(it);
  return slots;
}

void BindingTable::wait(Slot slot, Instant until) {
  records_[slot].gone_at = until;
  arm(slot);
}

std::optional<BindingTable::Slot> BindingTable::pop_due(Instant now) {
  return timers_.pop_due(now);
}

void BindingTable::index_connection(Slot slot) {
  const sip::ConnectionId connection = records_[slot].binding.flow.connection;
  if (connection) by_connection_[connection].push_back(slot);
}

void BindingTable::unindex_connection(Slot slot) {
  const auto it = by_connection_.find(records_[slot].binding.flow.connection);
  if (it == by_connection_.end()) return;
  std::erase(it->second, slot);
  if (it->second.empty()) by_connection_.erase(it);
}

void BindingTable::arm(Slot slot) {
  Record& record = records_[slot];
  timers_.arm(record.timer, record.ends_at(), slot);
}

bool BindingTable::check_invariants() const {
  std::size_t counted = 0;
  for (const auto& [extension, slots] : by_extension_) {
    assert(!slots.empty());
    for (const Slot slot : slots) {
      const Record& record = records_[slot];
      assert(record.binding.extension.view() == extension);
      assert(timers_.is_armed(record.timer));
      const auto it = by_connection_.find(record.binding.flow.connection);
      const bool indexed = it != by_connection_.end() && std::ranges::count(it->second, slot) == 1;
      assert(indexed == (record.binding.flow.connection && !record.is_waiting()));
      static_cast<void>(indexed);
      ++counted;
    }
  }
  assert(counted == size());
  assert(timers_.size() == counted);
  std::size_t connected = 0;
  for (const auto& [connection, slots] : by_connection_) connected += slots.size();
  assert(connected <= counted);
  return counted == size() && timers_.size() == counted;
}

}  // namespace bw::registrar
