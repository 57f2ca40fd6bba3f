#include "config/detail/read.h"

#include <utility>

#include "model/ring_time.h"

namespace bw::config::detail {
namespace {

void read_server(Section& s, Server& out) {
  s.addresses("sip_host", out.sip_host);
  s.number("sip_port", out.sip_port, 1);
  s.number("sip_tls_port", out.sip_tls_port, 0);
  s.show("external_ip", out.external_ip ? out.external_ip->to_string() : "auto");
  if (const auto scalar = s.find_scalar("external_ip");
      scalar && scalar->text != "auto" && !scalar->text.empty()) {
    out.external_ip = IpAddress::parse(scalar->text);
    if (!out.external_ip || out.external_ip->is_unspecified() || out.external_ip->is_multicast()) {
      out.external_ip.reset();
      s.complain(*scalar, '"' + scalar->shown + "\" is not an address", "auto, or an IPv4 or IPv6 address");
    }
  }
  s.number("rtp_port_range_start", out.rtp_port_range_start, 1024);
  s.number("rtp_port_range_end", out.rtp_port_range_end, 1024);
  s.number("webrtc_port", out.webrtc_port, 0);
  s.text("server_name", out.server_name, 64);
  s.text("region", out.region, 2);
  s.text("language", out.language, 16);
}

void read_api(Section& s, Api& out) {
  s.addresses("host", out.host);
  s.number("port", out.port, 1);
  s.number("tls_port", out.tls_port, 0);
  s.text("tls_cert_file", out.tls_cert_file, 4096);
  s.text("tls_key_file", out.tls_key_file, 4096);
  s.texts("cors_origins", out.cors_origins);
  s.ignored("enable_cors");  // old files say true; without cors_origins that opens nothing
}

void read_database(Section& s, Database& out) {
  static constexpr std::array<Word<DatabaseType>, 3> kTypes{{{"sqlite", DatabaseType::kSqlite},
                                                             {"postgresql", DatabaseType::kPostgresql},
                                                             {"postgres", DatabaseType::kPostgresql}}};
  s.choice<DatabaseType>("type", out.type, kTypes);
  const bool server = out.type == DatabaseType::kPostgresql;
  s.only_while(!server, [&] { s.text("path", out.path, 4096); });
  s.only_while(server, [&] {
    s.text("host", out.host);
    s.number("port", out.port, 1);
    s.text("name", out.name);
    s.text("user", out.user);
    s.secret("password", out.password);
  });
}

void read_forward(Section& s, model::Forwarding& out) {
  s.dialable("always", out.always);
  s.dialable("busy", out.busy);
  s.dialable("no_answer", out.no_answer);
  s.dialable("unreachable", out.unreachable);
}

void read_extension(Section& s, ExtensionEntry& out) {
  out.line = s.place().line;
  s.extension("number", out.number.value, 2);
  s.person("name", out.name, 128);
  s.secret("password", out.password);
  s.person("email", out.email);
  s.flag("allow_external", out.allow_external);
  s.secret("voicemail_pin", out.voicemail_pin);
  s.section("forward", out.forward, read_forward);
  s.number_or_zero("ring_seconds", out.ring_seconds, model::kShortestRingSeconds, model::kLongestRingSeconds);
  s.flag("record", out.record);
  s.texts("groups", out.groups, 64);
}

void read_dialplan(Section& s, model::Dialplan& out) {
  s.pattern("internal_pattern", out.internal);
  s.pattern("conference_pattern", out.conference);
  s.pattern("voicemail_pattern", out.voicemail);
  s.pattern("parking_pattern", out.parking);
  s.pattern("queue_pattern", out.queue);
  s.pattern("auto_attendant_pattern", out.auto_attendant);
  s.pattern("paging_pattern", out.paging);
}

void read_integrations(Section& s, ActiveDirectory& out) {
  s.section("active_directory", out, read_active_directory);
}

void read_logging(Section& s, Logging& out) {
  static constexpr std::array<Word<LogLevel>, 6> kLevels{{{"DEBUG", LogLevel::kDebug},
                                                          {"INFO", LogLevel::kInfo},
                                                          {"WARNING", LogLevel::kWarning},
                                                          {"WARN", LogLevel::kWarning},
                                                          {"ERROR", LogLevel::kError},
                                                          {"CRITICAL", LogLevel::kError}}};
  static constexpr std::array<Word<LogFormat>, 2> kFormats{
      {{"text", LogFormat::kText}, {"json", LogFormat::kJson}}};
  s.choice<LogLevel>("level", out.level, kLevels);
  s.text("file", out.file, 4096);
  s.flag("console", out.console);
  s.choice<LogFormat>("format", out.format, kFormats);
}

void read_events(Section& s, Events& out) {
  s.number("retention_days", out.retention_days, 1, 3650);
  s.flag("dtmf", out.dtmf);
}

}  // namespace

void read_config(Section& root, Config& out) {
  root.flag("watch", out.watch);
  root.section("server", out.server, read_server);
  root.section("api", out.api, read_api);
  root.section("database", out.database, read_database);
  root.section("dialplan", out.dialplan, read_dialplan);
  root.section("features", out.features, read_features);
  root.list("extensions", out.extensions, read_extension);
  root.section("logging", out.logging, read_logging);
  root.section("security", out.security, read_security);
  root.section("events", out.events, read_events);
  root.section("prompts", out.prompts, read_prompts);
  root.section("emergency", out.emergency, read_emergency);
  root.list("trunks", out.trunks, read_trunk);
  root.section("integrations", out.active_directory, read_integrations);
  root.section("provisioning", out.provisioning, read_provisioning);

  // What belongs to a feature may lack its variables while the feature is off.
  const Features& on = out.features;
  root.only_while(on.call_recording, [&] { root.section("recording", out.recording, read_recording); });
  root.only_while(on.voicemail, [&] { root.section("voicemail", out.voicemail, read_voicemail); });
  root.only_while(on.conference, [&] { root.section("conference", out.conference, read_conference); });
  root.only_while(on.call_queues, [&] { root.list("queues", out.queues, read_queue); });
  root.only_while(on.call_parking, [&] { root.section("parking", out.parking, read_parking); });
  root.only_while(on.presence, [&] { root.section("presence", out.presence, read_presence); });
  root.only_while(on.music_on_hold,
                  [&] { root.section("music_on_hold", out.music_on_hold, read_music_on_hold); });
  root.only_while(on.auto_attendant,
                  [&] { root.section("auto_attendant", out.auto_attendant, read_auto_attendant); });
}

}  // namespace bw::config::detail
