// Status codes and their standard reason phrases (RFC 3261 §21 and the IANA registry).
#pragma once

#include <string_view>

namespace bw::sip {

// For a code without a registered phrase: the phrase of its class (x00, RFC 3261 §8.1.3.2).
std::string_view reason_phrase(int status);

}  // namespace bw::sip
