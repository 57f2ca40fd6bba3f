// The last word on a stream whose framing is lost (RFC 3261 §18.3, §21.4.1).
#pragma once

#include <string>

#include "sip/framing.h"

namespace bw::sip {

// A 400 (or 413) to the request that broke the stream; empty if it is no request that can be answered: a
// response, an ACK, or what has no Via.
std::string answer_to(const StreamFramer::Broken& broken);

}  // namespace bw::sip
