// What the configuration tells the call logic. An immutable snapshot, replaced whole by a reload.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "model/browser_calling.h"

namespace bw::model {

// Part of every stored HA1, so it never changes with the configuration.
inline constexpr std::string_view kRealm = "bellwire";

enum class DigestAlgorithm : std::uint8_t { kMd5, kSha256 };
enum class SrtpPolicy : std::uint8_t { kOff, kOptional, kRequired };

struct RateLimit {  // security.rate_limit
  std::uint32_t max_attempts = 5;
  Duration window = 300s;
  Duration lockout = 900s;
};

struct Dialplan {  // RE2 patterns
  std::string internal = "^1[0-9]{3}$";
  std::string conference = "^2[0-9]{3}$";
  std::string voicemail = R"(^\*[0-9]{3,4}$)";
  std::string parking = "^7[0-9]$";
  std::string queue = "^8[0-9]{3}$";
  std::string auto_attendant = "^0$";
  std::string paging = "^7[0-9]{2}$";
};

struct Settings {
  std::string server_name = "Bellwire";
  std::string region = "US";  // ISO 3166: whose tones are heard
  // Addresses of this host that phones can reach, for Contact and SDP when a flow does not tell (IPv4 first).
  std::vector<IpAddress> local_addresses;
  std::vector<IpAddress> host_addresses;  // all of this host: who comes from one of them is on it
  std::optional<IpAddress> external_ip;   // for peers outside trusted_networks
  std::uint16_t sip_port = 5060;
  std::uint16_t sip_tls_port = 5061;
  std::vector<Network> trusted_networks;
  std::vector<DigestAlgorithm> digest_algorithms = {DigestAlgorithm::kMd5};
  bool require_authentication = true;
  RateLimit rate_limit;
  Dialplan dialplan;
  SrtpPolicy srtp = SrtpPolicy::kOptional;
  bool transfer_enabled = true;
  bool hold_enabled = true;
  bool presence = true;      // who is free, rings or talks is told and asked
  bool dtmf_events = false;  // tell the journal each digit a person presses
  // Legs at a time, ringing phones included; each takes a pair of media ports, and nobody takes all there
  // are.
  std::uint32_t calls_per_extension = 100;
  Duration max_call_duration = 7200s;
  Duration no_answer_timeout = 30s;
  Duration media_silence_timeout = 60s;  // with a dead session timer as well, the leg is ended
  std::uint32_t registration_min_s = 60;
  std::uint32_t registration_max_s = 3600;
  std::uint32_t registration_default_s = 3600;
  std::uint32_t contacts_per_extension = 10;
  Duration connection_grace = 10s;  // a stream contact outlives its connection by so much
  Duration nonce_lifetime = 300s;
  BrowserCalling browsers;
};

using SettingsSnapshot = std::shared_ptr<const Settings>;

}  // namespace bw::model
