// One Via element (RFC 3261 §20.42): "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK776asdhds;rport".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "sip/flow.h"
#include "sip/message.h"
#include "sip/params.h"

namespace bw::sip {

// A view; valid as long as the text it was read from.
struct Via {
  static constexpr std::string_view kMagic = "z9hG4bK";  // §8.1.1.7

  std::string_view protocol = "SIP";
  std::string_view version = "2.0";
  std::string_view transport;  // "UDP"
  std::string_view host;       // sent-by
  std::optional<std::uint16_t> port;
  Params params;

  static std::optional<Via> parse(std::string_view element);
  // The topmost Via of a message.
  static std::optional<Via> top(const Message& message);

  std::string_view branch() const { return params.get("branch").value_or(std::string_view{}); }
  bool has_magic_branch() const;
  // Where §18.2.2 and RFC 3581 §4 say that a response goes: received or else the sent-by, rport or else its
  // port (5061 for TLS and WSS, else 5060). Nullopt if the host is a name and there is no received.
  std::optional<Endpoint> response_address() const;
  std::optional<IpAddress> received() const;
  std::optional<std::uint16_t> rport() const;  // the value; nullopt also for a bare ;rport

  // As the server rewrites the top Via of a request (§18.2.1, RFC 3581 §4): `received` if the host is a name
  // or another address or rport is wanted; the value of rport if it was asked for.
  std::string with_source(const Endpoint& source) const;
  std::string to_string() const;

  friend bool operator==(const Via&, const Via&) = default;
};

// A Via of ours.
std::string make_via(Transport transport, std::string_view sent_by, std::string_view branch,
                     bool rport = true);

}  // namespace bw::sip
