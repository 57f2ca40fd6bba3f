// How many requests one sender may make: a token bucket for each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/strong.h"
#include "base/time.h"

namespace bw::access {

struct Rate {
  double per_second = 100;
  double burst = 500;
};

class Buckets {
 public:
  Buckets(Rate rate, std::size_t capacity) : rate_(rate), capacity_(capacity) {}

  // Takes one. None: it may go on; else how long until it may.
  std::optional<Duration> take(std::string_view sender, Instant now);
  std::uint32_t left(std::string_view sender, Instant now) const;
  // Until all may be sent at once again.
  Duration full_in(std::string_view sender, Instant now) const;
  std::uint32_t burst() const { return static_cast<std::uint32_t>(rate_.burst); }
  std::size_t size() const { return buckets_.size(); }

 private:
  struct Bucket {
    double tokens = 0;
    Instant filled;
  };
  double filled(const Bucket& bucket, Instant now) const;
  void forget_full(Instant now);

  Rate rate_;
  std::size_t capacity_;
  std::unordered_map<std::string, Bucket, TextHash, std::equal_to<>> buckets_;
};

}  // namespace bw::access
