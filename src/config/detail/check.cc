// What only several keys together can tell.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/nearest.h"
#include "config/detail/read.h"
#include "webhooks/subscription.h"

namespace bw::config::detail {
namespace {

Place place_of(const Reading& reading, std::string_view path) {
  return reading.given(path).value_or(Place{});
}

struct Listener {
  std::string_view key;
  const std::vector<IpAddress>& hosts;
  std::uint16_t port;
};

bool overlap(const std::vector<IpAddress>& a, const std::vector<IpAddress>& b) {
  return std::ranges::any_of(a, [&](const IpAddress& x) {
    return std::ranges::any_of(b, [&](const IpAddress& y) {
      if (x == y) return true;
      if (x.is_unspecified()) return x.is_v6() || y.is_v4();  // "::" takes both families
      return y.is_unspecified() && (y.is_v6() || x.is_v4());
    });
  });
}

void check_ports(Reading& reading, const Config& c) {
  std::vector<Listener> listeners{{"server.sip_port", c.server.sip_host, c.server.sip_port},
                                  {"api.port", c.api.host, c.api.port}};
  if (c.security.enable_tls && c.server.sip_tls_port != 0) {
    listeners.push_back({"server.sip_tls_port", c.server.sip_host, c.server.sip_tls_port});
  }
  if (c.api.tls_port != 0) listeners.push_back({"api.tls_port", c.api.host, c.api.tls_port});
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const Listener& a = listeners[j];
      const Listener& b = listeners[i];
      if (a.port != b.port || !overlap(a.hosts, b.hosts)) continue;
      const bool at_b = reading.given(b.key).has_value();
      const std::string_view key = at_b ? b.key : a.key;
      reading.report(place_of(reading, key), key,
                     fmt::format("port {} is also that of {}", b.port, at_b ? a.key : b.key),
                     "a port of its own");
    }
  }
}

// A page that names itself "null" may be anybody's. "*", which old files have, would be everybody: it opens
// nothing.
void check_origins(Reading& reading, const Api& api) {
  for (const std::string& origin : api.cors_origins) {
    const std::string_view text{origin};
    const std::size_t scheme = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : 0;
    if (scheme != 0 && text.size() > scheme && text.find_first_of("/?#@*\\ ", scheme) == text.npos) continue;
    reading.report(place_of(reading, "api.cors_origins"), "api.cors_origins",
                   fmt::format("'{}' is not the origin of a page", origin),
                   "https://host or https://host:port, nothing behind it", {},
                   origin == "*" ? Severity::kWarning : Severity::kError);
  }
}

void check_media_ports(Reading& reading, const Server& s) {
  constexpr unsigned kOneCall = 4;  // two legs, each RTP and RTCP
  constexpr unsigned kFiftyCalls = 200;
  const std::string_view start = "server.rtp_port_range_start";
  const std::string_view end = "server.rtp_port_range_end";
  if (s.rtp_port_range_start % 2 != 0) {
    reading.report(place_of(reading, start), start, "must be even: RTP takes even ports, RTCP the next one",
                   std::to_string(s.rtp_port_range_start + 1));
  }
  const std::string_view key = reading.given(end) ? end : start;
  const Place place = place_of(reading, key);
  const unsigned ports =
      s.rtp_port_range_end < s.rtp_port_range_start ? 0U : s.rtp_port_range_end - s.rtp_port_range_start + 1U;
  if (ports < kOneCall) {
    return reading.report(place, key, "the range is too small for one call", "end at least 3 above start");
  }
  if (ports < kFiftyCalls) {
    reading.report(place, key,
                   fmt::format("the range is enough for {} calls at a time only", ports / kOneCall), {}, {},
                   Severity::kWarning);
  }
  const auto inside = [&](std::uint16_t port) {
    return port >= s.rtp_port_range_start && port <= s.rtp_port_range_end;
  };
  if (inside(s.sip_port)) {
    const std::string_view at = reading.given("server.sip_port") ? std::string_view("server.sip_port") : key;
    reading.report(place_of(reading, at), at,
                   fmt::format("port {} lies in the range of RTP ports", s.sip_port));
  }
  if (s.webrtc_port != 0 && s.webrtc_port == s.sip_port) {
    reading.report(place_of(reading, "server.webrtc_port"), "server.webrtc_port",
                   "also that of server.sip_port", "a port of its own");
  }
}

void check_prompts(Reading& reading, const Prompts& prompts) {
  static constexpr std::string_view kKey = "prompts.directory";
  if (prompts.directory.empty() || prompts.directory.starts_with('/')) return;
  reading.report(place_of(reading, kKey), kKey, '"' + prompts.directory + "\" is not an absolute path",
                 "a directory with recordings in G.722, from / on; empty for tones");
}

void check_authentication(Reading& reading, const Config& c) {
  if (c.security.require_authentication) return;
  const auto loopback = [](const IpAddress& ip) { return ip.is_loopback(); };
  if (std::ranges::all_of(c.server.sip_host, loopback) && std::ranges::all_of(c.api.host, loopback)) return;
  constexpr std::string_view kKey = "security.require_authentication";
  reading.report(place_of(reading, kKey), kKey,
                 "may only be false while every listening address is loopback: anybody could place calls",
                 "true, or server.sip_host and api.host 127.0.0.1");
}

void check_certificate(Reading& reading, std::string_view section, const std::string& cert,
                       const std::string& key) {
  if (cert.empty() == key.empty()) return;
  const std::string given = fmt::format("{}.{}", section, cert.empty() ? "tls_key_file" : "tls_cert_file");
  const std::string other = fmt::format("{}.{}", section, cert.empty() ? "tls_cert_file" : "tls_key_file");
  reading.report(place_of(reading, given), given, "needs " + other + " beside it");
}

// What the rules miss in the password, in words; empty: nothing.
std::string missing(const std::string& password, const PasswordRules& rules) {
  std::string out;
  const auto want = [&](bool on, const char* what, auto is) {
    const auto fits = [&](char c) { return is(static_cast<unsigned char>(c)) != 0; };
    if (on && std::ranges::none_of(password, fits)) out += (out.empty() ? "" : ", ") + std::string(what);
  };
  if (password.size() < rules.min_length) out += fmt::format("at least {} characters", rules.min_length);
  if (password.size() > rules.max_length) out += fmt::format("at most {} characters", rules.max_length);
  want(rules.require_uppercase, "a capital letter", [](unsigned char c) { return std::isupper(c); });
  want(rules.require_lowercase, "a small letter", [](unsigned char c) { return std::islower(c); });
  want(rules.require_digit, "a digit", [](unsigned char c) { return std::isdigit(c); });
  want(rules.require_special, "a special character",
       [](unsigned char c) { return c < 0x80 && std::ispunct(c); });
  return out;
}

// A number may be given away once. `taken` knows whose it is.
void take_number(Reading& reading, std::map<std::string, std::string>& taken, const std::string& number,
                 const std::string& path) {
  if (number.empty()) return;
  const auto [it, fresh] = taken.emplace(number, path);
  if (!fresh) {
    reading.report(place_of(reading, path), path,
                   fmt::format("the number {} is already that of {}", number, it->second),
                   "a number of its own");
  }
}

void check_extensions(Reading& reading, const Config& c, std::map<std::string, std::string>& taken) {
  for (std::size_t i = 0; i < c.extensions.size(); ++i) {
    const ExtensionEntry& e = c.extensions[i];
    const std::string path = fmt::format("extensions[{}]", i);
    if (!reading.given(path + ".number")) {
      reading.report({e.line, 1}, path + ".number", "missing: an extension needs a number", "2 to 10 digits");
    }
    take_number(reading, taken, e.number.value, path + ".number");
    const std::string& password = e.password.reveal();
    if (password.empty()) continue;
    if (const std::string lacks = missing(password, c.security.password); !lacks.empty()) {
      reading.report(place_of(reading, path + ".password"), path + ".password", "a weak password", lacks, {},
                     Severity::kWarning);
    }
  }
}

// As the API would refuse them. Warnings: the database may hold extensions that no file names.
void check_forwards(Reading& reading, const Config& c) {
  std::map<std::string_view, std::string_view> always;  // of each
  for (const ExtensionEntry& e : c.extensions) always.emplace(e.number.value, e.forward.always);
  const auto fault_of = [&](const std::string& number, const std::string& target) -> std::string {
    if (target == number) return "an extension cannot be forwarded to itself";
    std::string_view at = target;
    for (std::size_t hops = 0; hops <= always.size(); ++hops) {
      const auto next = always.find(at);
      if (next == always.end())
        return hops == 0 ? fmt::format("this file has no extension {} to forward to", target) : "";
      if (next->second.empty()) return {};
      at = next->second;
      if (at == number) return fmt::format("{} forwards every call on to {}: a circle", next->first, number);
    }
    return fmt::format("the forwards behind {} go in a circle", target);
  };
  for (std::size_t i = 0; i < c.extensions.size(); ++i) {
    const ExtensionEntry& e = c.extensions[i];
    for (const auto& [cause, target] :
         {std::pair{"always", &e.forward.always}, std::pair{"busy", &e.forward.busy},
          std::pair{"no_answer", &e.forward.no_answer}, std::pair{"unreachable", &e.forward.unreachable}}) {
      if (target->empty()) continue;
      const std::string fault = fault_of(e.number.value, *target);
      const std::string key = fmt::format("extensions[{}].forward.{}", i, cause);
      if (!fault.empty()) reading.report(place_of(reading, key), key, fault, {}, {}, Severity::kWarning);
    }
  }
}

void check_other_numbers(Reading& reading, const Config& c, std::map<std::string, std::string>& taken) {
  for (std::size_t i = 0; i < c.queues.size(); ++i) {
    const std::string path = fmt::format("queues[{}].number", i);
    if (!reading.given(path)) {
      reading.report(place_of(reading, fmt::format("queues[{}]", i)), path,
                     "missing: a queue needs a number");
    }
    take_number(reading, taken, c.queues[i].number, path);
  }
  for (std::size_t i = 0; i < c.features.paging.zones.size(); ++i) {
    const std::string path = fmt::format("features.paging.zones[{}].extension", i);
    take_number(reading, taken, c.features.paging.zones[i].extension, path);
  }
  if (c.parking.range_start > c.parking.range_end) {
    const std::string_view key =
        reading.given("parking.range_end") ? "parking.range_end" : "parking.range_start";
    reading.report(place_of(reading, key), key, "the range ends before it starts");
  }
}

void check_trunks(Reading& reading, const Config& c) {
  std::set<std::string, std::less<>> names;
  std::vector<std::string_view> known;
  for (std::size_t i = 0; i < c.trunks.size(); ++i) {
    const std::string path = fmt::format("trunks[{}]", i);
    for (const char* key : {".name", ".host"}) {
      if (!reading.given(path + key)) reading.report(place_of(reading, path), path + key, "missing");
    }
    const std::string& name = c.trunks[i].name;
    if (!name.empty() && !names.insert(name).second) {
      reading.report(place_of(reading, path + ".name"), path + ".name", "another trunk has this name");
    }
    known.push_back(name);
  }
  const std::string& emergency = c.emergency.trunk;
  if (!emergency.empty() && !names.contains(emergency)) {
    reading.report(place_of(reading, "emergency.trunk"), "emergency.trunk", "no trunk has this name", {},
                   nearest(emergency, known));
  }
}

void check_security(Reading& reading, const Security& s) {
  if (s.password.min_length > s.password.max_length) {
    const std::string_view key = reading.given("security.password.min_length")
                                     ? "security.password.min_length"
                                     : "security.password.max_length";
    reading.report(place_of(reading, key), key, "min_length is larger than max_length");
  }
  constexpr std::string_view kDigest = "security.digest_algorithms";
  auto algorithms = s.digest_algorithms;
  if (algorithms.empty()) {
    reading.report(place_of(reading, kDigest), kDigest, "at least one is needed", "MD5, SHA-256");
  }
  std::ranges::sort(algorithms);
  if (std::ranges::adjacent_find(algorithms) != algorithms.end()) {
    reading.report(place_of(reading, kDigest), kDigest, "the same one twice");
  }
  const auto everybody = [](const Network& n) { return n.prefix == 0; };
  if (std::ranges::any_of(s.trusted_networks, everybody)) {
    reading.report(place_of(reading, "security.trusted_networks"), "security.trusted_networks",
                   "holds every address: nobody who guesses passwords will be banned", {}, {},
                   Severity::kWarning);
  }
  if (s.audit.log_to_file && s.audit.log_file.empty()) {
    reading.report(place_of(reading, "security.audit.log_to_file"), "security.audit.log_to_file",
                   "needs security.audit.log_file");
  }
}

// As the API would refuse them.
void check_webhooks(Reading& reading, const Webhooks& w) {
  for (std::size_t i = 0; i < w.subscriptions.size(); ++i) {
    const Subscription& s = w.subscriptions[i];
    const std::string path = fmt::format("features.webhooks.subscriptions[{}]", i);
    const auto object_to = [&](std::string_view key, const std::optional<std::string>& fault) {
      if (fault) reading.report(place_of(reading, path), path + '.' + std::string(key), *fault);
    };
    object_to("url", webhooks::fault_of_url(s.url));
    for (const std::string& event : s.events) {
      const auto fault = webhooks::fault_of_event(event);
      // An older file may name what no longer happens: it is never sent, and harms nobody.
      if (fault)
        reading.report(place_of(reading, path), path + ".events", *fault, {}, {}, Severity::kWarning);
    }
    for (const auto& [name, value] : s.headers)
      object_to("headers", webhooks::fault_of_header(name, value.reveal()));
    if (!s.secret.reveal().empty()) object_to("secret", webhooks::fault_of_secret(s.secret.reveal()));
  }
}

}  // namespace

void check(Reading& reading, const Config& config) {
  check_prompts(reading, config.prompts);
  check_ports(reading, config);
  check_media_ports(reading, config.server);
  check_authentication(reading, config);
  check_certificate(reading, "api", config.api.tls_cert_file, config.api.tls_key_file);
  check_certificate(reading, "security", config.security.tls_cert_file, config.security.tls_key_file);
  std::map<std::string, std::string> taken;
  check_extensions(reading, config, taken);
  check_forwards(reading, config);
  check_other_numbers(reading, config, taken);
  check_trunks(reading, config);
  check_security(reading, config.security);
  check_webhooks(reading, config.features.webhooks);
  check_origins(reading, config.api);
}

}  // namespace bw::config::detail
