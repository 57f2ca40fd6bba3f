#include "sip/params.h"

#include <algorithm>

#include "sip/grammar.h"

namespace bw::sip {
namespace {

constexpr CharSet kUriParamChars = CharSet::alnum_and("-_.!~*'()[]/:&+$");

// Generous where phones are: any printable text, but nothing that would end the element.
bool is_param_value(std::string_view s) {
  if (s.starts_with('"')) return quoted_length(s) == s.size();
  for (const char c : s) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == ',' || c == 0x7F) return false;
  }
  return true;
}

// The end of the parameter that starts at the front of `s` (behind its ';').
std::size_t end_of_param(std::string_view s) {
  const std::size_t semicolon = std::min(s.find(';'), s.size());
  if (s.substr(0, semicolon).find('"') == std::string_view::npos) return semicolon;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == ';') return i;
    if (s[i] == '"') {
      const std::size_t length = quoted_length(s.substr(i));
      if (length == std::string_view::npos) return s.size();
      i += length - 1;
    }
  }
  return s.size();
}

void append(std::string& out, const Param& p) {
  out += ';';
  out += p.name;
  if (!p.has_value) return;
  out += '=';
  out += p.value;
}

}  // namespace

std::optional<Param> Params::next(std::string_view& rest) {
  rest = trim_left(rest);
  if (rest.empty() || rest.front() != ';') return std::nullopt;
  rest.remove_prefix(1);
  const std::size_t end = end_of_param(rest);
  const std::string_view one = rest.substr(0, end);
  rest.remove_prefix(end);
  const std::size_t equals = one.find('=');
  if (equals == std::string_view::npos) return Param{trim(one), {}, false};
  return Param{trim(one.substr(0, equals)), trim(one.substr(equals + 1)), true};
}

std::optional<Params> Params::parse(std::string_view text) {
  text = trim(text);
  std::string_view rest = text;
  std::size_t count = 0;
  while (const auto p = next(rest)) {
    if (++count > kMax || !is_token(p->name) || !is_param_value(p->value)) return std::nullopt;
  }
  if (!rest.empty()) return std::nullopt;
  return Params{text};
}

std::optional<Params> Params::parse_uri(std::string_view text) {
  std::size_t count = 0;
  for (std::string_view rest = text; !rest.empty();) {
    if (rest.front() != ';' || ++count > kMax) return std::nullopt;
    rest.remove_prefix(1);
    const std::string_view one = rest.substr(0, rest.find(';'));
    rest.remove_prefix(one.size());
    const std::size_t equals = one.find('=');
    const std::string_view name = one.substr(0, equals);
    if (name.empty() || !is_escaped_text(name, kUriParamChars)) return std::nullopt;
    if (equals == std::string_view::npos) continue;
    if (!is_escaped_text(one.substr(equals + 1), kUriParamChars)) return std::nullopt;
  }
  return Params{text};
}

bool Params::has(std::string_view name) const {
  return get(name).has_value();
}

std::optional<std::string_view> Params::get(std::string_view name) const {
  std::string_view rest = text;
  while (const auto p = next(rest)) {
    if (iequals(p->name, name)) return p->value;
  }
  return std::nullopt;
}

std::string Params::with(std::string_view name, std::string_view value) const {
  std::string out;
  out.reserve(text.size() + name.size() + value.size() + 2);
  bool done = false;
  std::string_view rest = text;
  while (auto p = next(rest)) {
    if (iequals(p->name, name)) {
      if (done) continue;
      done = true;
      p->value = value;
      p->has_value = true;
    }
    append(out, *p);
  }
  if (!done) append(out, {name, value, true});
  return out;
}

std::string Params::with_flag(std::string_view name) const {
  std::string out = without(name);
  append(out, {name, {}, false});
  return out;
}

std::string Params::without(std::string_view name) const {
  std::string out;
  out.reserve(text.size());
  std::string_view rest = text;
  while (const auto p = next(rest)) {
    if (!iequals(p->name, name)) append(out, *p);
  }
  return out;
}

bool operator==(const Params& a, const Params& b) {
  std::string_view x = a.text;
  std::string_view y = b.text;
  for (;;) {
    const auto p = Params::next(x);
    const auto q = Params::next(y);
    if (!p || !q) return !p && !q;
    if (!iequals(p->name, q->name) || p->value != q->value || p->has_value != q->has_value) return false;
  }
}

}  // namespace bw::sip
