#include "calls/browser_side.h"

#include <algorithm>

namespace bw::calls {
namespace {

constexpr std::size_t kUfragLetters = 8, kPasswordLetters = 32;  // RFC 8445 §5.3: 24 and 128 bits

}  // namespace

webrtc::IceCredentials fresh_credentials(Rng& rng) {
  return {rng.token(kUfragLetters), Secret{rng.token(kPasswordLetters)}};
}

webrtc::OwnParameters own_parameters(const model::Settings& settings, const webrtc::IceCredentials& ice) {
  webrtc::OwnParameters own{ice, settings.browsers.fingerprint, settings.local_addresses,
                            settings.browsers.port};
  const auto& external = settings.external_ip;
  if (external && std::ranges::find(own.addresses, *external) == own.addresses.end())
    own.addresses.push_back(*external);
  return own;
}

}  // namespace bw::calls
