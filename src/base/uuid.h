// Universally unique identifiers (RFC 9562).
#pragma once

#include <string>

#include "base/rng.h"
#include "base/time.h"

namespace bw {

// Version 7 (RFC 9562 §5.7): 48 bits of `now` in Unix milliseconds, the rest chance; 36 characters of text.
// Identifiers of later milliseconds sort after those of earlier ones.
std::string uuid_v7(Instant now, Rng& rng);

}  // namespace bw
