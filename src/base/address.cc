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
  std::memcpy(z.data(), text.data(), text.size());
  if (text.find(':') != text.npos) {
    std::array<std::uint8_t, 16> bytes{};
    if (inet_pton(AF_INET6, z.data(), bytes.data()) != 1) return std::nullopt;
    return v6(bytes);
  }
  in_addr v{};
  if (inet_pton(AF_INET, z.data(), &v) != 1) return std::nullopt;
  return v4(ntohl(v.s_addr));
}

bool IpAddress::is_unspecified() const {
  return std::ranges::all_of(bytes_, [](std::uint8_t b) { return b == 0; });
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
  std::array<char, INET6_ADDRSTRLEN> out{};
  const void* from = v4_ ? static_cast<const void*>(bytes_.data() + 12) : bytes_.data();
  inet_ntop(v4_ ? AF_INET : AF_INET6, from, out.data(), out.size());
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
