// Headers that are lists of tokens: Allow, Supported, Require, Proxy-Require, Unsupported, Allow-Events,
// Privacy (RFC 3261 §20.5, §20.37, §20.32; RFC 3323 §4.2, whose list is separated by semicolons).
#pragma once

#include <string_view>

#include "sip/message.h"

namespace bw::sip {

// Is `token` an element of any line of that header? Option tags and events: without regard to case.
bool lists(const Message& message, HeaderName id, std::string_view token);
// Allow names the method (case matters, RFC 3261 §7.1). False also when there is no Allow.
bool allows(const Message& message, Method method);
// Privacy asks for that kind ("id", "user", "header", "session").
bool wants_privacy(const Message& message, std::string_view kind);

}  // namespace bw::sip
