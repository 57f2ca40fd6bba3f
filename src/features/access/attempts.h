// Who guesses passwords: failed logins per address and per name, by security.rate_limit.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/strong.h"
#include "base/time.h"
#include "model/settings.h"

namespace bw::access {

// Bounded: beyond `capacity` the subject that was quiet for longest is forgotten.
class Attempts {
 public:
  explicit Attempts(std::size_t capacity) : capacity_(capacity) {}

  // None: it is not locked.
  std::optional<Duration> locked_for(std::string_view subject, Instant now) const;
  // Counted before the password is looked at, so that many at once are no way around the limit. True: this
  // one locks the subject, for all that come after it.
  bool begin(std::string_view subject, const model::RateLimit& limit, Instant now);
  // The attempt that began at `began` was no failure: it counts no more, and a lockout that needed it ends.
  void give_back(std::string_view subject, const model::RateLimit& limit, Instant began);
  // Forgets its failures; false: there were none.
  bool succeeded(std::string_view subject);
  struct Locked {
    std::string subject;
    std::uint32_t attempts = 0;
    Instant until;
  };
  std::vector<Locked> locked(Instant now) const;
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string subject;
    std::uint32_t attempts = 0;
    Instant window_begin;
    std::optional<Instant> locked_until;
  };
  using Order = std::list<Entry>;  // the longest quiet first
  Order order_;
  std::unordered_map<std::string, Order::iterator, TextHash, std::equal_to<>> entries_;
  std::size_t capacity_;
};

}  // namespace bw::access
