// Failed attempts of one kind of subject (a source, a user name, or the pair), by security.rate_limit.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "model/settings.h"
#include "registrar/detail/lru_table.h"

namespace bw::registrar {

class Attempts {
 public:
  struct Entry {
    std::uint32_t failures = 0;
    Instant window_end;
    Instant locked_until;
    Instant not_before;  // a trusted network's next attempt is not looked at earlier
  };

  explicit Attempts(std::size_t capacity) : table_(capacity) {}

  bool is_locked(std::uint64_t subject, Instant now);
  Instant not_before(std::uint64_t subject);

  struct Failure {
    Entry& entry;
    bool lock_began = false;
  };
  // One more. With max_attempts within the window the subject is locked; a lock is not prolonged by what
  // happens during it, so that nobody is kept out for ever by somebody else's persistence.
  Failure fail(std::uint64_t subject, const model::RateLimit& limit, Instant now);

  // As if nothing had been tried.
  void forget(std::uint64_t subject);

  void expire(Instant now);
  std::size_t size() const { return table_.size(); }

 private:
  LruTable<Entry> table_;
};

}  // namespace bw::registrar
