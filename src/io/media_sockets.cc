#include "io/media_sockets.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "io/socket_address.h"

namespace bw::io {
namespace {

// 1.6 s of 20 ms packets: more would only arrive too late, and bounds what a flood can pin.
constexpr int kReceiveBuffer = 64 * 1024;

bool system_has_ipv6() {
  const Descriptor probe{::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!probe) return false;
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  return ::bind(probe.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0;
}

}  // namespace

MediaSockets::MediaSockets(media::PortRange range, const std::optional<IpAddress>& bind)
    : range_(range),
      bind_(bind),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      base_(static_cast<std::uint16_t>(range.first & ~1U)) {
  if (!epoll_) throw std::system_error(errno, std::system_category(), "epoll_create1");
  if (bind_ ? bind_->is_v4() : !system_has_ipv6()) family_ = AF_INET;
  dual_ = family_ == AF_INET6 && (!bind_ || bind_->is_unspecified());
  by_port_.resize(range.last < base_ ? 0 : range.last - base_ + 2U);
  ready_.reserve(kBatch);
}

socklen_t MediaSockets::to_native(const Endpoint& e, sockaddr_in6& out) const {
  if (family_ == AF_INET) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(e.port);
    in.sin_addr = to_in_addr(e.ip);
    std::memcpy(&out, &in, sizeof in);
    return sizeof in;
  }
  out = {};
  out.sin6_family = AF_INET6;
  out.sin6_port = htons(e.port);
  out.sin6_addr = to_in6_addr(e.ip);
  if (e.ip.is_v4()) out.sin6_addr.s6_addr[10] = out.sin6_addr.s6_addr[11] = 0xff;
  return sizeof out;
}

Descriptor MediaSockets::open_one(std::uint16_t port) const {
  Descriptor fd{::socket(family_, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd) return fd;
  if (family_ == AF_INET6) {
    const int only = dual_ ? 0 : 1;
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  }
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
  sockaddr_in6 address{};
  const IpAddress any = family_ == AF_INET ? IpAddress::v4(0) : IpAddress::v6({});
  const socklen_t length = to_native({bind_.value_or(any), port}, address);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) return Descriptor{};
  return fd;
}

MediaSockets::Opening MediaSockets::open_pair(std::uint16_t rtp_port) {
  for (const int attempt : {0, 1}) {
    const auto port = static_cast<std::uint16_t>(rtp_port + attempt);
    Descriptor fd = open_one(port);
    if (!fd) {
      const bool out_of_descriptors =
          errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS;
      by_port_[rtp_port - base_] = {};
      return out_of_descriptors ? Opening::kNoDescriptors : Opening::kTaken;
    }
    by_port_[port - base_] = std::move(fd);
  }
  for (const int offset : {0, 1}) {
    const auto port = static_cast<std::uint16_t>(rtp_port + offset);
    watch(by_port_[port - base_].get(), port);
  }
  return Opening::kOpened;
}

void MediaSockets::watch_extra(int descriptor, std::uint16_t name) {
  watch(descriptor, name);
}

void MediaSockets::watch(int descriptor, std::uint16_t name) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = name;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) != 0) {
    throw std::system_error(errno, std::system_category(), "epoll_ctl");
  }
}

std::span<const std::uint16_t> MediaSockets::wait(int timeout_ms) {
  std::array<epoll_event, kBatch> events;
  const int n = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms);
  ready_.clear();
  for (int i = 0; i < n; ++i) {
    ready_.push_back(static_cast<std::uint16_t>(events[static_cast<std::size_t>(i)].data.u32));
  }
  return ready_;
}

// One datagram per call: at 50 packets a second a socket almost never holds two, and recvmmsg's second,
// empty attempt costs more than it saves (measured: docs/protocols/media-relay.md).
std::optional<MediaSockets::Received> MediaSockets::receive(std::uint16_t port,
                                                            std::span<std::uint8_t> buffer) {
  sockaddr_storage from;
  socklen_t length = sizeof from;
  const ssize_t n = ::recvfrom(by_port_[port - base_].get(), buffer.data(), buffer.size(), MSG_TRUNC,
                               reinterpret_cast<sockaddr*>(&from), &length);
  if (n < 0) return std::nullopt;
  return Received{from_sockaddr(from), static_cast<std::size_t>(n)};
}

bool MediaSockets::send(std::uint16_t port, const Endpoint& to, std::span<const std::uint8_t> bytes) {
  if (to.ip.is_v4() ? family_ == AF_INET6 && !dual_ : family_ == AF_INET) return false;
  sockaddr_in6 address;
  const socklen_t length = to_native(to, address);
  return ::sendto(by_port_[port - base_].get(), bytes.data(), bytes.size(), MSG_NOSIGNAL,
                  reinterpret_cast<const sockaddr*>(&address), length) >= 0;
}

}  // namespace bw::io
