// The RTP and RTCP sockets of one media loop, found by port.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/address.h"
#include "io/descriptor.h"
#include "media/port_share.h"

namespace bw::io {

// Owned and used by the loop's thread. All sockets are of one family: IPv6 ones that also speak IPv4, or IPv4
// where the system has no IPv6 or the bind address asks for it. Once open, a pair stays open.
class MediaSockets {
 public:
  enum class Opening : std::uint8_t { kOpened, kTaken, kNoDescriptors };
  struct Received {
    Endpoint from;
    std::size_t size = 0;  // greater than the buffer: the datagram was cut
  };

  // Throws std::system_error if the system gives no epoll descriptor.
  MediaSockets(media::PortRange range, const std::optional<IpAddress>& bind);

  // Opens RTP and RTCP; kTaken if another program holds one of them.
  Opening open_pair(std::uint16_t rtp_port);
  // None when nothing waits (or the kernel reports an error of an earlier packet).
  std::optional<Received> receive(std::uint16_t port, std::span<std::uint8_t> buffer);
  bool send(std::uint16_t port, const Endpoint& to, std::span<const std::uint8_t> bytes);

  // Descriptors beside the sockets: commands, and the port of the browsers. They are reported by these names,
  // which are below any port.
  static constexpr std::uint16_t kExtra = 0;
  static constexpr std::uint16_t kBrowsers = 1;
  void watch_extra(int descriptor, std::uint16_t name = kExtra);
  // Ports with something to read, kExtra among them; waits for at most `timeout_ms` (-1: for ever).
  std::span<const std::uint16_t> wait(int timeout_ms);

  static constexpr std::size_t kBatch = 64;

 private:
  Descriptor open_one(std::uint16_t port) const;
  void watch(int descriptor, std::uint16_t name);
  socklen_t to_native(const Endpoint& e, sockaddr_in6& out) const;

  media::PortRange range_;
  std::optional<IpAddress> bind_;
  int family_ = AF_INET6;
  bool dual_ = true;
  Descriptor epoll_;
  std::vector<Descriptor> by_port_;  // port - range.first (rounded down to even)
  std::uint16_t base_ = 0;
  std::vector<std::uint16_t> ready_;
};

}  // namespace bw::io
