#include "browser/detail/ice_servers.h"

#include <gtest/gtest.h>

namespace bw::browser {
namespace {

constexpr Instant kNow{std::chrono::seconds{1'800'000'000}};

model::BrowserCalling with_turn() {
  model::BrowserCalling s;
  s.stun_servers = {"stun:stun.example"};
  s.turn_servers = {{"turn:turn.example:3478?transport=udp", "fixed", Secret<std::string>{"static"}}};
  return s;
}

TEST(IceServers, AreThoseOfTheFileWithTheirOwnCredentials) {
  const auto ice = ice_servers(with_turn(), "1001", kNow);
  ASSERT_EQ(2U, ice.servers.size());
  EXPECT_EQ("stun:stun.example", ice.servers[0].urls.at(0));
  EXPECT_TRUE(ice.servers[0].username.empty());
  EXPECT_EQ("fixed", ice.servers[1].username);
  EXPECT_EQ("static", ice.servers[1].credential.reveal());
  EXPECT_FALSE(ice.relay_only);
}

// The value is that of another program: printf 1800086400:1001 | openssl dgst -sha1 -hmac north -binary |
// base64
TEST(IceServers, HaveCredentialsThatEndByThemselvesWhereASecretIsShared) {
  auto settings = with_turn();
  settings.turn_secret = Secret<std::string>{"north"};
  const auto ice = ice_servers(settings, "1001", kNow);
  EXPECT_EQ("1800086400:1001", ice.servers[1].username) << "good for a day, and says for whom";
  EXPECT_EQ("0CqwMs8oCwNW64NwIFCJZKmsY3g=", ice.servers[1].credential.reveal());
}

}  // namespace
}  // namespace bw::browser
