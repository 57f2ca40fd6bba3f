// RFC 5626 §4.4.2 and §8: a phone keeps its way through a NAT open with STUN Binding requests (RFC 5389) to
// the SIP port, and learns from the answer whether its address is still the same.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"

namespace bw::sip {

// The first two bits of SIP are never zero (RFC 5626 §8); the rest is the head of a Binding request.
bool is_stun_request(std::string_view datagram);

// The answer to `datagram` from `from`: the address as seen from here, or 420 with the attributes that must
// be understood and are not. Nullopt: no request, or a broken one; no answer (RFC 5389 §7.3).
std::optional<std::string> answer_stun(std::string_view datagram, const Endpoint& from);

}  // namespace bw::sip
