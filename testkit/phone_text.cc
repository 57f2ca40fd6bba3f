#include "testkit/phone_text.h"

#include <algorithm>
#include <charconv>

namespace bw::testkit {
namespace {

bool is_boundary(char c) {
  return c == ' ' || c == ',' || c == ';' || c == '\t' || c == '?' || c == '&';
}

}  // namespace

std::string_view parameter(std::string_view header, std::string_view name) {
  for (auto at = header.find(name); at != header.npos; at = header.find(name, at + 1)) {
    const auto end = at + name.size();
    if (at > 0 && !is_boundary(header[at - 1])) continue;
    if (end >= header.size() || header[end] != '=') continue;
    std::string_view value = header.substr(end + 1);
    if (value.starts_with('"')) return value.substr(1, value.find('"', 1) - 1);
    return value.substr(0, value.find_first_of(",; >"));
  }
  return {};
}

std::string tag_of(const sip::Message& m, sip::HeaderName id) {
  const std::string_view value = m.get(id).value_or("");
  const auto at = value.find(";tag=");
  if (at == value.npos) return {};
  const std::string_view tag = value.substr(at + 5);
  return std::string{tag.substr(0, tag.find(';'))};
}

std::uint32_t cseq_of(const sip::Message& m) {
  return leading_number(m.get(sip::HeaderName::kCSeq).value_or("")).value_or(0);
}

bool lists(const sip::Message& m, sip::HeaderName id, std::string_view token) {
  const auto all = m.elements(id);
  return std::ranges::find(all, token) != all.end();
}

std::optional<std::uint32_t> leading_number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

std::string user_of(std::string_view from) {
  const auto start = from.find("sip:");
  if (start == from.npos) return std::string{from};
  from.remove_prefix(start + 4);
  return std::string{from.substr(0, from.find_first_of("@;>"))};
}

std::optional<Endpoint> endpoint_of(std::string_view uri) {
  if (const auto at = uri.find('@'); at != uri.npos) {
    uri.remove_prefix(at + 1);
  } else if (const auto colon = uri.find(':'); colon != uri.npos) {
    uri.remove_prefix(colon + 1);
  }
  uri = uri.substr(0, uri.find_first_of(";>? "));
  if (const auto e = Endpoint::parse(uri)) return e;
  if (const auto ip = IpAddress::parse(uri)) return Endpoint{*ip, 5060};
  return std::nullopt;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(std::string{text.substr(i + 1, 2)}, nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace bw::testkit
