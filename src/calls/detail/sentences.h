// How calls end, in words and in the classes of the call record.
#pragma once

#include <string>

#include "calls/leg_event.h"
#include "model/call_record.h"

namespace bw::calls {

// "1002 is busy", "1002's phone did not respond", …
std::string refusal_sentence(const std::string& target, const LegEvent::Refused& what);
model::Disposition disposition_of(int status);

}  // namespace bw::calls
