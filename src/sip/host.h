// host and hostport (RFC 3261 §25.1): names, IPv4 and bracketed IPv6.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address.h"

namespace bw::sip {

// A name, a dotted quad, or an IPv6 address in brackets. '_' is allowed in names because networks have them.
bool is_host(std::string_view s);
// The address that a host is, or nullopt for a name. IPv6 with or without brackets. The three colons before
// an embedded IPv4 address, which the grammar of RFC 3261 produces by mistake, are read as two (RFC 5118
// §4.10).
std::optional<IpAddress> address_of(std::string_view host);

struct HostPort {
  std::string_view host;  // IPv6 with its brackets
  std::optional<std::uint16_t> port;

  // With `loose`, white space around the colon is allowed (Via has COLON, RFC 3261 §25.1).
  static std::optional<HostPort> parse(std::string_view text, bool loose = false);
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

// Names without regard to case, addresses by value.
bool same_host(std::string_view a, std::string_view b);

}  // namespace bw::sip
