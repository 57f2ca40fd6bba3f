#include "events/stored.h"

#include <fmt/format.h>

#include "base/rfc3339.h"

namespace bw::events {

// Every part but `data` is made of characters that JSON takes as they are.
std::string envelope(const StoredEvent& event) {
  std::string out = fmt::format(R"({{"event_id":"{}","event_type":"{}","timestamp":"{}","seq":{},)",
                                event.event_id, event.type, rfc3339(event.at), event.seq);
  if (event.call_seq != 0) out += fmt::format(R"("call_seq":{},)", event.call_seq);
  out += "\"data\":";
  out += event.data;
  out += '}';
  return out;
}

}  // namespace bw::events
