#include "access/credentials.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/hex.h"

namespace bw::access {
namespace {

constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kLongestToken = 128;

bool is_token_char(char c) {
  return is_alnum(c) || c == '_' || c == '-';
}

// "pbx.example:8080" without a port that its scheme has anyway.
std::string_view without_default_port(std::string_view host, bool tls) {
  const std::string_view port = tls ? ":443" : ":80";
  if (host.ends_with(port)) host.remove_suffix(port.size());
  return host;
}

}  // namespace

Secret<std::string> make_token(std::string_view prefix, Rng& rng) {
  std::array<std::byte, kTokenBytes> bytes{};
  rng.fill(bytes);
  const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  return Secret{std::string(prefix) + to_base64(text, Base64::kUrl)};
}

std::string digest_of(std::string_view token) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(token.data()), token.size());
  return to_hex(hash);
}

std::optional<std::string_view> cookie_of(std::string_view header, std::string_view name) {
  std::optional<std::string_view> found;
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(';'), header.size());
    const std::string_view pair = trimmed(header.substr(0, end));
    header.remove_prefix(std::min(end + 1, header.size()));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
    if (found) return std::nullopt;
    found = pair.substr(equals + 1);
  }
  if (!found || found->empty() || found->size() > kLongestToken ||
      !std::ranges::all_of(*found, is_token_char))
    return std::nullopt;
  return found;
}

std::optional<std::string_view> bearer_of(std::string_view header) {
  constexpr std::string_view kScheme = "bearer ";
  header = trimmed(header);
  if (!iequals(header.substr(0, kScheme.size()), kScheme)) return std::nullopt;
  const std::string_view token = trimmed(header.substr(kScheme.size()));
  if (token.empty() || token.size() > kLongestToken || !std::ranges::all_of(token, is_token_char))
    return std::nullopt;
  return token;
}

// The scheme is not compared: a proxy in front may speak TLS while we do not, and a page of the same host and
// port is our own either way.
bool is_origin_of(std::string_view origin, std::string_view host, bool tls) {
  bool secure = tls;
  if (origin.starts_with("https://")) {
    origin.remove_prefix(8);
    secure = true;
  } else if (origin.starts_with("http://")) {
    origin.remove_prefix(7);
    secure = false;
  } else {
    return false;  // "null" and what is no origin
  }
  // Behind a proxy that speaks TLS for us the page's scheme is https and ours is not; never the other way.
  if (tls && !secure) return false;
  return !host.empty() && iequals(without_default_port(origin, secure), without_default_port(host, secure));
}

}  // namespace bw::access
