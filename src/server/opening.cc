#include "server/opening.h"

#include "io/certificate.h"
#include "io/host.h"
#include "server/data_directory.h"
#include "server/first_admin.h"
#include "server/log_file.h"
#include "store/access.h"
#include "store/seal.h"

namespace bw::server {
namespace {

std::vector<Endpoint> endpoints(const std::vector<IpAddress>& hosts, std::uint16_t port) {
  std::vector<Endpoint> all;
  if (port == 0) return all;
  for (const IpAddress& host : hosts) {
    const auto more = io::with_dual_stack({host, port});
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

io::CertificateNames own_names(const config::Config& config) {
  io::CertificateNames names{{io::host_name()}, io::local_addresses()};
  if (names.hosts.front() != "localhost") names.hosts.emplace_back("localhost");
  if (config.server.external_ip) names.addresses.push_back(*config.server.external_ip);
  return names;
}

}  // namespace

std::vector<Endpoint> sip_addresses(const config::Config& config) {
  return endpoints(config.server.sip_host, config.server.sip_port);
}

std::vector<Endpoint> browser_addresses(const config::Config& config, std::uint16_t port) {
  return endpoints(config.server.sip_host, port);
}

io::FrontDoors front_doors(const config::Config& config, const std::filesystem::path& data_directory) {
  io::FrontDoors doors;
  doors.sip_tcp = sip_addresses(config);
  if (config.security.enable_tls)
    doors.sip_tls = endpoints(config.server.sip_host, config.server.sip_tls_port);
  doors.http = endpoints(config.api.host, config.api.port);
  if (config.security.enable_tls) doors.https = endpoints(config.api.host, config.api.tls_port);
  doors.control_socket = control_socket(data_directory);
  return doors;
}

api::PasswordRules password_rules(const config::Config& config) {
  const config::PasswordRules& r = config.security.password;
  return {r.min_length,        r.max_length,    r.require_uppercase,
          r.require_lowercase, r.require_digit, r.require_special};
}

Log::Setup log_setup(const config::Config& config, const std::filesystem::path& data_directory) {
  const auto level = [&] {
    switch (config.logging.level) {
      case config::LogLevel::kDebug:
        return Level::kDebug;
      case config::LogLevel::kInfo:
        return Level::kInfo;
      case config::LogLevel::kWarning:
        return Level::kWarning;
      case config::LogLevel::kError:
        return Level::kError;
    }
    return Level::kInfo;
  };
  return {level(), config.logging.console, log_file_in(data_directory, config.logging.file),
          config.logging.format == config::LogFormat::kJson};
}

Duration events_kept_for(const config::Config& config) {
  return std::chrono::days(config.events.retention_days);
}

store::Target database_target(const config::Config& config, const std::filesystem::path& data_directory) {
  const config::Database& d = config.database;
  if (d.type == config::DatabaseType::kPostgresql)
    return store::Postgresql{d.host, d.port, d.name, d.user, d.password};
  return store::Sqlite{data_directory / d.path};  // an absolute path stays itself
}

std::expected<Certificates, std::string> certificates_of(const config::Config& config,
                                                         const std::filesystem::path& data_directory,
                                                         Instant now) {
  Certificates found;
  if (!config.security.enable_tls) return found;
  const auto given = [](const std::string& certificate,
                        const std::string& key) -> std::optional<io::TlsFiles> {
    if (certificate.empty()) return std::nullopt;
    return io::TlsFiles{certificate, key.empty() ? certificate : key};
  };
  found.sip = given(config.security.tls_cert_file, config.security.tls_key_file);
  found.http = given(config.api.tls_cert_file, config.api.tls_key_file);
  if (!found.sip) {
    auto own = io::own_certificate(data_directory, own_names(config), now);
    if (!own) return std::unexpected(own.error());
    found.sip = std::move(*own);
  }
  if (!found.http) found.http = found.sip;
  return found;
}

std::vector<model::Extension> new_extensions(const config::Config& config,
                                             const model::Directory& directory) {
  std::vector<model::Extension> fresh;
  for (const config::ExtensionEntry& entry : config.extensions) {
    if (directory.find(entry.number.value) != nullptr) continue;
    model::Extension e = config::to_extension(entry);
    if (!entry.password.reveal().empty())
      e.credentials = api::credentials_of(entry.number.value, entry.password);
    fresh.push_back(std::move(e));
  }
  return fresh;
}

std::expected<OpenedDatabase, std::string> open_database(const config::Config& config,
                                                         const std::filesystem::path& data_directory,
                                                         Instant now, Rng& rng, Log& log) {
  const auto sentence = [](const store::Failure& f) { return std::unexpected(f.sentence); };
  const auto key = store::SealKey::load_or_make(data_directory);
  if (!key) return std::unexpected(key.error());
  store::Claim claim;
  claim.on_wait = [&](const std::string& sentence) {
    log.warning("{}; waiting up to {} s for its end", sentence,
                std::chrono::duration_cast<std::chrono::seconds>(claim.patience).count());
  };
  auto opened = store::Store::open_alone(database_target(config, data_directory), *key, claim);
  if (!opened) return sentence(opened.error());
  auto extensions = opened->load_extensions();
  if (!extensions) return sentence(extensions.error());
  model::Directory directory;
  for (model::Extension& e : *extensions) directory.extensions.emplace(e.number.value, std::move(e));
  std::vector<ports::Change> changes;
  for (model::Extension& e : new_extensions(config, directory)) {
    changes.emplace_back(ports::SaveExtension{e});
    directory.extensions.emplace(e.number.value, std::move(e));
  }
  if (auto r = opened->apply(changes); !r) return sentence(r.error());
  if (!changes.empty())
    log.info("{} extension{} taken from the configuration", changes.size(), changes.size() == 1 ? "" : "s");
  if (directory.extensions.empty())
    log.info("there are no extensions yet; `bellwire extension add 1001 --name NAME` makes one");
  const auto cut = opened->close_open_calls(now, rng);
  if (!cut) return sentence(cut.error());
  if (*cut > 0) log.warning("{} calls were cut off by the end of the last run", *cut);
  auto bindings = opened->load_bindings(now);
  if (!bindings) return sentence(bindings.error());
  auto records = store::AccessTables{*opened}.load(now);
  if (!records) return sentence(records.error());
  if (auto r = make_first_admin(*opened, *records, password_rules(config), rng, now, log); !r)
    return sentence(r.error());
  return OpenedDatabase{std::move(*opened), std::make_shared<const model::Directory>(std::move(directory)),
                        std::move(*bindings), std::move(*records)};
}

}  // namespace bw::server
