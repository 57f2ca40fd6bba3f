#include "sip/via.h"

#include <utility>

#include "sip/grammar.h"
#include "sip/host.h"

namespace bw::sip {
namespace {

// Cuts "token" off up to `stop`, white space around it allowed (SLASH, RFC 3261 §25.1).
std::optional<std::string_view> cut(std::string_view& rest, std::string_view stop) {
  const std::size_t end = rest.find_first_of(stop);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view token = trim(rest.substr(0, end));
  rest.remove_prefix(end);
  if (!is_token(token)) return std::nullopt;
  return token;
}

}  // namespace

std::optional<Via> Via::parse(std::string_view element) {
  std::string_view rest = trim(element);
  const auto protocol = cut(rest, "/");
  if (!protocol) return std::nullopt;
  rest.remove_prefix(1);
  const auto version = cut(rest, "/");
  if (!version) return std::nullopt;
  rest = trim_left(rest.substr(1));
  const auto transport = cut(rest, " \t");
  if (!transport) return std::nullopt;
  rest = trim_left(rest);
  const std::size_t semicolon = rest.find(';');
  const auto sent_by = HostPort::parse(trim(rest.substr(0, semicolon)), true);
  if (!sent_by) return std::nullopt;
  const std::string_view tail = semicolon == std::string_view::npos ? "" : rest.substr(semicolon);
  const auto params = Params::parse(tail);
  if (!params) return std::nullopt;
  return Via{*protocol, *version, *transport, sent_by->host, sent_by->port, *params};
}

std::optional<Via> Via::top(const Message& message) {
  const auto element = message.first_element(HeaderName::kVia);
  return element ? parse(*element) : std::nullopt;
}

bool Via::has_magic_branch() const {
  const std::string_view b = branch();
  return b.size() > kMagic.size() && iequals(b.substr(0, kMagic.size()), kMagic);
}

std::optional<IpAddress> Via::received() const {
  const auto text = params.get("received");
  // RFC 5118 §4.5: an IPv6 address here is meant without brackets and comes with them.
  return text ? address_of(*text) : std::nullopt;
}

std::optional<std::uint16_t> Via::rport() const {
  const auto text = params.get("rport");
  return text ? to_number<std::uint16_t>(*text) : std::nullopt;
}

std::optional<Endpoint> Via::response_address() const {
  const auto ip = received().has_value() ? received() : address_of(host);
  if (!ip) return std::nullopt;
  const bool secure = iequals(transport, "TLS") || iequals(transport, "WSS");
  const std::uint16_t usual = secure ? 5061 : 5060;
  return Endpoint{*ip, rport().value_or(port.value_or(usual))};
}

std::string Via::with_source(const Endpoint& source) const {
  bool wants_rport = false;
  std::string text;
  text.reserve(params.text.size() + 48);
  std::string_view rest = params.text;
  while (const auto p = Params::next(rest)) {
    // What the sender wrote there itself must not decide where the response goes.
    if (iequals(p->name, "received")) continue;
    const bool is_rport = iequals(p->name, "rport");
    if (is_rport && std::exchange(wants_rport, true)) continue;
    text.append(";").append(p->name);
    if (is_rport) {
      text.append("=").append(std::to_string(source.port));
    } else if (p->has_value) {
      text.append("=").append(p->value);
    }
  }
  if (wants_rport || address_of(host) != source.ip) text.append(";received=").append(source.ip.to_string());
  Via changed = *this;
  changed.params = Params{text};
  return changed.to_string();
}

std::string Via::to_string() const {
  std::string out;
  out.reserve(protocol.size() + version.size() + transport.size() + host.size() + params.text.size() + 12);
  out.append(protocol).append("/").append(version).append("/").append(transport).append(" ").append(host);
  if (port) out.append(":").append(std::to_string(*port));
  out += params.text;
  return out;
}

std::string make_via(Transport transport, std::string_view sent_by, std::string_view branch, bool rport) {
  std::string out = "SIP/2.0/";
  out.append(via_token(transport)).append(" ").append(sent_by).append(";branch=").append(branch);
  if (rport) out += ";rport";
  return out;
}

}  // namespace bw::sip
