#include "io/udp_links.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "io/descriptor.h"
#include "io/local_address.h"
#include "io/socket_address.h"

namespace bw::io {
namespace {

constexpr std::size_t kDatagramBytes = 65'536;

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

std::expected<Descriptor, int> open_socket(const Endpoint& address, const UdpLimits& limits) {
  const int family = address.ip.is_v4() ? AF_INET : AF_INET6;
  Descriptor fd{::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd) return std::unexpected(errno);
  set_option(fd.get(), SOL_SOCKET, SO_RCVBUF, limits.receive_buffer);
  set_option(fd.get(), SOL_SOCKET, SO_SNDBUF, limits.send_buffer);
  if (family == AF_INET6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  ask_for_local_address(fd.get(), family);
  sockaddr_storage name{};
  const socklen_t length = to_sockaddr(address, name);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), length) != 0) return std::unexpected(errno);
  return fd;
}

bool is_congestion(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS;
}

}  // namespace

OpenError open_error(std::string_view transport, const Endpoint& address, int error) {
  OpenError e{address, error, {}};
  const std::string where = fmt::format("{} {}", transport, address.to_string());
  if (error == EADDRINUSE) {
    e.sentence = fmt::format(
        "cannot listen on {}: the port is in use by another program. Find it with `ss -lpn 'sport = :{}'`, "
        "stop it, or choose another port.",
        where, address.port);
  } else if (error == EACCES) {
    e.sentence = fmt::format(
        "cannot listen on {}: not permitted. Ports below 1024 need CAP_NET_BIND_SERVICE (the systemd unit "
        "gives it).",
        where);
  } else if (error == EADDRNOTAVAIL) {
    e.sentence = fmt::format(
        "cannot listen on {}: this host has no such address. `ip address` lists those it has.", where);
  } else {
    e.sentence = fmt::format("cannot listen on {}: {}.", where, std::strerror(error));
  }
  return e;
}

std::vector<Endpoint> with_dual_stack(const Endpoint& address) {
  if (!address.ip.is_unspecified()) return {address};
  const Endpoint any4{IpAddress::v4(0), address.port};
  const Descriptor probe{::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!probe) return {any4};
  sockaddr_storage name{};
  const Endpoint any6{IpAddress::v6({}), 0};
  const socklen_t length = to_sockaddr(any6, name);
  // A kernel with ipv6.disable_ipv6=1 has the family but no address to bind.
  if (::bind(probe.get(), reinterpret_cast<const sockaddr*>(&name), length) != 0) return {any4};
  return {any4, {any6.ip, address.port}};
}

struct UdpLinks::Impl {
  struct Socket {
    Descriptor fd;
    Endpoint bound;
    std::vector<sip::Transmit> waiting;
    bool blocked = false;
  };

  explicit Impl(UdpLimits given)
      : limits(given), space(std::make_unique_for_overwrite<char[]>(kBatch * kDatagramBytes)) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      in_vectors[i] = {&space[i * kDatagramBytes], kDatagramBytes};
      in[i].msg_hdr.msg_iov = &in_vectors[i];
      in[i].msg_hdr.msg_iovlen = 1;
      in[i].msg_hdr.msg_name = &in_names[i];
      in[i].msg_hdr.msg_control = in_controls[i].bytes.data();
      out[i].msg_hdr.msg_iov = &out_vectors[i];
      out[i].msg_hdr.msg_iovlen = 1;
      out[i].msg_hdr.msg_name = &out_names[i];
    }
  }

  Socket* socket_for(const sip::Flow& to);
  void prepare(std::size_t i, const Socket& socket, const sip::Transmit& t);
  void flush(Socket& socket, std::vector<sip::Flow>& failed);

  UdpLimits limits;
  std::vector<Socket> sockets;
  std::vector<sip::Flow> unroutable;  // of a family that is not open
  std::unique_ptr<char[]> space;
  std::array<mmsghdr, kBatch> in{}, out{};
  std::array<iovec, kBatch> in_vectors{}, out_vectors{};
  std::array<sockaddr_storage, kBatch> in_names{}, out_names{};
  std::array<LocalAddressRoom, kBatch> in_controls{}, out_controls{};
  std::array<Datagram, kBatch> datagrams{};
  std::uint64_t dropped = 0;
};

UdpLinks::UdpLinks(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
UdpLinks::UdpLinks(UdpLinks&&) noexcept = default;
UdpLinks& UdpLinks::operator=(UdpLinks&&) noexcept = default;
UdpLinks::~UdpLinks() = default;

std::expected<UdpLinks, OpenError> UdpLinks::open(std::span<const Endpoint> addresses, UdpLimits limits) {
  auto impl = std::make_unique<Impl>(limits);
  for (const Endpoint& address : addresses) {
    auto fd = open_socket(address, limits);
    if (!fd) return std::unexpected(open_error("UDP", address, fd.error()));
    sockaddr_storage name{};
    socklen_t length = sizeof name;
    ::getsockname(fd->get(), reinterpret_cast<sockaddr*>(&name), &length);
    impl->sockets.push_back({std::move(*fd), from_sockaddr(name), {}, false});
  }
  return UdpLinks{std::move(impl)};
}

std::size_t UdpLinks::size() const {
  return impl_->sockets.size();
}
int UdpLinks::descriptor(std::size_t socket) const {
  return impl_->sockets[socket].fd.get();
}
Endpoint UdpLinks::bound(std::size_t socket) const {
  return impl_->sockets[socket].bound;
}
bool UdpLinks::blocked(std::size_t socket) const {
  return impl_->sockets[socket].blocked;
}
std::uint64_t UdpLinks::dropped() const {
  return impl_->dropped;
}

std::span<const UdpLinks::Datagram> UdpLinks::receive(std::size_t socket) {
  Impl& m = *impl_;
  const Impl::Socket& s = m.sockets[socket];
  for (std::size_t i = 0; i < kBatch; ++i) {
    m.in[i].msg_hdr.msg_namelen = sizeof(sockaddr_storage);
    m.in[i].msg_hdr.msg_controllen = kLocalAddressBytes;
  }
  const int n = ::recvmmsg(s.fd.get(), m.in.data(), kBatch, MSG_DONTWAIT, nullptr);
  if (n <= 0) return {};
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
    m.datagrams[i] = {{local_address_of(m.in[i].msg_hdr, s.bound.ip), s.bound.port},
                      from_sockaddr(m.in_names[i]),
                      {&m.space[i * kDatagramBytes], m.in[i].msg_len}};
  }
  return {m.datagrams.data(), static_cast<std::size_t>(n)};
}

UdpLinks::Impl::Socket* UdpLinks::Impl::socket_for(const sip::Flow& to) {
  Socket* of_family = nullptr;
  Socket* of_port = nullptr;
  for (Socket& s : sockets) {
    if (s.bound.ip.is_v4() != to.remote.ip.is_v4()) continue;
    if (s.bound == to.local) return &s;
    if (of_family == nullptr) of_family = &s;
    if (of_port == nullptr && s.bound.port == to.local.port && s.bound.ip.is_unspecified()) of_port = &s;
  }
  return of_port != nullptr ? of_port : of_family;
}

void UdpLinks::queue(sip::Transmit&& transmit) {
  Impl::Socket* s = impl_->socket_for(transmit.to);
  if (s == nullptr) {
    impl_->unroutable.push_back(transmit.to);
  } else if (s->waiting.size() >= impl_->limits.waiting) {
    ++impl_->dropped;
  } else {
    s->waiting.push_back(std::move(transmit));
  }
}

void UdpLinks::Impl::prepare(std::size_t i, const Socket& socket, const sip::Transmit& t) {
  msghdr& header = out[i].msg_hdr;
  header.msg_namelen = to_sockaddr(t.to.remote, out_names[i]);
  // sendmsg does not write through the vector; iovec has no const form.
  out_vectors[i] = {const_cast<char*>(t.bytes->data()), t.bytes->size()};
  header.msg_control = nullptr;
  header.msg_controllen = 0;
  const IpAddress& source = t.to.local.ip;
  if (socket.bound.ip.is_unspecified() && !source.is_unspecified() &&
      source.is_v4() == socket.bound.ip.is_v4()) {
    leave_from(header, out_controls[i], source);
  }
}

void UdpLinks::Impl::flush(Socket& socket, std::vector<sip::Flow>& failed) {
  socket.blocked = false;
  std::size_t done = 0;
  while (done < socket.waiting.size() && !socket.blocked) {
    const std::size_t count = std::min(socket.waiting.size() - done, kBatch);
    for (std::size_t i = 0; i < count; ++i) prepare(i, socket, socket.waiting[done + i]);
    std::size_t sent = 0;
    while (sent < count) {
      const int n =
          ::sendmmsg(socket.fd.get(), &out[sent], static_cast<unsigned>(count - sent), MSG_DONTWAIT);
      if (n > 0) {
        sent += static_cast<std::size_t>(n);
      } else if (is_congestion(errno)) {
        socket.blocked = true;
        break;
      } else if (errno != EINTR) {
        failed.push_back(socket.waiting[done + sent].to);  // the first of the rest is the one that failed
        ++sent;
      }
    }
    done += sent;
  }
  socket.waiting.erase(socket.waiting.begin(), socket.waiting.begin() + static_cast<std::ptrdiff_t>(done));
}

void UdpLinks::flush(std::vector<sip::Flow>& failed) {
  failed.insert(failed.end(), impl_->unroutable.begin(), impl_->unroutable.end());
  impl_->unroutable.clear();
  for (Impl::Socket& s : impl_->sockets) {
    if (!s.waiting.empty()) impl_->flush(s, failed);
  }
}

}  // namespace bw::io
