// The one clock of the program: monotonic time plus the wall offset read once at start, so that an
// Instant never runs backwards and can still be written into a record.
#pragma once

#include <chrono>

#include "base/time.h"

namespace bw::io {

// Immutable after construction; every thread may read it.
class Clock {
 public:
  Clock()
      : offset_(std::chrono::system_clock::now().time_since_epoch() -
                std::chrono::steady_clock::now().time_since_epoch()) {}
  Instant now() const { return Instant{std::chrono::steady_clock::now().time_since_epoch() + offset_}; }

 private:
  Duration offset_;
};

}  // namespace bw::io
