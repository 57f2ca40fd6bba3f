#include "webhooks/detail/queue.h"

#include <cassert>
#include <utility>

namespace bw::webhooks::detail {

Queue::Queue(const Limits& limits, const Place& place)
    : limits_(&limits),
      until_(place.until),
      read_to_(place.cursor),
      done_before_(place.done.begin(), place.done.end()) {
  for (const Deferred& d : place.deferred) {
    Lane& its = lane(d.key);
    Slot slot;
    slot.lane = &its;
    slot.failures = d.failures;
    slot.first_failed = d.first_failed;
    deferred_.emplace(d.seq, std::move(slot));
    its.waiting.insert(d.seq);
    if (*its.waiting.begin() == d.seq) enter(its, LaneState::kSleeping, d.next);
  }
}

Queue::Lane& Queue::lane(const std::string& key) {
  Lane& found = lanes_[key];
  if (found.key.empty()) found.key = key;
  return found;
}

const Queue::Slot* Queue::find(std::uint64_t seq) const {
  if (const auto it = deferred_.find(seq); it != deferred_.end()) return &it->second;
  const auto it = window_.find(seq);
  return it == window_.end() || it->second.done ? nullptr : &it->second;
}

Queue::Slot* Queue::find(std::uint64_t seq) {
  return const_cast<Slot*>(std::as_const(*this).find(seq));
}

// The one door between the states of a lane; keeps what is ready and what sleeps in step with them.
void Queue::enter(Lane& its, LaneState state, Instant until) {
  if (its.state == LaneState::kSleeping) sleeping_.erase(its.wakes);
  if (its.state == LaneState::kReady && state != LaneState::kReady) std::erase(ready_, &its);
  if (state == LaneState::kReady && its.state != LaneState::kReady) ready_.push_back(&its);
  if (state == LaneState::kSleeping) {
    its.wakes = {until, *its.waiting.begin()};
    sleeping_.emplace(its.wakes, &its);
  }
  its.state = state;
  if (state != LaneState::kFlying) its.flying = 0;
}

void Queue::settle(Lane& its) {
  if (its.waiting.empty()) {
    enter(its, LaneState::kIdle);
    lanes_.erase(std::string(its.key));
    return;
  }
  const Slot* first = find(*its.waiting.begin());
  assert(first != nullptr);
  enter(its, first->letter ? LaneState::kReady : LaneState::kLoading);
}

void Queue::take(const std::vector<events::StoredEvent>& batch, const Subscription& subscription) {
  auto it = std::ranges::upper_bound(batch, read_to_, {}, &events::StoredEvent::seq);
  for (; it != batch.end() && window_.size() < limits_->window; ++it) {
    if (until_ != 0 && it->seq > until_) break;
    read_to_ = it->seq;
    if (done_before_.erase(it->seq) != 0) {
      if (!window_.empty()) window_[it->seq].done = true;
    } else if (!deferred_.contains(it->seq) && wants(subscription, *it)) {
      take_one(*it);
    }
  }
  if (until_ != 0 && it != batch.end() && it->seq > until_) skip_to(until_);
}

void Queue::take_one(const events::StoredEvent& event) {
  Lane& its = lane(order_key(event));
  const bool behind_deferred = !its.waiting.empty() && deferred_.contains(*its.waiting.begin());
  auto& where = behind_deferred && deferred_room() > 0 ? deferred_ : window_;
  Slot& slot = where[event.seq];
  slot.lane = &its;
  slot.letter = letter_of(event);
  its.waiting.insert(event.seq);
  if (its.state == LaneState::kIdle) settle(its);
}

void Queue::skip_to(std::uint64_t seq) {
  read_to_ = std::max(read_to_, seq);
  done_before_.erase(done_before_.begin(), done_before_.upper_bound(read_to_));
}

std::vector<std::uint64_t> Queue::take_unloaded() {
  std::vector<std::uint64_t> out;
  for (auto& [seq, slot] : deferred_) {
    if (!slot.letter && !std::exchange(slot.asked, true)) out.push_back(seq);
  }
  return out;
}

void Queue::load(const events::StoredEvent& event, Instant now) {
  const auto it = deferred_.find(event.seq);
  if (it == deferred_.end() || it->second.letter) return;
  it->second.letter = letter_of(event);
  if (it->second.lane->state == LaneState::kLoading) settle(*it->second.lane);
  wake(now);
}

void Queue::forget(std::uint64_t seq) {
  const auto it = deferred_.find(seq);
  if (it != deferred_.end() && it->second.lane->flying != seq) leave(seq, it->second);
}

void Queue::ask_again(std::uint64_t seq) {
  if (const auto it = deferred_.find(seq); it != deferred_.end()) it->second.asked = false;
}

void Queue::add_deferred(const DeadLetter& letter, Instant now) {
  if (find(letter.seq) != nullptr || deferred_room() == 0) return;
  Lane& its = lane(letter.key);
  deferred_[letter.seq].lane = &its;
  its.waiting.insert(letter.seq);
  if (its.state != LaneState::kFlying) settle(its);
  wake(now);
}

void Queue::wake(Instant now) {
  while (!sleeping_.empty() && sleeping_.begin()->first.first <= now) settle(*sleeping_.begin()->second);
}

bool Queue::wake_one() {
  while (ready_.empty() && !sleeping_.empty()) settle(*sleeping_.begin()->second);
  return !ready_.empty();
}

std::optional<Queue::Item> Queue::start_next() {
  if (ready_.empty()) return std::nullopt;
  Lane& its = *ready_.front();
  const std::uint64_t seq = *its.waiting.begin();
  enter(its, LaneState::kFlying);
  its.flying = seq;
  return item(seq);
}

Queue::Item Queue::item(std::uint64_t seq) const {
  const Slot& slot = *find(seq);
  return {seq, &*slot.letter, slot.failures};
}

Queue::Flown Queue::failed(std::uint64_t seq, Instant now) {
  Slot& slot = *find(seq);
  if (slot.failures++ == 0) slot.first_failed = now;
  return {slot.failures, slot.first_failed, &*slot.letter};
}

void Queue::rest(std::uint64_t seq, Instant until) {
  enter(*find(seq)->lane, LaneState::kSleeping, until);
}

void Queue::done(std::uint64_t seq) {
  leave(seq, *find(seq));
}

void Queue::leave(std::uint64_t seq, Slot& slot) {
  Lane& its = *slot.lane;
  its.waiting.erase(seq);
  if (deferred_.erase(seq) == 0) {
    slot.done = true;
    slot.lane = nullptr;
    slot.letter.reset();
    while (!window_.empty() && window_.begin()->second.done) window_.erase(window_.begin());
  }
  if (its.flying == 0 || its.flying == seq) settle(its);
}

void Queue::defer(std::uint64_t seq) {
  const Lane& its = *find(seq)->lane;
  for (const std::uint64_t behind : its.waiting) {
    if (deferred_room() == 0) break;
    if (auto node = window_.extract(behind)) deferred_.insert(std::move(node));
  }
  while (!window_.empty() && window_.begin()->second.done) window_.erase(window_.begin());
}

std::optional<DeadLetter> Queue::bury(std::uint64_t seq, Instant now) {
  Slot& slot = *find(seq);
  if (!slot.letter) return std::nullopt;
  DeadLetter dead{seq, slot.letter->event_id, slot.letter->type, slot.lane->key, now, {}};
  leave(seq, slot);
  return dead;
}

std::optional<Instant> Queue::next_waking() const {
  if (sleeping_.empty()) return std::nullopt;
  return sleeping_.begin()->first.first;
}

Place Queue::place() const {
  Place out;
  out.until = until_;
  out.cursor = window_.empty() ? read_to_ : window_.begin()->first - 1;
  for (const auto& [seq, slot] : window_) {
    if (slot.done) out.done.push_back(seq);
  }
  out.done.insert(out.done.end(), done_before_.begin(), done_before_.end());
  for (const auto& [seq, slot] : deferred_) {
    const bool first = slot.lane->state == LaneState::kSleeping && slot.lane->wakes.second == seq;
    out.deferred.push_back(
        {seq, slot.lane->key, slot.failures, slot.first_failed, first ? slot.lane->wakes.first : Instant{}});
  }
  return out;
}

std::uint64_t Queue::waiting(std::uint64_t newest) const {
  const auto open = std::ranges::count_if(window_, [](const auto& entry) { return !entry.second.done; });
  const std::uint64_t unread = end(newest) > read_to_ ? end(newest) - read_to_ : 0;
  return unread + static_cast<std::uint64_t>(open) + deferred_.size();
}

}  // namespace bw::webhooks::detail
