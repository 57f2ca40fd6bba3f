// Endpoint ↔ sockaddr.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/address.h"

namespace bw::io {

// Writes `e` and answers its length. A v6 socket that is v6-only never needs the mapped form.
socklen_t to_sockaddr(const Endpoint& e, sockaddr_storage& out);
Endpoint from_sockaddr(const sockaddr_storage& in);
IpAddress from_in_addr(const in_addr& a);
IpAddress from_in6_addr(const in6_addr& a);
in_addr to_in_addr(const IpAddress& ip);
in6_addr to_in6_addr(const IpAddress& ip);

}  // namespace bw::io
