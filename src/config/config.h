// config.yml as values: every key of the table with its type and its default. An empty file gives Config{}.
//
// Members are named as the keys are, so the path of a key is the path of the member.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/secret.h"
#include "config/features.h"
#include "model/extension.h"
#include "model/settings.h"

namespace bw::config {

struct Server {
  std::vector<IpAddress> sip_host = {IpAddress{}};  // one address or a list; "::" is both families
  std::uint16_t sip_port = 5060;
  std::uint16_t sip_tls_port = 5061;           // 0: no TLS listener
  std::optional<IpAddress> external_ip;        // none: find it
  std::uint16_t rtp_port_range_start = 10000;  // even
  std::uint16_t rtp_port_range_end = 20000;    // inclusive
  std::uint16_t webrtc_port = 0;               // 0: the first of the range
  std::string server_name = "Bellwire";
  std::string region = "US";
  std::string language = "en";
};

struct Api {
  std::vector<IpAddress> host = {IpAddress{}};
  std::uint16_t port = 8080;
  std::uint16_t tls_port = 8443;  // 0: no TLS listener
  std::string tls_cert_file;      // empty: that of security, else one of our own making
  std::string tls_key_file;
  std::vector<std::string> cors_origins;
};

enum class DatabaseType : std::uint8_t { kSqlite, kPostgresql };

struct Database {
  DatabaseType type = DatabaseType::kSqlite;
  std::string path = "bellwire.db";  // relative: in the data directory
  std::string host = "localhost";
  std::uint16_t port = 5432;
  std::string name = "bellwire";
  std::string user = "bellwire";
  Secret<std::string> password;
};

// First values of one extension. The password is turned into digests by whoever stores it and goes no
// further.
struct ExtensionEntry {
  model::ExtensionNumber number;
  Personal<std::string> name;
  Secret<std::string> password;  // empty: cannot register until one is set
  Personal<std::string> email;
  bool allow_external = false;
  Secret<std::string> voicemail_pin;
  model::Forwarding forward;
  std::optional<std::uint32_t> ring_seconds;  // none: voicemail.no_answer_timeout
  bool record = false;
  std::vector<std::string> groups;
  int line = 0;  // in the file
};

struct Emergency {
  std::vector<std::string> numbers = {"911", "112", "933"};
  std::string trunk;
  std::vector<std::string> notify;
};

struct InboundRoute {
  std::string pattern;
  std::string destination;
};
struct OutboundRule {
  std::string pattern;
  std::uint32_t strip = 0;
  std::string prepend;
};
enum class TrunkTransport : std::uint8_t { kUdp, kTcp, kTls };

struct Trunk {
  std::string name;
  std::string host;
  std::uint16_t port = 0;  // 0: by DNS (RFC 3263)
  TrunkTransport transport = TrunkTransport::kUdp;
  bool register_ = false;
  std::string username;
  Secret<std::string> password;
  std::vector<std::string> codecs;
  std::uint32_t channels = 0;  // 0: no limit
  std::vector<InboundRoute> inbound;
  std::vector<OutboundRule> outbound;
};

struct ActiveDirectory {
  bool enabled = false;
  std::string server;
  std::string base_dn;
  std::string user_search_base;
  std::string bind_dn;
  Secret<std::string> bind_password;
  bool use_ssl = true;
  bool auto_provision = false;
  bool deactivate_removed_users = false;
  std::map<std::string, std::vector<std::string>> group_permissions;
};

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };
enum class LogFormat : std::uint8_t { kText, kJson };

struct Logging {
  LogLevel level = LogLevel::kInfo;
  std::string file;  // empty: none
  bool console = true;
  LogFormat format = LogFormat::kText;
};

struct PasswordRules {
  std::uint32_t min_length = 12;
  std::uint32_t max_length = 128;
  bool require_uppercase = true;
  bool require_lowercase = true;
  bool require_digit = true;
  bool require_special = true;
};

struct Audit {
  bool enabled = true;
  bool log_to_database = true;
  bool log_to_file = false;
  std::string log_file;
};

struct Security {
  bool require_authentication = true;
  PasswordRules password;
  model::RateLimit rate_limit;
  std::uint32_t calls_per_extension = 100;  // at a time, ringing phones included
  std::vector<model::DigestAlgorithm> digest_algorithms = {model::DigestAlgorithm::kMd5};
  std::vector<Network> trusted_networks = private_networks();
  Audit audit;
  bool enable_tls = true;
  std::string tls_cert_file;  // empty: one of our own making
  std::string tls_key_file;
  model::SrtpPolicy enable_srtp = model::SrtpPolicy::kOptional;

  // Loopback, RFC 1918, link-local and unique local addresses of both families.
  static std::vector<Network> private_networks();
};

struct ProvisionedDevice {
  std::string mac;
  std::string extension;
  std::string vendor;
  std::string model;
  std::string name;
  std::string location;
};

struct Provisioning {
  bool enabled = true;
  std::string url_format;
  std::string custom_templates_dir;
  std::vector<ProvisionedDevice> devices;
};

struct Events {
  bool dtmf = false;  // call.dtmf: each digit that somebody presses
  std::uint32_t retention_days = 30;
};

struct Config {
  bool watch = false;  // read the file again when it changes
  Server server;
  Api api;
  Database database;
  std::vector<ExtensionEntry> extensions;
  model::Dialplan dialplan;
  Features features;
  Recording recording;
  Voicemail voicemail;
  Conference conference;
  std::vector<Queue> queues;
  Parking parking;
  Presence presence;
  MusicOnHold music_on_hold;
  Prompts prompts;
  AutoAttendant auto_attendant;
  Emergency emergency;
  std::vector<Trunk> trunks;
  ActiveDirectory active_directory;  // integrations.active_directory
  Logging logging;
  Security security;
  Provisioning provisioning;
  Events events;
};

// What the call logic needs of it. `local_addresses`: those of this host that phones can reach, found by the
// caller; used where a listening address is unspecified.
model::Settings to_settings(const Config& config, std::vector<IpAddress> local_addresses);

// Everything but the credentials, which the caller derives from entry.password. ring_seconds is 0 where the
// file gives none: voicemail.no_answer_timeout, also after that has changed.
model::Extension to_extension(const ExtensionEntry& entry);

}  // namespace bw::config
