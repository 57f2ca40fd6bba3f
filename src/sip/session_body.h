// Where the session description of a message is: its body, or a part of a multipart body (RFC 3261 §7.4.1,
// RFC 5621, RFC 2046 §5.1).
#pragma once

#include <string_view>

#include "sip/message.h"

namespace bw::sip {

// The text of the application/sdp body or of the first such part; a view into the message. Empty if there is
// none. Of multipart/alternative the last such part, the one its sender likes best. Parts within parts are
// not looked into: a session description is a part of the body itself (RFC 5621 §8.2).
std::string_view session_description(const Message& message);

}  // namespace bw::sip
