// The one port of all browsers' media: UDP, and TCP with the framing of RFC 4571 for networks without UDP
// (RFC 6544).
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/core.h"
#include "io/descriptor.h"
#include "io/udp_links.h"
#include "media/packet.h"
#include "webrtc/path.h"

namespace bw::io {

struct BrowserPortLimits {
  int receive_buffer = 2 * 1024 * 1024;  // asked of the kernel: every browser's packets wait here
  int send_buffer = 2 * 1024 * 1024;
  std::size_t streams = 1'000;
  std::size_t streams_per_address = 64;    // of IPv6: of a /64
  std::size_t stream_waiting = 32 * 1024;  // bytes a slow stream may owe; voice beyond that comes too late
  Duration stream_proof = 10s;             // in which a new stream must have carried a valid check
  Duration scarce_stream_proof = 2s;       // the same while half of all places are taken
  Duration stream_idle = 30s;
};

// Made on the thread that opens the office, then used by one media loop alone.
class BrowserPort {
 public:
  static std::expected<BrowserPort, OpenError> open(std::span<const Endpoint> addresses,
                                                    BrowserPortLimits limits = {});
  BrowserPort(BrowserPort&&) noexcept;
  BrowserPort& operator=(BrowserPort&&) noexcept;
  ~BrowserPort();

  // One descriptor, readable when something is to be received.
  int descriptor() const;
  std::uint16_t port() const;

  static constexpr std::size_t kBatch = 64;
  static constexpr std::size_t kLargest = 1'500;
  // What has come, at most kBatch; valid until the next call. Packets stand in buffers with kTailRoom.
  std::span<media::SessionPacket> receive(Instant now);
  bool has_more() const;  // that descriptor() does not tell of

  bool send(const webrtc::Path& path, std::span<const std::uint8_t> bytes);
  // Those of `packets` that leave from here (kSessionPort); how many could be sent.
  std::size_t send_all(std::span<const media::OutPacket> packets);

  // Streams that were closed, by either end, since the last call.
  std::vector<std::uint64_t> take_gone();
  // After each receive(). Closes streams that nobody proved theirs in time, and silent ones; when all places
  // are taken, the oldest that nobody proved.
  void sweep(Instant now, const std::function<bool(const webrtc::Path&)>& is_proven);
  Deadline deadline() const;
  std::size_t streams() const;

 private:
  struct Impl;
  explicit BrowserPort(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::io
