// When two URIs mean the same (RFC 3261 §19.1.4, RFC 3966 §5).
#include <algorithm>

#include "sip/grammar.h"
#include "sip/host.h"
#include "sip/uri.h"

namespace bw::sip {
namespace {

// RFC 2396 §2.2: an escaped one of these is not the same as the bare character.
constexpr CharSet kReserved = CharSet{}.with(";/?:@&=+$,");

struct Unit {
  char c = 0;
  bool literal = true;  // false: an escaped reserved character
  bool operator==(const Unit&) const = default;
};

Unit next_unit(std::string_view& s) {
  Unit u{s.front(), true};
  std::size_t used = 1;
  if (u.c == '%' && s.size() >= 3 && is_hex(s[1]) && is_hex(s[2])) {
    u.c = static_cast<char>(hex_value(s[1]) * 16 + hex_value(s[2]));
    u.literal = !kReserved.has(u.c);
    used = 3;
  }
  s.remove_prefix(used);
  return u;
}

enum class Case : bool { kMatters, kFolded };

bool same_text(std::string_view a, std::string_view b, Case rule) {
  while (!a.empty() && !b.empty()) {
    Unit x = next_unit(a);
    Unit y = next_unit(b);
    if (rule == Case::kFolded) {
      x.c = to_lower(x.c);
      y.c = to_lower(y.c);
    }
    if (x != y) return false;
  }
  return a.empty() && b.empty();
}

// These must be in both or in none; any other parameter counts only if both have it.
bool must_be_in_both(std::string_view name) {
  for (const std::string_view n : {"user", "ttl", "method", "maddr", "transport"}) {
    if (iequals(n, name)) return true;
  }
  return false;
}

std::optional<std::string_view> find_param(const Params& params, std::string_view name) {
  std::string_view rest = params.text;
  while (const auto p = Params::next(rest)) {
    if (same_text(p->name, name, Case::kFolded)) return p->value;
  }
  return std::nullopt;
}

bool params_agree(const Params& a, const Params& b, bool every_one) {
  std::string_view rest = a.text;
  while (const auto p = Params::next(rest)) {
    if (find_param(a, p->name)->data() != p->value.data()) continue;  // of a repeated one the first counts
    const auto other = find_param(b, p->name);
    if (!other) {
      if (every_one || must_be_in_both(p->name)) return false;
    } else if (!same_text(p->value, *other, Case::kFolded)) {
      return false;
    }
  }
  return true;
}

bool headers_within(std::string_view a, std::string_view b) {
  while (!a.empty()) {
    const std::string_view one = a.substr(0, a.find('&'));
    a.remove_prefix(std::min(one.size() + 1, a.size()));
    const std::size_t equals = one.find('=');
    bool found = false;
    for (std::string_view rest = b; !rest.empty() && !found;) {
      const std::string_view other = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(other.size() + 1, rest.size()));
      const std::size_t e = other.find('=');
      found = same_text(one.substr(0, equals), other.substr(0, e), Case::kFolded) &&
              same_text(one.substr(equals + 1), other.substr(e + 1), Case::kMatters);
    }
    if (!found) return false;
  }
  return true;
}

bool same_number(std::string_view a, std::string_view b) {
  constexpr CharSet kVisual = CharSet{}.with("-.()");
  std::size_t i = 0;
  std::size_t k = 0;
  for (;;) {
    while (i < a.size() && kVisual.has(a[i])) ++i;
    while (k < b.size() && kVisual.has(b[k])) ++k;
    if (i == a.size() || k == b.size()) return i == a.size() && k == b.size();
    if (to_lower(a[i++]) != to_lower(b[k++])) return false;
  }
}

}  // namespace

bool equivalent(const Uri& a, const Uri& b) {
  if (a.scheme != b.scheme) return false;
  if (a.scheme == Scheme::kOther) return a.other == b.other;
  if (a.scheme == Scheme::kTel) {
    return same_number(a.user, b.user) && params_agree(a.params, b.params, true) &&
           params_agree(b.params, a.params, true);
  }
  if (!same_text(a.user, b.user, Case::kMatters) || a.port != b.port || !same_host(a.host, b.host)) {
    return false;
  }
  if (a.password.has_value() != b.password.has_value()) return false;
  if (a.password && !same_text(*a.password, *b.password, Case::kMatters)) return false;
  return params_agree(a.params, b.params, false) && params_agree(b.params, a.params, false) &&
         headers_within(a.headers, b.headers) && headers_within(b.headers, a.headers);
}

}  // namespace bw::sip
