#pragma once

#include <cstddef>

#include "base/time.h"

namespace bw::browser {

struct Limits {
  std::size_t sessions = 2'000;
  std::size_t sessions_per_extension = 10;
  std::size_t calls_per_session = 4;  // one that sounds, others held or ringing
  std::size_t candidates = 64;        // of one connection, told by the page
  std::size_t digits = 64;            // in one request
  std::size_t pushes_kept = 64;
  Duration reattach = 60s;       // a page that went away comes back to its calls and hears what it missed
  Duration refusal_sounds = 4s;  // so long a caller hears the tone of a call that was refused
  Duration first_word = 200ms;   // so long an outgoing call waits for a refusal before it counts as placed
};

}  // namespace bw::browser
