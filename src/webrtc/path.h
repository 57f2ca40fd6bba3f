// A way to the other end of a media connection: one candidate pair (RFC 8445 §5.1.3).
#pragma once

#include <cstdint>
#include <functional>

#include "base/address.h"
#include "webrtc/parameters.h"

namespace bw::webrtc {

struct Path {
  Endpoint remote;
  IpAddress local;           // the address of ours the other end wrote to, so that answers leave from there
  std::uint64_t stream = 0;  // number of the TCP connection; 0: UDP

  Protocol protocol() const { return stream == 0 ? Protocol::kUdp : Protocol::kTcp; }
  friend bool operator==(const Path&, const Path&) = default;
};

}  // namespace bw::webrtc

template <>
struct std::hash<bw::webrtc::Path> {
  std::size_t operator()(const bw::webrtc::Path& p) const {
    return std::hash<bw::Endpoint>{}(p.remote) * 31 + p.stream;
  }
};
