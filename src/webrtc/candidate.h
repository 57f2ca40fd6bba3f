// An ICE candidate as text (RFC 8839 §5.1):
//
//   candidate:<foundation> <component> <transport> <priority> <address> <port> typ <type> [tcptype <t>] …
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"

namespace bw::webrtc {

struct Candidate {
  std::string foundation;
  std::uint16_t component = 1;
  std::string transport = "udp";  // any case of letters
  std::uint32_t priority = 0;
  std::string address;  // an IP address, or a name ending in .local that hides one
  std::uint16_t port = 0;
  std::string type = "host";
  std::string tcp_type;  // RFC 6544: active, passive or so; empty for UDP
  friend bool operator==(const Candidate&, const Candidate&) = default;

  // With or without "candidate:" or "a=candidate:" in front; what follows the known fields is passed over.
  static std::optional<Candidate> parse(std::string_view text);
  // Without "a=".
  std::string to_string() const;
};

}  // namespace bw::webrtc
