#include "sip/host.h"

#include <array>

#include "sip/grammar.h"

namespace bw::sip {
namespace {

constexpr CharSet kNameChars = CharSet::alnum_and("-_.");
constexpr std::size_t kNameMax = 253;  // RFC 1035 §2.3.4

}  // namespace

std::optional<IpAddress> address_of(std::string_view host) {
  const std::size_t colons = host.find(":::");
  std::array<char, 64> shorter{};
  if (colons == std::string_view::npos || host.size() > shorter.size() ||
      host.find('.', colons) == host.npos) {
    return IpAddress::parse(host);
  }
  const std::string_view tail = host.substr(colons + 3);
  if (tail.find(':') != tail.npos) return std::nullopt;
  host.substr(0, colons + 2).copy(shorter.data(), colons + 2);
  tail.copy(shorter.data() + colons + 2, tail.size());
  return IpAddress::parse({shorter.data(), host.size() - 1});
}

bool is_host(std::string_view s) {
  if (s.empty() || s.size() > kNameMax) return false;
  if (s.front() == '[') return s.back() == ']' && address_of(s).has_value();
  if (!all_of(s, kNameChars) || s.front() == '.' || s.find("..") != std::string_view::npos) return false;
  const std::string_view name = s.ends_with('.') ? s.substr(0, s.size() - 1) : s;
  const std::string_view top = name.substr(name.rfind('.') + 1);
  // A top label never starts with a digit, so what does is an address or nothing.
  return is_digit(top.front()) ? IpAddress::parse(s).has_value() : true;
}

std::optional<HostPort> HostPort::parse(std::string_view text, bool loose) {
  std::size_t end = text.find(':');
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    end = text.find(':', close);
  }
  HostPort out;
  out.host = text.substr(0, end);
  if (loose) out.host = trim(out.host);
  if (!is_host(out.host)) return std::nullopt;
  if (end == std::string_view::npos) return out;
  const std::string_view digits = loose ? trim(text.substr(end + 1)) : text.substr(end + 1);
  out.port = to_number<std::uint16_t>(digits);
  if (!out.port || *out.port == 0) return std::nullopt;
  return out;
}

bool same_host(std::string_view a, std::string_view b) {
  if (iequals(a, b)) return true;
  if (!a.starts_with('[') || !b.starts_with('[')) return false;
  const auto x = address_of(a);
  return x && x == address_of(b);
}

}  // namespace bw::sip
