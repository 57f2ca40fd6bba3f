// Passwords of extensions: rules, making one, and what is kept of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/rng.h"
#include "base/secret.h"
#include "model/extension.h"

namespace bw::api {

struct PasswordRules {  // security.password
  std::uint32_t min_length = 12;
  std::uint32_t max_length = 128;
  bool require_uppercase = true;
  bool require_lowercase = true;
  bool require_digit = true;
  bool require_special = true;
};

// Why a password is not taken, as a sentence; none: it is.
std::optional<std::string> objection_to(std::string_view password, const PasswordRules& rules);

// About 100 bits or more, keeps the rules, and survives phone keypads and configuration lines: no character
// that looks like another, none that such lines give a meaning to.
Secret<std::string> generate_password(Rng& rng, const PasswordRules& rules);

// H(number:realm:password) of both algorithms, whatever security.digest_algorithms says now.
bool same_credentials(const model::Credentials& a, const model::Credentials& b);  // in constant time
model::Credentials credentials_of(std::string_view number, const Secret<std::string>& password);

}  // namespace bw::api
