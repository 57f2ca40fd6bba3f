#include "registrar/detail/attempts.h"

namespace bw::registrar {

bool Attempts::is_locked(std::uint64_t subject, Instant now) {
  if (table_.size() == 0) return false;
  const Entry* entry = table_.find(subject);
  return entry != nullptr && entry->locked_until > now;
}

Instant Attempts::not_before(std::uint64_t subject) {
  const Entry* entry = table_.size() == 0 ? nullptr : table_.find(subject);
  return entry == nullptr ? Instant{} : entry->not_before;
}

Attempts::Failure Attempts::fail(std::uint64_t subject, const model::RateLimit& limit, Instant now) {
  Entry& entry = table_.touch(subject);
  const bool locked = entry.locked_until > now;
  if (!locked && entry.window_end <= now) {
    entry = {};
    entry.window_end = now + limit.window;
  }
  ++entry.failures;
  const bool begins = !locked && entry.failures >= limit.max_attempts;
  if (begins) {
    entry.locked_until = now + limit.lockout;
    // When the lock ends, counting begins anew.
    entry.window_end = entry.locked_until;
  }
  return {entry, begins};
}

void Attempts::forget(std::uint64_t subject) {
  if (Entry* entry = table_.find(subject)) *entry = {};
}

void Attempts::expire(Instant now) {
  table_.drop_while([now](const Entry& e) { return e.window_end <= now && e.locked_until <= now; });
}

}  // namespace bw::registrar
