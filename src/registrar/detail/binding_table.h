// All bindings, found by extension and by connection, each with one timer: its expiry, or the end of the
// grace after its connection was lost. No rules of registration are here.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/strong.h"
#include "base/time.h"
#include "base/timer_heap.h"
#include "model/binding.h"
#include "sip/flow.h"

namespace bw::registrar {

class BindingTable {
 public:
  using Slot = std::uint32_t;

  struct Record {
    model::Binding binding;
    // Set while the phone's connection is gone and it may still come back.
    std::optional<Instant> gone_at;
    TimerHandle timer;

    bool is_waiting() const { return gone_at.has_value(); }
    Instant ends_at() const {
      return gone_at && *gone_at < binding.expires_at ? *gone_at : binding.expires_at;
    }
    bool is_live(Instant now) const { return !is_waiting() && binding.expires_at > now; }
  };

  const Record& at(Slot slot) const { return records_[slot]; }
  // In order of first registration; empty if there is none. Good until the next change.
  const std::vector<Slot>& of(std::string_view extension) const;

  Slot add(model::Binding binding);
  void update(Slot slot, model::Binding binding);  // same extension; ends a wait
  model::Binding remove(Slot slot);

  // Takes the connection out of the index: its slots, for wait().
  std::vector<Slot> take_connection(sip::ConnectionId connection);
  void wait(Slot slot, Instant until);

  // A record whose time has come; it stays until remove().
  std::optional<Slot> pop_due(Instant now);
  std::optional<Instant> next_due() const { return timers_.next(); }

  std::size_t size() const { return records_.size() - free_.size(); }
  std::size_t extension_count() const { return by_extension_.size(); }
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& [extension, slots] : by_extension_) {
      for (const Slot slot : slots) visit(records_[slot]);
    }
  }
  bool check_invariants() const;

 private:
  void index_connection(Slot slot);
  void unindex_connection(Slot slot);
  void arm(Slot slot);

  std::deque<Record> records_;  // a deque: references stay good while it grows
  std::vector<Slot> free_;
  std::unordered_map<std::string, std::vector<Slot>, TextHash, std::equal_to<>> by_extension_;
  std::unordered_map<sip::ConnectionId, std::vector<Slot>> by_connection_;
  TimerHeap<Slot> timers_;
};

}  // namespace bw::registrar
