// An event as it lies in the journal and is told to others: it has its number, and its data is JSON text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"

namespace bw::events {

struct StoredEvent {
  std::uint64_t seq = 0;  // grows by one from event to event
  std::string event_id;   // UUIDv7
  Instant at;
  std::string type;                     // "call.started"
  std::string call_id;                  // empty: not of a call
  std::uint32_t call_seq = 0;           // 0: not of a call
  std::vector<std::string> extensions;  // whom it concerns: what a user may see, what a filter asks for
  std::string data;                     // a JSON object, "timestamp" included
};

// What a commit stored, in the order of seq; shared by everyone who tells it.
using StoredBatch = std::shared_ptr<const std::vector<StoredEvent>>;

// {"event_id":…,"event_type":…,"timestamp":…,"seq":…,"call_seq":…,"data":{…}}: the body of a webhook and the
// message of the live stream (docs/events.md). call_seq is left out where there is none.
std::string envelope(const StoredEvent& event);

}  // namespace bw::events
