#include "server/reload.h"

#include "config/document.h"
#include "server/config_change.h"
#include "server/config_file.h"
#include "server/opening.h"

namespace bw::server {

std::vector<std::string> needs_restart(const config::Config& started, const config::Config& next) {
  std::vector<std::string> keys;
  const auto differs = [&](bool different, const char* key) {
    if (different) keys.emplace_back(key);
  };
  const config::Server& s = started.server;
  const config::Server& t = next.server;
  differs(s.sip_host != t.sip_host, "server.sip_host");
  differs(s.sip_port != t.sip_port, "server.sip_port");
  differs(s.sip_tls_port != t.sip_tls_port, "server.sip_tls_port");
  differs(s.rtp_port_range_start != t.rtp_port_range_start, "server.rtp_port_range_start");
  differs(s.rtp_port_range_end != t.rtp_port_range_end, "server.rtp_port_range_end");
  differs(s.webrtc_port != t.webrtc_port, "server.webrtc_port");
  // Off is at once; on needs the port.
  differs(!started.features.webrtc.enabled && next.features.webrtc.enabled, "features.webrtc.enabled");
  differs(started.api.host != next.api.host, "api.host");
  differs(started.api.port != next.api.port, "api.port");
  differs(started.api.tls_port != next.api.tls_port, "api.tls_port");
  differs(started.security.enable_tls != next.security.enable_tls, "security.enable_tls");
  differs(started.database.type != next.database.type || started.database.path != next.database.path ||
              started.database.host != next.database.host || started.database.name != next.database.name,
          "database");
  differs(started.logging.file != next.logging.file || started.logging.console != next.logging.console ||
              started.logging.format != next.logging.format,
          "logging");
  return keys;
}

namespace {

// Whoever asked for it, the log of the server is where one looks later.
void note(const std::vector<config::Problem>& problems, Log& log) {
  for (const config::Problem& p : problems) {
    if (p.severity == config::Severity::kError) {
      log.error("{}", config::to_text(p));
    } else {
      log.warning("{}", config::to_text(p));
    }
  }
}

void note(const api::ReloadOutcome& outcome, const config::Config& before, const config::Config& now,
          Log& log) {
  std::string changed;
  for (const std::string& key : differing_keys(config::document(before), config::document(now)))
    changed += (changed.empty() ? "; changed: " : ", ") + key;
  log.info("the configuration is in force{}", changed);
  for (const std::string& key : outcome.needs_restart) log.warning("{} changes with the next start", key);
}

}  // namespace

api::ReloadOutcome reload_configuration(const ReloadScope& scope) {
  api::ReloadOutcome outcome;
  config::Loaded loaded;
  if (scope.setup.config_file) {
    loaded = read_config(scope.setup.config_file);
  } else {
    loaded.config = scope.setup.config;  // no file; certificates and addresses may have changed all the same
  }
  for (const config::Problem& p : loaded.problems) outcome.problems.push_back(config::to_text(p));
  note(loaded.problems, scope.log);
  if (!loaded.usable()) {
    scope.log.error("the configuration has errors; nothing was changed");
    return outcome;
  }
  const auto certificates = certificates_of(loaded.config, scope.data_directory, scope.clock.now());
  const auto used = certificates ? scope.front.use_certificates(certificates->sip, certificates->http)
                                 : std::unexpected(certificates.error());
  if (!used) {
    outcome.problems.push_back(used.error());
    scope.log.error("{}; nothing was changed", used.error());
    return outcome;
  }
  outcome.applied = true;
  outcome.needs_restart = needs_restart(scope.started, loaded.config);
  note(outcome, scope.setup.config, loaded.config, scope.log);
  scope.setup.config = std::move(loaded.config);
  const config::Config& config = scope.setup.config;
  scope.log.set_level(log_setup(config, scope.data_directory).level);
  scope.administration.configure(config);
  scope.webhooks.configure(config.features.webhooks);
  scope.inbox.push_always(exchange::SettingsChanged{settings_of(config, scope.browsers, scope.log)});
  for (model::Extension& e : new_extensions(config, *scope.administration.directory())) {
    scope.administration.change(ports::SaveExtension{std::move(e)}, [](bool) {});
  }
  return outcome;
}

}  // namespace bw::server
