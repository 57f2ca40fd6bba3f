// How browsers call (features.webrtc): part of the settings.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/secret.h"
#include "base/time.h"
#include "model/prompt.h"

namespace bw::model {

struct TurnServer {
  std::string url;  // turn:host:port?transport=udp
  std::string username;
  Secret<std::string> credential;
};

struct BrowserCalling {
  bool enabled = false;
  Duration session_timeout = 300s;  // of a session that nobody touches and whose media is silent
  bool relay_only = false;          // pages are told to use nothing but TURN
  std::vector<std::string> stun_servers;
  std::vector<TurnServer> turn_servers;
  Secret<std::string> turn_secret;  // shared with the TURN servers: credentials that end by themselves
  std::uint16_t port = 10'000;      // UDP and TCP, for the media of all browsers
  std::string fingerprint;          // of our DTLS certificate: "sha-256 AB:CD:…"
  Prompts prompts;                  // phones make the sounds of a refusal by themselves
};

}  // namespace bw::model
