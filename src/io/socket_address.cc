#include "io/socket_address.h"

#include <arpa/inet.h>

#include <array>
#include <cstring>

namespace bw::io {

IpAddress from_in_addr(const in_addr& a) {
  return IpAddress::v4(ntohl(a.s_addr));
}

IpAddress from_in6_addr(const in6_addr& a) {
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), a.s6_addr, bytes.size());
  return IpAddress::v6(bytes);
}

in_addr to_in_addr(const IpAddress& ip) {
  in_addr a{};
  std::memcpy(&a, &ip.bytes()[12], sizeof a);
  return a;
}

in6_addr to_in6_addr(const IpAddress& ip) {
  in6_addr a{};
  std::memcpy(a.s6_addr, ip.bytes().data(), ip.bytes().size());
  return a;
}

socklen_t to_sockaddr(const Endpoint& e, sockaddr_storage& out) {
  if (e.ip.is_v4()) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(e.port);
    in.sin_addr = to_in_addr(e.ip);
    std::memcpy(&out, &in, sizeof in);
    return sizeof in;
  }
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(e.port);
  in6.sin6_addr = to_in6_addr(e.ip);
  std::memcpy(&out, &in6, sizeof in6);
  return sizeof in6;
}

Endpoint from_sockaddr(const sockaddr_storage& in) {
  if (in.ss_family == AF_INET) {
    sockaddr_in a{};
    std::memcpy(&a, &in, sizeof a);
    return {from_in_addr(a.sin_addr), ntohs(a.sin_port)};
  }
  if (in.ss_family == AF_INET6) {
    sockaddr_in6 a{};
    std::memcpy(&a, &in, sizeof a);
    return {from_in6_addr(a.sin6_addr), ntohs(a.sin6_port)};
  }
  return {};
}

}  // namespace bw::io
