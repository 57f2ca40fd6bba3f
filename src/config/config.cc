#include "config/config.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace bw::config {
namespace {

void add(std::vector<IpAddress>& to, const IpAddress& address) {
  if (std::ranges::find(to, address) == to.end()) to.push_back(address);
}

// What phones can reach: the listening addresses as written, or those of the host where they are unspecified;
// IPv4 first.
std::vector<IpAddress> reachable(const std::vector<IpAddress>& listening,
                                 const std::vector<IpAddress>& host) {
  std::vector<IpAddress> found;
  for (const IpAddress& address : listening) {
    if (!address.is_unspecified()) {
      add(found, address);
      continue;
    }
    for (const IpAddress& local : host) {
      if (address.is_v6() || local.is_v4()) add(found, local);  // "::" takes both families
    }
  }
  std::vector<IpAddress> out;
  std::ranges::copy_if(found, std::back_inserter(out), &IpAddress::is_v4);
  std::ranges::copy_if(found, std::back_inserter(out), &IpAddress::is_v6);
  return out;
}

}  // namespace

std::vector<Network> Security::private_networks() {
  static constexpr std::array kTexts{"127.0.0.0/8",    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                                     "169.254.0.0/16", "::1/128",    "fe80::/10",     "fc00::/7"};
  std::vector<Network> out;
  for (const char* text : kTexts) out.push_back(Network::parse(text).value());
  return out;
}

model::Settings to_settings(const Config& config, std::vector<IpAddress> local_addresses) {
  model::Settings s;
  s.server_name = config.server.server_name;
  s.region = config.server.region;
  s.host_addresses = local_addresses;
  s.local_addresses = reachable(config.server.sip_host, local_addresses);
  s.external_ip = config.server.external_ip;
  s.sip_port = config.server.sip_port;
  s.sip_tls_port = config.server.sip_tls_port;
  s.trusted_networks = config.security.trusted_networks;
  s.digest_algorithms = config.security.digest_algorithms;
  s.require_authentication = config.security.require_authentication;
  s.rate_limit = config.security.rate_limit;
  s.calls_per_extension = config.security.calls_per_extension;
  s.dialplan = config.dialplan;
  s.srtp = config.security.enable_srtp;
  s.transfer_enabled = config.features.call_transfer;
  s.hold_enabled = config.features.call_hold;
  s.presence = config.features.presence;
  s.dtmf_events = config.events.dtmf;
  s.max_call_duration = config.features.max_call_duration;
  s.no_answer_timeout = config.voicemail.no_answer_timeout;
  const WebRtc& webrtc = config.features.webrtc;
  s.browsers.enabled = webrtc.enabled;
  s.browsers.session_timeout = webrtc.session_timeout;
  s.browsers.relay_only = webrtc.ice_transport_policy == IcePolicy::kRelay;
  s.browsers.stun_servers = webrtc.stun_servers;
  for (const TurnServer& turn : webrtc.turn_servers)
    s.browsers.turn_servers.push_back({turn.url, turn.username, turn.credential});
  s.browsers.turn_secret = webrtc.turn_secret;
  s.browsers.port =
      config.server.webrtc_port != 0 ? config.server.webrtc_port : config.server.rtp_port_range_start;
  return s;
}

model::Extension to_extension(const ExtensionEntry& entry) {
  model::Extension e;
  e.number = entry.number;
  e.name = entry.name;
  e.email = entry.email;
  e.allow_external = entry.allow_external;
  e.record = entry.record;
  e.ring_seconds = entry.ring_seconds.value_or(0);
  e.forward = entry.forward;
  e.groups = entry.groups;
  return e;
}

}  // namespace bw::config
