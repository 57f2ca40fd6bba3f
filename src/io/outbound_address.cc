#include "io/outbound_address.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace bw::io {
namespace {

struct Special {
  std::string_view block;
  std::string_view what;
};

// IANA's special-purpose registries (RFC 6890 and what was added since), as far as nothing public lives
// there.
constexpr std::array kSpecial{
    Special{"0.0.0.0/8", "an address of this very host"},
    Special{"10.0.0.0/8", "a private address"},
    Special{"100.64.0.0/10", "an address of a carrier's inner network"},
    Special{"127.0.0.0/8", "a loopback address"},
    Special{"169.254.0.0/16", "a link-local address"},
    Special{"172.16.0.0/12", "a private address"},
    Special{"192.0.0.0/24", "a reserved address"},
    Special{"192.0.2.0/24", "an address for documentation"},
    Special{"192.88.99.0/24", "a reserved address"},
    Special{"192.168.0.0/16", "a private address"},
    Special{"198.18.0.0/15", "an address for benchmarks"},
    Special{"198.51.100.0/24", "an address for documentation"},
    Special{"203.0.113.0/24", "an address for documentation"},
    Special{"224.0.0.0/4", "a multicast address"},
    Special{"240.0.0.0/4", "a reserved address"},
    Special{"::/128", "an address of this very host"},
    Special{"::1/128", "a loopback address"},
    Special{"64:ff9b:1::/48", "an address of a local translator"},
    Special{"100::/64", "an address that leads nowhere"},
    Special{"2001::/23", "a reserved address"},  // Teredo among them
    Special{"2001:db8::/32", "an address for documentation"},
    Special{"3fff::/20", "an address for documentation"},
    Special{"5f00::/16", "a reserved address"},
    Special{"fc00::/7", "a private address"},
    Special{"fe80::/10", "a link-local address"},
    Special{"fec0::/10", "a private address"},
    Special{"ff00::/8", "a multicast address"},
};

struct Block {
  Network network;
  std::string_view what;
};

const std::array<Block, kSpecial.size()>& blocks() {
  static const auto parsed = [] {
    std::array<Block, kSpecial.size()> out;
    for (std::size_t i = 0; i < kSpecial.size(); ++i)
      out[i] = {Network::parse(kSpecial[i].block).value(), kSpecial[i].what};
    return out;
  }();
  return parsed;
}

IpAddress v4_at(const IpAddress& ip, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8U | ip.bytes()[at + i];
  return IpAddress::v4(value);
}

bool starts_with(const IpAddress& ip, std::string_view block) {
  return Network::parse(block).value().contains(ip);
}

// The IPv4 address that an IPv6 address stands for, if it is of a kind that stands for one.
std::optional<IpAddress> carried(const IpAddress& ip) {
  if (ip.is_v4()) return std::nullopt;
  const auto& b = ip.bytes();
  const bool zeros_8 = std::all_of(b.begin(), b.begin() + 8, [](std::uint8_t x) { return x == 0; });
  const bool translated = b[8] == 0xff && b[9] == 0xff && b[10] == 0 && b[11] == 0;  // RFC 2765
  const bool compatible = b[8] == 0 && b[9] == 0 && b[10] == 0 && b[11] == 0;        // RFC 4291 §2.5.5.1
  const bool isatap = (b[8] & 0xfcU) == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe;  // RFC 5214
  if (isatap || (zeros_8 && (translated || (compatible && !ip.is_loopback() && !ip.is_unspecified()))))
    return v4_at(ip, 12);
  if (starts_with(ip, "64:ff9b::/96")) return v4_at(ip, 12);  // RFC 6052
  if (starts_with(ip, "2002::/16")) return v4_at(ip, 2);      // RFC 3056
  return std::nullopt;
}

}  // namespace

std::optional<std::string> why_not_outbound(const IpAddress& ip, std::span<const Network> allowed) {
  if (std::ranges::any_of(allowed, [&](const Network& n) { return n.contains(ip); })) return std::nullopt;
  if (const auto inner = carried(ip)) {
    if (auto why = why_not_outbound(*inner, allowed)) return "another spelling of " + *why;
  }
  for (const Block& block : blocks()) {
    if (block.network.contains(ip)) return std::string(block.what);
  }
  return std::nullopt;
}

}  // namespace bw::io
