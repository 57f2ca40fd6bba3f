// Dates as text (RFC 3339).
#pragma once

#include <string>

#include "base/time.h"

namespace bw {

// UTC with milliseconds: "2026-03-01T09:30:00.000Z".
std::string rfc3339(Instant t);
void append_rfc3339(std::string& out, Instant t);

}  // namespace bw
