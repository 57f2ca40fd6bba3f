#include "sip/flow.h"

#include <array>

namespace bw::sip {
namespace {

constexpr std::array<std::string_view, 6> kVia = {"UDP", "TCP", "TLS", "WS", "WSS", "BROWSER"};
constexpr std::array<std::string_view, 6> kUri = {"udp", "tcp", "tls", "ws", "wss", "browser"};
static_assert(kVia.size() == static_cast<std::size_t>(Transport::kBrowser) + 1);

}  // namespace

std::string_view via_token(Transport t) {
  return kVia[static_cast<std::size_t>(t)];
}
std::string_view uri_token(Transport t) {
  return kUri[static_cast<std::size_t>(t)];
}

}  // namespace bw::sip
