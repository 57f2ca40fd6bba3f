// Sections about the world around the phones: security, trunks, directory, provisioning.
#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/hex.h"
#include "config/detail/read.h"

namespace bw::config::detail {
namespace {

void read_password_rules(Section& s, PasswordRules& out) {
  s.number("min_length", out.min_length, 4, 128);
  s.number("max_length", out.max_length, 8, 1024);
  s.flag("require_uppercase", out.require_uppercase);
  s.flag("require_lowercase", out.require_lowercase);
  s.flag("require_digit", out.require_digit);
  s.flag("require_special", out.require_special);
}

void read_rate_limit(Section& s, model::RateLimit& out) {
  s.number("max_attempts", out.max_attempts, 1, 1000);
  auto window = std::chrono::duration_cast<std::chrono::seconds>(out.window);
  auto lockout = std::chrono::duration_cast<std::chrono::seconds>(out.lockout);
  s.duration("window_seconds", window, 1, 86400);
  s.duration("lockout_duration", lockout, 0, 604800);
  out.window = window;
  out.lockout = lockout;
}

void read_audit(Section& s, Audit& out) {
  s.flag("enabled", out.enabled);
  s.want_only_if(out.enabled);
  s.flag("log_to_database", out.log_to_database);
  s.flag("log_to_file", out.log_to_file);
  s.text("log_file", out.log_file, 4096);
}

void read_inbound(Section& s, InboundRoute& out) {
  s.pattern("pattern", out.pattern);
  s.dialable("destination", out.destination);
}

void read_outbound(Section& s, OutboundRule& out) {
  s.pattern("pattern", out.pattern);
  s.number("strip", out.strip, 0, 32);
  s.dialable("prepend", out.prepend);
}

void read_device(Section& s, ProvisionedDevice& out) {
  s.show("mac", out.mac);
  if (const auto scalar = s.find_scalar("mac")) {
    std::string digits;
    for (const char c : scalar->text) {
      if (c != ':' && c != '-' && c != '.') digits += to_lower(c);
    }
    if (digits.size() == 12 && std::ranges::all_of(digits, is_hex)) {
      out.mac = digits;
    } else {
      s.complain(*scalar, '"' + scalar->shown + "\" is not a MAC address", "twelve hexadecimal digits");
    }
  }
  s.extension("extension", out.extension, 2);
  s.text("vendor", out.vendor, 64);
  s.text("model", out.model, 64);
  s.text("name", out.name, 128);
  s.text("location", out.location, 128);
}

}  // namespace

void read_security(Section& s, Security& out) {
  using model::DigestAlgorithm;
  using model::SrtpPolicy;
  static constexpr std::array<Word<DigestAlgorithm>, 2> kAlgorithms{
      {{"MD5", DigestAlgorithm::kMd5}, {"SHA-256", DigestAlgorithm::kSha256}}};
  // Old files say true; what they mean is that a phone may have it.
  static constexpr std::array<Word<SrtpPolicy>, 7> kSrtp{{{"off", SrtpPolicy::kOff},
                                                          {"optional", SrtpPolicy::kOptional},
                                                          {"required", SrtpPolicy::kRequired},
                                                          {"false", SrtpPolicy::kOff},
                                                          {"true", SrtpPolicy::kOptional},
                                                          {"no", SrtpPolicy::kOff},
                                                          {"yes", SrtpPolicy::kOptional}}};
  s.flag("require_authentication", out.require_authentication);
  s.section("password", out.password, read_password_rules);
  s.section("rate_limit", out.rate_limit, read_rate_limit);
  s.number("calls_per_extension", out.calls_per_extension, 1, 100'000);
  s.choices<DigestAlgorithm>("digest_algorithms", out.digest_algorithms, kAlgorithms);
  s.networks("trusted_networks", out.trusted_networks);
  s.section("audit", out.audit, read_audit);
  s.flag("enable_tls", out.enable_tls);
  s.only_while(out.enable_tls, [&] {
    s.text("tls_cert_file", out.tls_cert_file, 4096);
    s.text("tls_key_file", out.tls_key_file, 4096);
  });
  s.choice<SrtpPolicy>("enable_srtp", out.enable_srtp, kSrtp);
}

void read_trunk(Section& s, Trunk& out) {
  static constexpr std::array<Word<TrunkTransport>, 3> kTransports{
      {{"udp", TrunkTransport::kUdp}, {"tcp", TrunkTransport::kTcp}, {"tls", TrunkTransport::kTls}}};
  s.text("name", out.name, 64);
  s.text("host", out.host);
  s.number("port", out.port, 0);
  s.choice<TrunkTransport>("transport", out.transport, kTransports);
  s.flag("register", out.register_);
  s.text("username", out.username);
  s.secret("password", out.password);
  s.texts("codecs", out.codecs, 32);
  s.number("channels", out.channels, 0, 100'000);
  s.list("inbound", out.inbound, read_inbound);
  s.list("outbound", out.outbound, read_outbound);
}

void read_emergency(Section& s, Emergency& out) {
  s.extensions("numbers", out.numbers);
  s.text("trunk", out.trunk, 64);
  s.texts("notify", out.notify);
}

void read_active_directory(Section& s, ActiveDirectory& out) {
  static constexpr std::array<std::string_view, 2> kSchemes{"ldap://", "ldaps://"};
  s.flag("enabled", out.enabled);
  s.want_only_if(out.enabled);
  s.url("server", out.server, kSchemes);
  s.text("base_dn", out.base_dn, 1024);
  s.text("user_search_base", out.user_search_base, 1024);
  s.text("bind_dn", out.bind_dn, 1024);
  s.secret("bind_password", out.bind_password);
  s.flag("use_ssl", out.use_ssl);
  s.flag("auto_provision", out.auto_provision);
  s.flag("deactivate_removed_users", out.deactivate_removed_users);
  s.grants("group_permissions", out.group_permissions);
}

void read_provisioning(Section& s, Provisioning& out) {
  s.flag("enabled", out.enabled);
  s.want_only_if(out.enabled);
  s.text("url_format", out.url_format, 1024);
  s.text("custom_templates_dir", out.custom_templates_dir, 4096);
  s.list("devices", out.devices, read_device);
}

}  // namespace bw::config::detail
