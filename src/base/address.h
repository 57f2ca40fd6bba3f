// Network addresses as plain values (no sockets): IPv4 and IPv6, textual forms of RFC 5952.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace bw {

class IpAddress {
 public:
  constexpr IpAddress() = default;  // 0.0.0.0
  static constexpr IpAddress v4(std::uint32_t host_order) {
    IpAddress a;
    for (unsigned i = 0; i < 4; ++i) a.bytes_[12 + i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
    return a;
  }
  // An IPv4-mapped address (::ffff:a.b.c.d) becomes the IPv4 address it means.
  static IpAddress v6(const std::array<std::uint8_t, 16>& bytes);
  // Dotted quad (four decimal parts, no octal, no short forms) or IPv6 with or without brackets; no zone.
  static std::optional<IpAddress> parse(std::string_view text);

  constexpr bool is_v4() const { return v4_; }
  constexpr bool is_v6() const { return !v4_; }
  bool is_unspecified() const;
  bool is_loopback() const;
  bool is_multicast() const;
  std::uint32_t to_v4() const;                                                    // only if is_v4()
  constexpr const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }  // v4 in the last four
  std::string to_string() const;                                                  // no brackets

  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
  bool v4_ = true;
};

struct Endpoint {
  IpAddress ip;
  std::uint16_t port = 0;

  // "192.0.2.1:5060", "[2001:db8::1]:5060".
  static std::optional<Endpoint> parse(std::string_view text);
  std::string to_string() const;
  friend constexpr auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

// A CIDR block: "10.0.0.0/8", "fd00::/8", or a single address.
struct Network {
  IpAddress base;
  std::uint8_t prefix = 32;  // bits, of 32 or 128

  static std::optional<Network> parse(std::string_view text);
  bool contains(const IpAddress& ip) const;
  std::string to_string() const;
  friend bool operator==(const Network&, const Network&) = default;
};

}  // namespace bw

template <>
struct std::hash<bw::IpAddress> {
  std::size_t operator()(const bw::IpAddress& a) const {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(a.bytes().data()), a.bytes().size()});
  }
};

template <>
struct std::hash<bw::Endpoint> {
  std::size_t operator()(const bw::Endpoint& e) const {
    return std::hash<bw::IpAddress>{}(e.ip) * 31 + e.port;
  }
};
