// Which addresses a request on behalf of somebody may go to: URLs of webhooks come from people and names from
// DNS, and neither may make this server knock at the doors of its own network.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/address.h"

namespace bw::io {

// Why no connection is made to `ip`, as the end of a sentence ("a loopback address"); none: it may be made.
// Addresses that carry an IPv4 address inside (mapped, compatible, NAT64, 6to4, ISATAP) are what they carry.
// What `allowed` contains is always fine.
std::optional<std::string> why_not_outbound(const IpAddress& ip, std::span<const Network> allowed);

}  // namespace bw::io
