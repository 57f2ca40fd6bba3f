// SIP over UDP: one socket per listening address, read and written in batches.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "sip/flow.h"
#include "sip/transaction.h"

namespace bw::io {

struct UdpLimits {
  std::size_t waiting = 8'192;  // datagrams that wait for a full socket; beyond, the newest is dropped
  int receive_buffer = 8 * 1024 * 1024;  // asked of the kernel, which may give less
  int send_buffer = 4 * 1024 * 1024;
};

// An address that could not be opened, in words for the operator.
struct OpenError {
  Endpoint address;
  int error = 0;  // errno
  std::string sentence;
};

// What to say when `transport` ("UDP", "TCP", …) cannot be opened on `address`, and what to do about it.
OpenError open_error(std::string_view transport, const Endpoint& address, int error);

// 0.0.0.0 and [::] mean every address of both families, as far as the system has IPv6. Others stay alone.
std::vector<Endpoint> with_dual_stack(const Endpoint& address);

// Owner and only user: the control thread. Constructor = sockets open, destructor = closed.
class UdpLinks {
 public:
  struct Datagram {
    Endpoint local;  // the address the peer sent to, also where the socket listens on all
    Endpoint remote;
    std::string_view bytes;  // valid until the next receive()
  };

  static std::expected<UdpLinks, OpenError> open(std::span<const Endpoint> addresses, UdpLimits limits = {});
  UdpLinks(UdpLinks&&) noexcept;
  UdpLinks& operator=(UdpLinks&&) noexcept;
  ~UdpLinks();

  std::size_t size() const;
  int descriptor(std::size_t socket) const;
  Endpoint bound(std::size_t socket) const;

  static constexpr std::size_t kBatch = 64;
  // Up to kBatch datagrams that wait on this socket; fewer than kBatch means it is dry.
  std::span<const Datagram> receive(std::size_t socket);

  // Collects; flush() sends. A flow whose local address is unspecified leaves from the socket of its family.
  void queue(sip::Transmit&& transmit);
  // Sends what is collected, in batches. Flows whose peer cannot be reached (no route, too large) are added
  // to `failed`. What a full socket does not take stays for the next flush.
  void flush(std::vector<sip::Flow>& failed);
  bool blocked(std::size_t socket) const;  // watch it for writing
  std::uint64_t dropped() const;

 private:
  struct Impl;
  explicit UdpLinks(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::io
