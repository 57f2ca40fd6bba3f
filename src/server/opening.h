// What the server opens at start, each from the configuration: pure choices first, then database and
// certificates.
#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "access/records.h"
#include "api/password.h"
#include "base/rng.h"
#include "config/config.h"
#include "io/front.h"
#include "model/binding.h"
#include "model/directory.h"
#include "server/log.h"
#include "store/store.h"

namespace bw::server {

// Where SIP over UDP and TCP listens, both families where an address means all.
std::vector<Endpoint> sip_addresses(const config::Config& config);
// Where browsers' media comes in, on the same hosts.
std::vector<Endpoint> browser_addresses(const config::Config& config, std::uint16_t port);
io::FrontDoors front_doors(const config::Config& config, const std::filesystem::path& data_directory);
api::PasswordRules password_rules(const config::Config& config);
Log::Setup log_setup(const config::Config& config, const std::filesystem::path& data_directory);
Duration events_kept_for(const config::Config& config);
store::Target database_target(const config::Config& config, const std::filesystem::path& data_directory);

struct Certificates {
  std::optional<io::TlsFiles> sip;
  std::optional<io::TlsFiles> http;
};
// Those given, else one of our own making in the data directory.
std::expected<Certificates, std::string> certificates_of(const config::Config& config,
                                                         const std::filesystem::path& data_directory,
                                                         Instant now);

struct OpenedDatabase {
  store::Store store;
  model::DirectorySnapshot directory;
  std::vector<model::Binding> bindings;
  access::Records records;
};
// Opens and migrates it, takes in extensions of the configuration that it does not know, closes the calls
// that the last run left open.
std::expected<OpenedDatabase, std::string> open_database(const config::Config& config,
                                                         const std::filesystem::path& data_directory,
                                                         Instant now, Rng& rng, Log& log);

// Extensions of the configuration that `directory` lacks, with the credentials of their passwords.
std::vector<model::Extension> new_extensions(const config::Config& config, const model::Directory& directory);

}  // namespace bw::server
