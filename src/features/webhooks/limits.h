#pragma once

#include <cstddef>

#include "base/time.h"

namespace bw::webhooks {

struct Limits {
  std::size_t subscriptions = 100;
  std::size_t window = 512;      // events of one subscription in memory, besides the deferred ones
  std::size_t window_low = 256;  // fewer: more is read
  std::size_t page = 512;        // read at once
  std::size_t deferred = 200;
  std::size_t dead_letters = 1'000;  // beyond: the oldest is forgotten
  std::size_t log = 100;
  std::size_t tests = 16;  // under way at once
  std::size_t patterns = 64;
  std::size_t headers = 32;
  Duration save_after = 50ms;  // acknowledgements of so long may be sent again after a crash
  Duration save_log_after = 5s;
  Duration save_again_after = 1s;  // the database refused
  Duration read_again_after = 1s;
  Duration give_up_after = 24h;
  Duration former_secret = 24h;
  std::size_t failing_after = 3;  // failures in a row, of different lanes
};

}  // namespace bw::webhooks
