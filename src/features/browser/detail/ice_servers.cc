#include "browser/detail/ice_servers.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <string>

#include "base/base64.h"

namespace bw::browser {
namespace {

// A page that stays open makes new connections with what it was given when it opened.
constexpr Duration kLifetime = 24h;

std::string hmac_sha1(const std::string& key, const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

}  // namespace

ports::IceServers ice_servers(const model::BrowserCalling& settings, std::string_view user, Instant now) {
  ports::IceServers all{.servers = {}, .relay_only = settings.relay_only};
  if (!settings.stun_servers.empty()) all.servers.push_back({settings.stun_servers, {}, {}});
  const std::string& secret = settings.turn_secret.reveal();
  for (const model::TurnServer& turn : settings.turn_servers) {
    ports::IceServer server{{turn.url}, turn.username, turn.credential};
    if (!secret.empty()) {
      server.username = std::to_string((now + kLifetime).unix_s()) + ':' + std::string(user);
      server.credential = Secret{to_base64(hmac_sha1(secret, server.username))};
    }
    all.servers.push_back(std::move(server));
  }
  return all;
}

}  // namespace bw::browser
