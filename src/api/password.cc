#include "api/password.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/control.h"
#include "model/settings.h"
#include "sip/digest.h"

namespace bw::api {
namespace {

// Without 0 O 1 l I.
constexpr std::string_view kUpper = "ABCDEFGHJKLMNPQRSTUVWXYZ";
constexpr std::string_view kLower = "abcdefghijkmnopqrstuvwxyz";
constexpr std::string_view kDigits = "23456789";
constexpr std::string_view kSpecial = "-_.";
constexpr std::size_t kGenerated = 20;

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_special(char c) {
  return !is_upper(c) && !is_lower(c) && !is_digit(c);
}

char one_of(std::string_view set, Rng& rng) {
  return set[rng.below(set.size())];
}

}  // namespace

std::optional<std::string> objection_to(std::string_view password, const PasswordRules& rules) {
  const auto lacks = [&](bool required, bool (*is)(char)) {
    return required && std::ranges::none_of(password, is);
  };
  if (password.size() < rules.min_length) {
    return fmt::format("The password must have at least {} characters.", rules.min_length);
  }
  if (password.size() > rules.max_length) {
    return fmt::format("The password must have at most {} characters.", rules.max_length);
  }
  if (has_control(password)) {
    return "The password must not hold control characters.";
  }
  if (lacks(rules.require_uppercase, is_upper)) return "The password needs an upper-case letter.";
  if (lacks(rules.require_lowercase, is_lower)) return "The password needs a lower-case letter.";
  if (lacks(rules.require_digit, is_digit)) return "The password needs a digit.";
  if (lacks(rules.require_special, is_special))
    return "The password needs a character that is no letter and no digit.";
  return std::nullopt;
}

Secret<std::string> generate_password(Rng& rng, const PasswordRules& rules) {
  const std::string any = std::string(kUpper).append(kLower).append(kDigits);
  const std::size_t length = std::clamp<std::size_t>(kGenerated, rules.min_length, rules.max_length);
  std::string password{one_of(kUpper, rng), one_of(kLower, rng), one_of(kDigits, rng), one_of(kSpecial, rng)};
  while (password.size() < length) password += one_of(any, rng);
  for (std::size_t i = password.size() - 1; i > 0; --i) std::swap(password[i], password[rng.below(i + 1)]);
  // A special character at either end is easily lost when copying by hand.
  const auto is_plain = [](char c) { return !is_special(c); };
  for (char* end : {&password.front(), &password.back()}) {
    if (is_special(*end))
      std::iter_swap(end, std::ranges::find_if(password.begin() + 1, password.end() - 1, is_plain));
  }
  return Secret{std::move(password)};
}

bool same_credentials(const model::Credentials& a, const model::Credentials& b) {
  const bool md5 = sip::equal_in_constant_time(a.ha1_md5.reveal(), b.ha1_md5.reveal());
  const bool sha256 = sip::equal_in_constant_time(a.ha1_sha256.reveal(), b.ha1_sha256.reveal());
  return md5 && sha256;
}

model::Credentials credentials_of(std::string_view number, const Secret<std::string>& password) {
  sip::DigestComputer digest;
  const auto ha1 = [&](sip::DigestHash hash) {
    return Secret{std::string(digest.ha1(hash, number, model::kRealm, password.reveal()).view())};
  };
  return {ha1(sip::DigestHash::kMd5), ha1(sip::DigestHash::kSha256)};
}

}  // namespace bw::api
