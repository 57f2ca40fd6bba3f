#include "base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace bw {
namespace {

template <typename T>
std::optional<T> parse_decimal(std::string_view text, unsigned max) {
  unsigned value = 0;
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
  return static_cast<T>(value);
}

// As inet_pton and inet_ntop, at a fraction of their cost: addresses are read and written in every message.
std::optional<std::uint32_t> parse_v4(std::string_view text) {
  std::uint32_t value = 0;
  unsigned octet = 0;
  unsigned digits = 0;
  unsigned dots = 0;
  for (const char c : text) {
    if (c == '.') {
      if (digits == 0 || ++dots > 3) return std::nullopt;
      value = value << 8U | octet;
      octet = digits = 0;
      continue;
    }
    if (c < '0' || c > '9' || (digits > 0 && octet == 0)) return std::nullopt;
    octet = octet * 10 + static_cast<unsigned>(c - '0');
    if (++digits > 3 || octet > 255) return std::nullopt;
  }
  if (digits == 0 || dots != 3) return std::nullopt;
  return value << 8U | octet;
}

std::string write_v4(std::uint32_t value) {
  std::array<char, 15> text{};
  char* at = text.data();
  for (unsigned shift = 32; shift != 0;) {
    shift -= 8;
    at = std::to_chars(at, text.data() + text.size(), value >> shift & 0xFFU).ptr;
    if (shift != 0) *at++ = '.';
  }
  return {text.data(), at};
}

}  // namespace

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& bytes) {
  static constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  IpAddress a;
  if (std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) {
    std::copy_n(bytes.begin() + 12, 4, a.bytes_.begin() + 12);
    return a;
  }
  a.bytes_ = bytes;
  a.v4_ = false;
  return a;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
    if (text.find(':') == text.npos) return std::nullopt;
  }
  std::array<char, INET6_ADDRSTRLEN> z{};
  if (text.empty() || text.size() >= z.size()) return std::nullopt;
  if (text.find(':') == text.npos) {
    const auto value = parse_v4(text);
    return value ? std::optional{v4(*value)} : std::nullopt;
  }
  std::memcpy(z.data(), text.data(), text.size());
  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET6, z.data(), bytes.data()) != 1) return std::nullopt;
  return v6(bytes);
}

bool IpAddress::is_unspecified() const {
  return bytes_ == std::array<std::uint8_t, 16>{};
}

bool IpAddress::is_loopback() const {
  if (v4_) return bytes_[12] == 127;
  return bytes_[15] == 1 && std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto b) { return b == 0; });
}

bool IpAddress::is_multicast() const {
  return v4_ ? (bytes_[12] & 0xf0U) == 0xe0U : bytes_[0] == 0xff;
}

std::uint32_t IpAddress::to_v4() const {
  std::uint32_t value = 0;
  for (unsigned i = 12; i < 16; ++i) value = value << 8U | bytes_[i];
  return value;
}

std::string IpAddress::to_string() const {
  if (v4_) return write_v4(to_v4());
  std::array<char, INET6_ADDRSTRLEN> out{};
  inet_ntop(AF_INET6, bytes_.data(), out.data(), out.size());
  return out.data();
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  const auto host = text.substr(0, colon);
  if (host.find(':') != host.npos && (host.empty() || host.front() != '[')) return std::nullopt;
  const auto ip = IpAddress::parse(host);
  const auto port = parse_decimal<std::uint16_t>(text.substr(colon + 1), 65535);
  if (!ip || !port) return std::nullopt;
  return Endpoint{*ip, *port};
}

std::string Endpoint::to_string() const {
  std::string out = ip.is_v6() ? '[' + ip.to_string() + ']' : ip.to_string();
  out += ':';
  out += std::to_string(port);
  return out;
}

std::optional<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto ip = IpAddress::parse(text.substr(0, slash));
  if (!ip) return std::nullopt;
  const unsigned bits = ip->is_v4() ? 32 : 128;
  if (slash == text.npos) return Network{*ip, static_cast<std::uint8_t>(bits)};
  const auto prefix = parse_decimal<std::uint8_t>(text.substr(slash + 1), bits);
  if (!prefix) return std::nullopt;
  return Network{*ip, *prefix};
}

bool Network::contains(const IpAddress& ip) const {
  if (ip.is_v4() != base.is_v4()) return false;
  std::size_t byte = base.is_v4() ? 12 : 0;
  unsigned bits = prefix;
  for (; bits >= 8; bits -= 8, ++byte) {
    if (ip.bytes()[byte] != base.bytes()[byte]) return false;
  }
  if (bits == 0) return true;
  const unsigned mask = 0xffU << (8 - bits) & 0xffU;
  return ((ip.bytes()[byte] ^ base.bytes()[byte]) & mask) == 0;
}

std::string Network::to_string() const {
  return base.to_string() + '/' + std::to_string(prefix);
}

}  // namespace bw
