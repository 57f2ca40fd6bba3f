#include "io/local_address.h"

#include <netinet/in.h>

#include <cstring>

#include "io/socket_address.h"

namespace bw::io {
namespace {

template <typename Info>
void attach(msghdr& header, LocalAddressRoom& room, int level, int type, const Info& info) {
  header.msg_control = room.bytes.data();
  header.msg_controllen = CMSG_SPACE(sizeof info);
  cmsghdr* c = CMSG_FIRSTHDR(&header);
  c->cmsg_level = level;
  c->cmsg_type = type;
  c->cmsg_len = CMSG_LEN(sizeof info);
  std::memcpy(CMSG_DATA(c), &info, sizeof info);
}

}  // namespace

void ask_for_local_address(int socket, int family) {
  const int on = 1;
  if (family == AF_INET) {
    ::setsockopt(socket, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  } else {
    ::setsockopt(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
  }
}

IpAddress local_address_of(msghdr& header, const IpAddress& otherwise) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      return from_in_addr(info.ipi_addr);
    }
    if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      return from_in6_addr(info.ipi6_addr);
    }
  }
  return otherwise;
}

void leave_from(msghdr& header, LocalAddressRoom& room, const IpAddress& source) {
  room = {};
  if (source.is_v4()) {
    in_pktinfo info{};
    info.ipi_spec_dst = to_in_addr(source);
    attach(header, room, IPPROTO_IP, IP_PKTINFO, info);
  } else {
    in6_pktinfo info{};
    info.ipi6_addr = to_in6_addr(source);
    attach(header, room, IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
}

}  // namespace bw::io
