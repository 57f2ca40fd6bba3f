#include "sip/uri.h"

#include <algorithm>

#include "sip/grammar.h"
#include "sip/host.h"

namespace bw::sip {
namespace {

constexpr CharSet kUnreserved = CharSet::alnum_and("-_.!~*'()");
constexpr CharSet kUserEscapeFree = kUnreserved.with("&=+$,;?/");
// '#' is not allowed bare, but phones send it for dial codes and mean the key.
constexpr CharSet kUserChars = kUserEscapeFree.with("#");
constexpr CharSet kPasswordChars = kUnreserved.with("&=+$,");
constexpr CharSet kHeaderChars = kUnreserved.with("[]/?:+$");
constexpr CharSet kParamChars = kUnreserved.with("[]/:&+$");
constexpr CharSet kSchemeChars = CharSet::alnum_and("+-.");
constexpr CharSet kPhoneChars = CharSet::alnum_and("-.()+*#");

std::string escape(std::string_view text, const CharSet& plain) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (plain.has(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

// "name=value&name=value" (§19.1.1); a header without '=' is refused.
bool are_headers(std::string_view s) {
  std::size_t count = 0;
  for (;;) {
    const std::size_t end = s.find('&');
    const std::string_view one = s.substr(0, end);
    const std::size_t equals = one.find('=');
    if (equals == 0 || equals == std::string_view::npos || ++count > Uri::kMaxHeaders) return false;
    if (!is_escaped_text(one.substr(0, equals), kHeaderChars) ||
        !is_escaped_text(one.substr(equals + 1), kHeaderChars)) {
      return false;
    }
    if (end == std::string_view::npos) return true;
    s.remove_prefix(end + 1);
  }
}

bool parse_user(std::string_view text, Uri& out) {
  const std::size_t colon = text.find(':');
  out.user = text.substr(0, colon);
  if (out.user.empty() || !is_escaped_text(out.user, kUserChars)) return false;
  if (colon == std::string_view::npos) return true;
  out.password = text.substr(colon + 1);
  return is_escaped_text(*out.password, kPasswordChars);
}

bool parse_sip(std::string_view rest, Uri& out) {
  // A user may hold ';', '?' and '/', so '@' decides where it ends.
  const std::size_t at = rest.find('@');
  if (at != std::string_view::npos) {
    if (!parse_user(rest.substr(0, at), out)) return false;
    rest.remove_prefix(at + 1);
  }
  const std::size_t question = rest.find('?');
  if (question != std::string_view::npos) {
    out.headers = rest.substr(question + 1);
    if (!are_headers(out.headers)) return false;
    rest = rest.substr(0, question);
  }
  const std::size_t semicolon = std::min(rest.find(';'), rest.size());
  const auto params = Params::parse_uri(rest.substr(semicolon));
  const auto hostport = HostPort::parse(rest.substr(0, semicolon));
  if (!params || !hostport) return false;
  out.params = *params;
  out.host = hostport->host;
  out.port = hostport->port;
  return true;
}

// RFC 3966 §3: a global number starts with '+'; what characters a local one has is not worth a refusal.
bool parse_tel(std::string_view rest, Uri& out) {
  const std::size_t semicolon = std::min(rest.find(';'), rest.size());
  out.user = rest.substr(0, semicolon);
  const auto params = Params::parse_uri(rest.substr(semicolon));
  if (out.user.empty() || !all_of(out.user, kPhoneChars) || !params) return false;
  out.params = *params;
  return true;
}

bool is_printable(std::string_view s) {
  for (const char c : s) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7F || c == '<' || c == '>' || c == '"') return false;
  }
  return true;
}

}  // namespace

std::optional<Uri> Uri::parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const std::string_view name = text.substr(0, colon);
  const std::string_view rest = text.substr(colon + 1);
  Uri out;
  if (iequals(name, "sip") || iequals(name, "sips")) {
    out.scheme = name.size() == 3 ? Scheme::kSip : Scheme::kSips;
    if (!parse_sip(rest, out)) return std::nullopt;
    return out;
  }
  if (iequals(name, "tel")) {
    out.scheme = Scheme::kTel;
    if (!parse_tel(rest, out)) return std::nullopt;
    return out;
  }
  if (!is_alpha(name.front()) || !all_of(name, kSchemeChars)) return std::nullopt;
  if (rest.empty() || !is_printable(rest)) return std::nullopt;
  out.scheme = Scheme::kOther;
  out.other = text;
  return out;
}

std::string Uri::decoded_user() const {
  std::string_view wire = user;
  const bool phone = !wire.empty() && (wire.front() == '+' || is_digit(wire.front()));
  if (phone) wire = wire.substr(0, wire.find(';'));
  return unescape(wire).value_or(std::string{wire});
}

namespace {

void append_host(std::string& out, const Uri& uri) {
  out += uri.host;
  if (!uri.port) return;
  out += ':';
  out += std::to_string(*uri.port);
}

std::string_view prefix(Scheme scheme) {
  switch (scheme) {
    case Scheme::kSip:
      return "sip:";
    case Scheme::kSips:
      return "sips:";
    case Scheme::kTel:
      return "tel:";
    case Scheme::kOther:
      return {};
  }
  return {};
}

}  // namespace

std::string Uri::to_string() const {
  if (scheme == Scheme::kOther) return std::string{other};
  std::string out;
  out.reserve(user.size() + host.size() + params.text.size() + headers.size() + 24);
  out += prefix(scheme);
  out += user;
  if (is_sip()) {
    if (password) out.append(":").append(*password);
    if (!user.empty()) out += '@';
    append_host(out, *this);
  }
  out += params.text;
  if (!headers.empty()) out.append("?").append(headers);
  return out;
}

std::string Uri::address_of_record() const {
  if (scheme == Scheme::kOther) return std::string{other};
  std::string out{prefix(scheme)};
  if (!user.empty()) out += is_sip() ? escape_user(unescape(user).value_or(std::string{user})) : user;
  if (!is_sip()) return out;
  if (!user.empty()) out += '@';
  const std::size_t host_at = out.size();
  append_host(out, *this);
  for (std::size_t i = host_at; i < out.size(); ++i) out[i] = to_lower(out[i]);
  return out;
}

std::optional<std::string> unescape(std::string_view s) {
  std::string out;
  out.reserve(s.size());
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] != '%') {
      out += s[i];
      continue;
    }
    if (i + 2 >= s.size() || !is_hex(s[i + 1]) || !is_hex(s[i + 2])) return std::nullopt;
    out += static_cast<char>(hex_value(s[i + 1]) * 16 + hex_value(s[i + 2]));
    i += 2;
  }
  return out;
}

std::string escape_user(std::string_view text) {
  return escape(text, kUserEscapeFree);
}
std::string escape_param(std::string_view text) {
  return escape(text, kParamChars);
}
std::string escape_header(std::string_view text) {
  return escape(text, kHeaderChars);
}

}  // namespace bw::sip
