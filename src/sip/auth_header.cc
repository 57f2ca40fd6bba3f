#include "sip/auth_header.h"

#include <array>
#include <charconv>
#include <span>

#include "sip/grammar.h"

namespace bw::sip {
namespace {

constexpr std::size_t kMaxParams = 32;

enum class Form : bool { kQuoted, kBare };

template <typename T>
struct Field {
  std::string_view name;
  std::string_view T::* member;
  Form form;  // how it is written; both forms are read
};

constexpr std::array kChallengeFields = {
    Field<Challenge>{"realm", &Challenge::realm, Form::kQuoted},
    Field<Challenge>{"domain", &Challenge::domain, Form::kQuoted},
    Field<Challenge>{"nonce", &Challenge::nonce, Form::kQuoted},
    Field<Challenge>{"opaque", &Challenge::opaque, Form::kQuoted},
    Field<Challenge>{"stale", &Challenge::stale, Form::kBare},
    Field<Challenge>{"algorithm", &Challenge::algorithm, Form::kBare},
    Field<Challenge>{"qop", &Challenge::qop, Form::kQuoted},
};

constexpr std::array kCredentialFields = {
    Field<Credentials>{"username", &Credentials::username, Form::kQuoted},
    Field<Credentials>{"realm", &Credentials::realm, Form::kQuoted},
    Field<Credentials>{"nonce", &Credentials::nonce, Form::kQuoted},
    Field<Credentials>{"uri", &Credentials::uri, Form::kQuoted},
    Field<Credentials>{"response", &Credentials::response, Form::kQuoted},
    Field<Credentials>{"algorithm", &Credentials::algorithm, Form::kBare},
    Field<Credentials>{"cnonce", &Credentials::cnonce, Form::kQuoted},
    Field<Credentials>{"opaque", &Credentials::opaque, Form::kQuoted},
    Field<Credentials>{"qop", &Credentials::qop, Form::kBare},
    Field<Credentials>{"nc", &Credentials::nc, Form::kBare},
};

struct AuthParam {
  std::string_view name;
  std::string_view value;
};

// name = token / quoted-string. Nullopt: not that.
std::optional<AuthParam> read_param(std::string_view element) {
  const std::size_t equals = element.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const std::string_view name = trim(element.substr(0, equals));
  std::string_view value = trim(element.substr(equals + 1));
  if (!is_token(name)) return std::nullopt;
  if (value.starts_with('"')) {
    if (quoted_length(value) != value.size()) return std::nullopt;
    return AuthParam{name, value.substr(1, value.size() - 2)};
  }
  for (const char c : value) {
    // A backslash would turn into an escape once the value is written quoted.
    if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\\' || c == 0x7F) return std::nullopt;
  }
  return AuthParam{name, value};
}

// The next element of a list in which '<' has no meaning (a nonce may hold one in its quotes only).
std::string_view next_auth_element(std::string_view& rest) {
  std::size_t i = 0;
  while (i < rest.size() && rest[i] != ',') {
    if (rest[i] != '"') {
      ++i;
      continue;
    }
    const std::size_t length = quoted_length(rest.substr(i));
    i = length == std::string_view::npos ? rest.size() : i + length;
  }
  const std::string_view element = trim(rest.substr(0, i));
  rest.remove_prefix(std::min(i + 1, rest.size()));
  return element;
}

template <typename T>
std::optional<T> read(std::string_view value, std::span<const Field<T>> fields) {
  const std::string_view scheme = auth_scheme(value);
  if (!iequals(scheme, "Digest")) return std::nullopt;
  std::string_view rest = trim(value).substr(scheme.size());
  T out;
  std::uint32_t seen = 0;
  for (std::size_t count = 0; !trim(rest).empty(); ++count) {
    const auto param = read_param(next_auth_element(rest));
    if (!param || count == kMaxParams) return std::nullopt;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (!iequals(fields[i].name, param->name)) continue;
      if ((seen >> i & 1) != 0) return std::nullopt;
      seen |= 1U << i;
      out.*fields[i].member = param->value;
    }
  }
  return out;
}

template <typename T>
std::string write(const T& value, std::span<const Field<T>> fields) {
  std::string out = "Digest ";
  out.reserve(256);
  bool first = true;
  for (const Field<T>& f : fields) {
    const std::string_view text = value.*f.member;
    if (text.empty() && f.name != "realm") continue;
    if (!first) out += ", ";
    first = false;
    const bool quoted = f.form == Form::kQuoted || !is_token(text);  // some send all values quoted
    out.append(f.name).append(quoted ? "=\"" : "=").append(text);
    if (quoted) out += '"';
  }
  return out;
}

}  // namespace

std::string_view auth_scheme(std::string_view value) {
  value = trim(value);
  const std::string_view scheme = value.substr(0, value.find_first_of(" \t"));
  return is_token(scheme) ? scheme : std::string_view{};
}

std::optional<Challenge> Challenge::parse(std::string_view value) {
  const auto out = read<Challenge>(value, kChallengeFields);
  if (!out || out->nonce.empty()) return std::nullopt;
  return out;
}

bool Challenge::is_stale() const {
  return iequals(stale, "true");
}

bool Challenge::offers_qop(std::string_view token) const {
  std::string_view rest = qop;
  for (auto one = next_element(rest); !one.empty(); one = next_element(rest)) {
    if (iequals(one, token)) return true;
  }
  return false;
}

std::string Challenge::to_string() const {
  return write<Challenge>(*this, kChallengeFields);
}

std::optional<Credentials> Credentials::parse(std::string_view value) {
  const auto out = read<Credentials>(value, kCredentialFields);
  if (!out || out->username.empty() || out->nonce.empty() || out->uri.empty() || out->response.empty()) {
    return std::nullopt;
  }
  return out;
}

std::optional<std::uint32_t> Credentials::nonce_count() const {
  std::uint32_t count = 0;
  if (nc.size() != 8) return std::nullopt;
  const auto [end, error] = std::from_chars(nc.data(), nc.data() + nc.size(), count, 16);
  if (error != std::errc{} || end != nc.data() + nc.size()) return std::nullopt;
  return count;
}

std::string Credentials::to_string() const {
  return write<Credentials>(*this, kCredentialFields);
}

}  // namespace bw::sip
