// How often something may happen: so many at once, then one for each span of time.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace bw {

class Pace {
 public:
  constexpr Pace(Duration each, std::int64_t at_once) : each_(each), ahead_(each * (at_once - 1)) {}

  // False: too often, and not counted. Else it counts.
  bool allows(Instant now) {
    const Instant free = std::max(free_, now);
    if (free - now > ahead_) return false;
    free_ = free + each_;
    return true;
  }

 private:
  Duration each_;
  Duration ahead_;
  Instant free_;
};

}  // namespace bw
