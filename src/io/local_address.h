// Which address of this host a datagram was sent to, and from which one an answer leaves (ip(7), ipv6(7):
// PKTINFO). A peer that knows us by one address of several takes answers from that one only.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>

#include "base/address.h"

namespace bw::io {

inline constexpr std::size_t kLocalAddressBytes = 64;  // one IP_PKTINFO (28) or IPV6_PKTINFO (36), aligned
struct alignas(cmsghdr) LocalAddressRoom {
  std::array<char, kLocalAddressBytes> bytes;
};

void ask_for_local_address(int socket, int family);
// Of a received datagram whose msg_control has such room.
IpAddress local_address_of(msghdr& header, const IpAddress& otherwise);
// `room` must live until the datagram is sent.
void leave_from(msghdr& header, LocalAddressRoom& room, const IpAddress& source);

}  // namespace bw::io
