// SIP, SIPS and tel URIs (RFC 3261 §19.1, RFC 3966); any other scheme is carried as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sip/params.h"

namespace bw::sip {

enum class Scheme : std::uint8_t { kSip, kSips, kTel, kOther };

// A view of a URI; valid as long as the text it was read from. Whoever keeps one keeps the text.
// All parts are as on the wire, escapes included.
struct Uri {
  static constexpr std::size_t kMaxHeaders = 64;  // more in one URI are refused

  Scheme scheme = Scheme::kSip;
  std::string_view user;                     // the number of a tel URI
  std::optional<std::string_view> password;  // must not be believed, shown or passed on (§19.1.1)
  std::string_view host;                     // IPv6 with its brackets; empty for tel
  std::optional<std::uint16_t> port;
  Params params;
  std::string_view headers;  // behind '?'
  std::string_view other;    // the whole text of kOther

  static std::optional<Uri> parse(std::string_view text);

  bool is_sip() const { return scheme == Scheme::kSip || scheme == Scheme::kSips; }
  // The user without escapes and, where the user is a telephone number with its own parameters
  // ("+1-212;phone-context=x", ";user=phone"), without those.
  std::string decoded_user() const;
  std::string to_string() const;
  // scheme:user@host:port alone, host in lower case: an address-of-record (§10.3 step 5).
  std::string address_of_record() const;

  friend bool operator==(const Uri&, const Uri&) = default;  // part by part, not the rules of §19.1.4
};

// The comparison of RFC 3261 §19.1.4, and of RFC 3966 §5 for tel.
bool equivalent(const Uri& a, const Uri& b);

// %HH undone. False: `s` holds a broken escape.
std::optional<std::string> unescape(std::string_view s);
// Text as the user part of a URI.
std::string escape_user(std::string_view text);
// Text as the value of a URI parameter or header.
std::string escape_param(std::string_view text);
std::string escape_header(std::string_view text);

}  // namespace bw::sip
