#include "webhooks/subscription.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "base/ascii.h"
#include "base/nearest.h"
#include "events/description.h"
#include "webhooks/signature.h"

namespace bw::webhooks {
namespace {

constexpr std::size_t kLongestUrl = 2'048;
constexpr std::size_t kLongestPattern = 64;
constexpr std::size_t kLongestHeader = 4'096;
constexpr std::size_t kShortestSecret = 8;
constexpr std::size_t kLongestSecret = 512;

bool is_printable(char c) {
  return c > ' ' && c < '\x7f';
}

bool is_token_char(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return is_alnum(c) || kOthers.find(c) != kOthers.npos;
}

// What a delivery says about itself or the connection depends on.
bool is_reserved(std::string_view name) {
  constexpr std::array<std::string_view, 11> kReserved{
      "host",   "content-length", "content-type", "transfer-encoding", "connection", "user-agent",
      "expect", "upgrade",        "te",           "trailer",           "keep-alive",
  };
  const std::string name_lower = lowered(name);
  return name_lower.starts_with("x-webhook-") || name_lower.starts_with("webhook-") ||
         std::ranges::find(kReserved, name_lower) != kReserved.end();
}

std::string_view scheme_of(std::string_view url) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (iequals(url.substr(0, scheme.size()), scheme)) return scheme;
  }
  return {};
}

std::string_view authority_of(std::string_view url) {
  url.remove_prefix(scheme_of(url).size());
  return url.substr(0, url.find_first_of("/?#"));
}

// "host", "host:8080", "[::1]", "[::1]:8080"
bool has_usable_port(std::string_view authority) {
  const std::size_t bracket = authority.starts_with('[') ? authority.find(']') : std::size_t{0};
  if (bracket == authority.npos) return false;
  const std::string_view rest = authority.substr(bracket);
  const std::size_t colon = rest.find(':');
  if (colon == rest.npos) return bracket == 0 || rest == "]";
  if (bracket != 0 && colon != 1) return false;
  const std::string_view digits = rest.substr(colon + 1);
  std::uint32_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc{} && end == digits.data() + digits.size() && port >= 1 && port <= 65'535;
}

std::vector<std::string_view> known_types() {
  std::vector<std::string_view> all{"webhook.test"};
  for (const events::Description& d : events::descriptions()) all.push_back(d.type);
  const auto later = events::later_types();
  all.insert(all.end(), later.begin(), later.end());
  return all;
}

// "call.*", into texts that stay.
std::vector<std::string_view> groups_of(const std::vector<std::string_view>& types) {
  static const std::set<std::string, std::less<>> kGroups = [&] {
    std::set<std::string, std::less<>> groups;
    for (const std::string_view type : types)
      groups.insert(std::string(type.substr(0, type.find('.'))) + ".*");
    return groups;
  }();
  return {kGroups.begin(), kGroups.end()};
}

}  // namespace

bool wants(const Subscription& s, const events::StoredEvent& event) {
  if (std::ranges::none_of(s.events,
                           [&](const auto& pattern) { return events::matches(pattern, event.type); }))
    return false;
  return s.extensions.empty() || std::ranges::any_of(event.extensions, [&](const std::string& e) {
           return std::ranges::find(s.extensions, e) != s.extensions.end();
         });
}

std::string host_of(std::string_view url) {
  const std::string_view authority = authority_of(url);
  const auto at = authority.rfind('@');
  return std::string(at == authority.npos ? authority : authority.substr(at + 1));
}

std::optional<IpAddress> address_in(std::string_view url) {
  std::string host = host_of(url);
  if (host.starts_with('[')) {
    host = host.substr(1, host.find(']') - 1);
  } else {
    host.resize(std::min(host.find(':'), host.size()));
  }
  return IpAddress::parse(iequals(host, "localhost") ? "127.0.0.1" : host);
}

std::optional<std::string> fault_of_url(std::string_view url) {
  if (url.size() > kLongestUrl) return "The URL is longer than 2048 characters.";
  if (!std::ranges::all_of(url, is_printable)) return "The URL must be ASCII without spaces.";
  if (scheme_of(url).empty()) return "The URL must begin with http:// or https://.";
  const std::string_view authority = authority_of(url);
  if (authority.empty() || authority.front() == ':') return "The URL names no host.";
  if (authority.find('@') != authority.npos)
    return "The URL may hold no user and password; put them into an Authorization header.";
  if (!has_usable_port(authority)) return "The port of the URL must be a number from 1 to 65535.";
  if (url.find('#') != url.npos) return "The URL may hold no fragment (#).";
  if (url.find('\\') != url.npos) return "The URL may hold no backslash.";
  return std::nullopt;
}

std::optional<std::string> fault_of_event(std::string_view pattern) {
  constexpr const char* kSentence =
      "An event is \"*\", a group such as \"call.*\", or a type such as \"call.ended\".";
  if (pattern == "*") return std::nullopt;
  if (pattern.size() > kLongestPattern) return kSentence;
  std::string_view rest = pattern;
  if (rest.ends_with(".*")) rest.remove_suffix(2);
  const bool words =
      std::ranges::all_of(rest, [](char c) { return (c >= 'a' && c <= 'z') || c == '_' || c == '.'; });
  const bool dots = rest.find("..") == rest.npos && !rest.starts_with('.') && !rest.ends_with('.');
  if (rest.empty() || !words || !dots || (rest == pattern && rest.find('.') == rest.npos)) return kSentence;
  const auto known = known_types();
  if (std::ranges::any_of(known, [&](std::string_view type) { return events::matches(pattern, type); }))
    return std::nullopt;
  std::string sentence = "There is no event \"" + std::string(pattern) + '"';
  const std::string_view meant = nearest(pattern, pattern == rest ? known : groups_of(known));
  return sentence + (meant.empty() ? "." : "; did you mean \"" + std::string(meant) + "\"?");
}

std::optional<std::string> fault_of_header(std::string_view name, std::string_view value) {
  if (name.empty() || name.size() > kLongestPattern || !std::ranges::all_of(name, is_token_char))
    return "\"" + std::string(name.substr(0, kLongestPattern)) + "\" is not the name of a header.";
  if (is_reserved(name))
    return "The header " + std::string(name) + " belongs to the delivery and cannot be set.";
  const bool clean =
      std::ranges::all_of(value, [](char c) { return c == '\t' || is_printable(c) || c == ' '; });
  if (value.empty() || value.size() > kLongestHeader || !clean)
    return "The value of the header " + std::string(name) +
           " must be ASCII on one line, 1 to 4096 characters.";
  return std::nullopt;
}

std::optional<std::string> fault_of_secret(std::string_view secret) {
  if (secret.size() < kShortestSecret || secret.size() > kLongestSecret)
    return "A secret has 8 to 512 characters.";
  if (!std::ranges::all_of(secret, is_printable)) return "A secret must be ASCII without spaces.";
  if (secret.starts_with(kSecretPrefix) && key_of(secret) == secret)
    return "After whsec_ a secret must be base64.";
  return std::nullopt;
}

}  // namespace bw::webhooks
