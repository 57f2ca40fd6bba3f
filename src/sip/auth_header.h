// Digest challenges and credentials as they stand in WWW-Authenticate, Proxy-Authenticate, Authorization and
// Proxy-Authorization (RFC 3261 §25.1, RFC 7616 §3.3-3.4). Their arithmetic is in sip/digest.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bw::sip {

// Views of the text they were read from. Quoted values are what stands between the quotes, backslashes
// included, because that is what both sides hash (RFC 7616 §3.4.1: unq).
struct Challenge {
  std::string_view realm;
  std::string_view domain;
  std::string_view nonce;
  std::string_view opaque;
  std::string_view algorithm;  // empty means MD5
  std::string_view qop;        // a list: "auth,auth-int"
  std::string_view stale;      // "true" or not

  // Nullopt for another scheme, for bad syntax and for a parameter that comes twice.
  static std::optional<Challenge> parse(std::string_view value);
  bool is_stale() const;
  bool offers_qop(std::string_view token) const;
  std::string to_string() const;
  friend bool operator==(const Challenge&, const Challenge&) = default;
};

struct Credentials {
  std::string_view username;
  std::string_view realm;
  std::string_view nonce;
  std::string_view uri;
  std::string_view response;
  std::string_view algorithm;
  std::string_view cnonce;
  std::string_view opaque;
  std::string_view qop;
  std::string_view nc;  // as it stands: eight hex digits when valid

  // As above; username, realm, nonce, uri and response must all be there.
  static std::optional<Credentials> parse(std::string_view value);
  // The nonce count, if nc is eight hex digits.
  std::optional<std::uint32_t> nonce_count() const;
  std::string to_string() const;
  friend bool operator==(const Credentials&, const Credentials&) = default;
};

// The scheme of such a header value: "Digest", "Basic"; empty if malformed.
std::string_view auth_scheme(std::string_view value);

}  // namespace bw::sip
