#include "access/attempts.h"

namespace bw::access {

std::optional<Duration> Attempts::locked_for(std::string_view subject, Instant now) const {
  const auto it = entries_.find(subject);
  if (it == entries_.end() || it->second->locked_until <= now) return std::nullopt;
  return it->second->locked_until - now;
}

bool Attempts::begin(std::string_view subject, const model::RateLimit& limit, Instant now) {
  auto it = entries_.find(subject);
  if (it == entries_.end()) {
    if (order_.size() >= capacity_) {
      entries_.erase(order_.front().subject);
      order_.pop_front();
    }
    order_.push_back({std::string(subject), 0, now + limit.window, {}});
    it = entries_.emplace(std::string(subject), std::prev(order_.end())).first;
  } else {
    order_.splice(order_.end(), order_, it->second);
  }
  Entry& e = *it->second;
  if (e.window_end <= now) {
    e.attempts = 0;
    e.window_end = now + limit.window;
  }
  if (++e.attempts < limit.max_attempts) return false;
  e.attempts = 0;
  e.window_end = now + limit.window;
  e.locked_until = now + limit.lockout;
  return true;
}

void Attempts::succeeded(std::string_view subject) {
  const auto it = entries_.find(subject);
  if (it == entries_.end()) return;
  order_.erase(it->second);
  entries_.erase(it);
}

}  // namespace bw::access
