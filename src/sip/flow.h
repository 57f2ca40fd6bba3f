// Where a message came from and where an answer goes.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

#include "base/address.h"
#include "base/strong.h"

namespace bw::sip {

// kBrowser is no wire: the way inside the process to a browser that is a phone over REST. It is never in a
// Via or URI from outside; its ConnectionId is the number of the browser's media session.
enum class Transport : std::uint8_t { kUdp, kTcp, kTls, kWs, kWss, kBrowser };

constexpr bool is_stream(Transport t) {
  return t != Transport::kUdp;
}
constexpr bool is_secure(Transport t) {
  return t == Transport::kTls || t == Transport::kWss;
}
constexpr bool is_web_socket(Transport t) {
  return t == Transport::kWs || t == Transport::kWss;
}
// The token of a Via header: "UDP", "TCP", "TLS", "WS", "WSS", "BROWSER".
std::string_view via_token(Transport t);
// The value of a ;transport= parameter: "udp", "tcp", "tls", "ws", "wss", "browser".
std::string_view uri_token(Transport t);

// One connection of a stream transport, numbered by src/io; never reused. None for UDP, and for a
// stream target to which io shall find or open a connection.
using ConnectionId = StrongId<struct ConnectionTag>;

// RFC 5626 §3: the two ends between which messages of one peer travel.
struct Flow {
  Transport transport = Transport::kUdp;
  ConnectionId connection;
  Endpoint local;  // the address of ours that the peer reached; unspecified: let the system choose
  Endpoint remote;

  friend auto operator<=>(const Flow&, const Flow&) = default;
};

}  // namespace bw::sip
