// How long to wait after a failure. Pure: the jitter comes in as chance.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/rng.h"
#include "base/time.h"

namespace bw::webhooks {

// Before attempt `failures` + 1 of one event: retry_delay, doubled for each quick one, then from a minute on
// up to an hour; a fifth more or less by chance, so that many do not come back together.
Duration retry_delay(std::uint32_t failures, Duration first, std::uint32_t quick, Rng& rng);

// Before the next look at a receiver that has answered nothing but failures.
Duration probe_delay(std::uint32_t failures, Duration first, Rng& rng);

// What a receiver asked for (RFC 9110 §10.2.3), within bounds.
Duration wait_asked_for(std::chrono::seconds asked);

}  // namespace bw::webhooks
