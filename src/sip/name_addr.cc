#include "sip/name_addr.h"

#include "sip/grammar.h"

namespace bw::sip {
namespace {

// *(token LWS). Bytes beyond ASCII belong into quotes, but phones send names without.
bool is_bare_name(std::string_view s) {
  for (const char c : s) {
    if (!kTokenChars.has(c) && !is_wsp(c) && static_cast<unsigned char>(c) < 0x80) return false;
  }
  return true;
}

std::optional<NameAddr> parse_bare(std::string_view text) {
  const std::size_t semicolon = std::min(text.find(';'), text.size());
  const auto params = Params::parse(text.substr(semicolon));
  const std::string_view uri = trim(text.substr(0, semicolon));
  if (!params || uri.empty() || uri.find_first_of("?, \t\"<>") != std::string_view::npos) return std::nullopt;
  return NameAddr{{}, uri, *params};
}

}  // namespace

std::optional<NameAddr> NameAddr::parse(std::string_view element) {
  const std::string_view text = trim(element);
  std::size_t open = 0;
  if (text.starts_with('"')) {
    open = quoted_length(text);
    if (open == std::string_view::npos) return std::nullopt;
    while (open < text.size() && is_wsp(text[open])) ++open;
    if (open == text.size() || text[open] != '<') return std::nullopt;
  } else {
    open = text.find('<');
    // A bare URI may be followed by a parameter whose value has a '<'.
    if (open == std::string_view::npos || !is_bare_name(text.substr(0, open))) {
      if (open != std::string_view::npos && text.find(':') > open) return std::nullopt;
      return parse_bare(text);
    }
  }
  const std::size_t close = text.find('>', open);
  if (close == std::string_view::npos) return std::nullopt;
  const std::string_view uri = text.substr(open + 1, close - open - 1);
  const auto params = Params::parse(text.substr(close + 1));
  if (!params || uri.empty()) return std::nullopt;
  return NameAddr{trim(text.substr(0, open)), uri, *params};
}

std::string NameAddr::display_name() const {
  return unquote(display);
}

std::string NameAddr::to_string() const {
  std::string out;
  out.reserve(display.size() + uri.size() + params.text.size() + 3);
  out.append(display);
  if (!display.empty()) out += ' ';
  out.append("<").append(uri).append(">").append(params.text);
  return out;
}

std::string make_name_addr(std::string_view name, std::string_view uri, std::string_view params) {
  std::string out;
  if (!name.empty()) {
    out = quote(name);
    out += ' ';
  }
  out.append("<").append(uri).append(">").append(params);
  return out;
}

std::string with_tag(std::string_view value, std::string_view tag) {
  auto parsed = NameAddr::parse(value);
  if (!parsed) return std::string{value};
  const std::string params = parsed->params.with("tag", tag);
  parsed->params = Params{params};
  return parsed->to_string();
}

std::string without_tag(std::string_view value) {
  auto parsed = NameAddr::parse(value);
  if (!parsed) return std::string{value};
  const std::string params = parsed->params.without("tag");
  parsed->params = Params{params};
  return parsed->to_string();
}

std::string_view tag_of(std::string_view value) {
  const auto parsed = NameAddr::parse(value);
  return parsed ? parsed->tag() : std::string_view{};
}

std::string_view uri_of(std::string_view value) {
  const auto parsed = NameAddr::parse(value);
  return parsed ? parsed->uri : std::string_view{};
}

}  // namespace bw::sip
