#include "access/attempts.h"

namespace bw::access {

std::optional<Duration> Attempts::locked_for(std::string_view subject, Instant now) const {
  const auto it = entries_.find(subject);
  if (it == entries_.end()) return std::nullopt;
  const auto& until = it->second->locked_until;
  return until && *until > now ? std::optional{*until - now} : std::nullopt;
}

bool Attempts::begin(std::string_view subject, const model::RateLimit& limit, Instant now) {
  auto it = entries_.find(subject);
  if (it == entries_.end()) {
    if (order_.size() >= capacity_) {
      entries_.erase(order_.front().subject);
      order_.pop_front();
    }
    order_.push_back({std::string(subject), 0, now, {}});
    it = entries_.emplace(std::string(subject), std::prev(order_.end())).first;
  } else {
    order_.splice(order_.end(), order_, it->second);
  }
  Entry& e = *it->second;
  const bool was_locked = e.locked_until && *e.locked_until <= now;
  if (was_locked || e.window_begin + limit.window <= now) {
    e.attempts = 0;
    e.window_begin = now;
    e.locked_until.reset();
  }
  if (++e.attempts < limit.max_attempts) return false;
  e.locked_until = now + limit.lockout;
  return true;
}

void Attempts::give_back(std::string_view subject, const model::RateLimit& limit, Instant began) {
  const auto it = entries_.find(subject);
  if (it == entries_.end()) return;
  Entry& e = *it->second;
  if (e.attempts == 0 || began < e.window_begin) return;  // it counts no more anyway
  if (--e.attempts < limit.max_attempts) e.locked_until.reset();
}

bool Attempts::succeeded(std::string_view subject) {
  const auto it = entries_.find(subject);
  if (it == entries_.end()) return false;
  order_.erase(it->second);
  entries_.erase(it);
  return true;
}

std::vector<Attempts::Locked> Attempts::locked(Instant now) const {
  std::vector<Locked> all;
  for (const Entry& e : order_) {
    if (e.locked_until && *e.locked_until > now) all.push_back({e.subject, e.attempts, *e.locked_until});
  }
  return all;
}

}  // namespace bw::access
