#include "registrar/authenticator.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "sip/auth_header.h"
#include "sip/digest.h"

namespace bw::registrar {
namespace {

using model::DigestAlgorithm;

const Instant kNow{1'700'000'000s};
const Endpoint kHome{IpAddress::v4(0xC6336401), 5060};      // 198.51.100.1: not trusted
const Endpoint kAttacker{IpAddress::v4(0xCB007107), 5060};  // 203.0.113.7: not trusted
const Endpoint kDesk{IpAddress::v4(0x0A000005), 5060};      // 10.0.0.5: trusted

sip::Flow flow_from(const Endpoint& remote) {
  return {.transport = sip::Transport::kUdp, .connection = {}, .local = {}, .remote = remote};
}

model::Settings default_settings() {
  model::Settings settings;
  settings.trusted_networks = {*Network::parse("10.0.0.0/8")};
  settings.rate_limit = {.max_attempts = 5, .window = 300s, .lockout = 900s};
  settings.nonce_lifetime = 300s;
  return settings;
}

// What a client computes and writes; every field can be bent by a test.
struct Attempt {
  std::string username = "1001";
  std::string password = "correct horse";
  std::string method = "REGISTER";
  std::string request_uri = "sip:bellwire.example";
  std::string uri = "sip:bellwire.example";
  std::string nonce = {};
  std::string nc = "00000001";
  std::string cnonce = "0a4f113b";
  std::string qop = "auth";
  std::string algorithm = "MD5";
  std::string realm = "bellwire";
  std::string response = {};  // empty: the right one for all the above
};

class AuthenticatorTest : public testing::Test {
 protected:
  AuthenticatorTest() {
    for (const char* number : {"1001", "1002"}) add_extension(number);
    model::Extension blank;
    blank.number = model::ExtensionNumber{"1003"};  // created, but no password was ever set
    directory.extensions.emplace("1003", blank);
  }

  void add_extension(const std::string& number) {
    model::Extension extension;
    extension.number = model::ExtensionNumber{number};
    const auto ha1 = [&](sip::DigestHash hash) {
      return Secret{std::string{digest.ha1(hash, number, model::kRealm, "correct horse").view()}};
    };
    extension.credentials = {ha1(sip::DigestHash::kMd5), ha1(sip::DigestHash::kSha256)};
    directory.extensions.emplace(number, extension);
  }

  void configure(const model::Settings& settings) {
    auth.configure(std::make_shared<const model::Settings>(settings));
  }

  static sip::Message message(const std::string& method, const std::string& uri, const std::string& user) {
    sip::Message m = sip::Message::request(method, uri);
    m.add(sip::HeaderName::kFrom, fmt::format("<sip:{}@bellwire.example>;tag=1", user));
    m.add(sip::HeaderName::kTo, fmt::format("<sip:{}@bellwire.example>", user));
    return m;
  }

  sip::Message signed_request(Attempt a) {
    if (a.response.empty()) {
      const auto hash = a.algorithm == "SHA-256" ? sip::DigestHash::kSha256 : sip::DigestHash::kMd5;
      const auto ha1 = digest.ha1(hash, a.username, model::kRealm, a.password);
      a.response = digest
                       .response(hash, ha1.view(),
                                 {.method = a.method,
                                  .uri = a.uri,
                                  .nonce = a.nonce,
                                  .nc = a.nc,
                                  .cnonce = a.cnonce,
                                  .qop = a.qop})
                       .view();
    }
    sip::Message m = message(a.method, a.request_uri, a.username);
    sip::Credentials c{.username = a.username,
                       .realm = a.realm,
                       .nonce = a.nonce,
                       .uri = a.uri,
                       .response = a.response,
                       .algorithm = a.algorithm,
                       .cnonce = a.cnonce,
                       .opaque = {},
                       .qop = a.qop,
                       .nc = a.nc};
    m.add(sip::HeaderName::kAuthorization, c.to_string());
    return m;
  }

  Verdict ask(const Endpoint& from, const std::string& user = "1001") {
    return auth.verify(message("REGISTER", "sip:bellwire.example", user), flow_from(from), directory, now);
  }
  std::string fresh_nonce(const Endpoint& from) {
    const Verdict verdict = ask(from);
    const auto* challenge = std::get_if<Challenge>(&verdict);
    return challenge == nullptr ? "" : nonce_of(*challenge);
  }
  static std::string nonce_of(const Challenge& challenge) {
    return std::string{sip::Challenge::parse(challenge.www_authenticate.front())->nonce};
  }
  Verdict send(const Endpoint& from, const Attempt& a) {
    return auth.verify(signed_request(a), flow_from(from), directory, now);
  }
  // Challenge and answer, as a phone does it.
  Verdict attempt(const Endpoint& from, Attempt a) {
    a.nonce = fresh_nonce(from);
    return a.nonce.empty() ? Verdict{Ignored{}} : send(from, a);
  }
  Verdict guess(const Endpoint& from, const std::string& user = "1001") {
    return attempt(from, {.username = user, .password = "wrong"});
  }

  static bool accepted(const Verdict& v, std::string_view as = "1001") {
    const auto* a = std::get_if<Accepted>(&v);
    return a != nullptr && a->extension.view() == as;
  }
  static bool challenged(const Verdict& v, bool stale) {
    const auto* c = std::get_if<Challenge>(&v);
    return c != nullptr && c->stale == stale;
  }
  static bool ignored(const Verdict& v) { return std::holds_alternative<Ignored>(v); }
  static Duration delay_of(const Verdict& v) { return std::get<Challenge>(v).delay; }

  sip::DigestComputer digest;
  SeededRng rng{42};
  model::Directory directory;
  Authenticator auth{rng, std::make_shared<const model::Settings>(default_settings())};
  Instant now = kNow;
};

TEST_F(AuthenticatorTest, ARequestWithoutCredentialsIsChallengedAndLeavesNothingBehind) {
  const Verdict verdict = ask(kAttacker);
  ASSERT_TRUE(challenged(verdict, false));
  const auto& values = std::get<Challenge>(verdict).www_authenticate;
  ASSERT_EQ(values.size(), 1U);
  const auto parsed = sip::Challenge::parse(values[0]);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->realm, "bellwire");
  EXPECT_EQ(parsed->algorithm, "MD5");
  EXPECT_EQ(parsed->qop, "auth");
  EXPECT_TRUE(parsed->stale.empty());
  const auto counts = auth.counts();
  EXPECT_EQ(counts.hashes, 0U);
  EXPECT_EQ(counts.nonces + counts.attempt_entries + counts.known_pairs, 0U);
}

TEST_F(AuthenticatorTest, TheRightPasswordIsAcceptedAsTheDigestUser) {
  EXPECT_TRUE(accepted(attempt(kHome, {})));
}

TEST_F(AuthenticatorTest, WhatFromAndToSayIsNotBelieved) {
  Attempt a{.nonce = fresh_nonce(kHome)};
  sip::Message request = signed_request(a);
  request.set(sip::HeaderName::kFrom, "<sip:1002@bellwire.example>;tag=1");
  request.set(sip::HeaderName::kTo, "<sip:1002@bellwire.example>");
  EXPECT_TRUE(accepted(auth.verify(request, flow_from(kHome), directory, now), "1001"));
}

TEST_F(AuthenticatorTest, OffersTheAlgorithmsInTheConfiguredOrderAndTakesEither) {
  auto settings = default_settings();
  settings.digest_algorithms = {DigestAlgorithm::kSha256, DigestAlgorithm::kMd5};
  configure(settings);
  const Verdict verdict = ask(kHome);
  const auto& values = std::get<Challenge>(verdict).www_authenticate;
  ASSERT_EQ(values.size(), 2U);
  EXPECT_EQ(sip::Challenge::parse(values[0])->algorithm, "SHA-256");
  EXPECT_EQ(sip::Challenge::parse(values[1])->algorithm, "MD5");
  EXPECT_TRUE(accepted(attempt(kHome, {.algorithm = "SHA-256"})));
  EXPECT_TRUE(accepted(attempt(kHome, {.algorithm = "MD5"})));
  EXPECT_TRUE(accepted(attempt(kHome, {.algorithm = ""}))) << "absent means MD5 (RFC 7616 §3.4)";
}

TEST_F(AuthenticatorTest, AnAlgorithmThatIsNotOfferedIsChallengedAgainWithoutAHash) {
  EXPECT_TRUE(challenged(attempt(kHome, {.algorithm = "SHA-256"}), false));
  EXPECT_EQ(auth.counts().hashes, 0U);
}

TEST_F(AuthenticatorTest, EveryPartOfTheCredentialsIsCovered) {
  auto settings = default_settings();
  settings.rate_limit.max_attempts = 100;
  configure(settings);
  const Attempt right{.nonce = fresh_nonce(kHome)};
  const auto response = [&](const Attempt& a) {
    const auto ha1 = digest.ha1(sip::DigestHash::kMd5, a.username, model::kRealm, a.password);
    return std::string{digest
                           .response(sip::DigestHash::kMd5, ha1.view(),
                                     {.method = a.method,
                                      .uri = a.uri,
                                      .nonce = a.nonce,
                                      .nc = a.nc,
                                      .cnonce = a.cnonce,
                                      .qop = a.qop})
                           .view()};
  };
  const auto bent = [&](auto bend) {
    Attempt a = right;
    a.response = response(right);
    bend(a);
    return send(kHome, a);
  };
  EXPECT_FALSE(accepted(bent([](Attempt& a) { a.method = "INVITE"; })));
  EXPECT_FALSE(accepted(bent([](Attempt& a) { a.cnonce = "other"; })));
  EXPECT_FALSE(accepted(bent([](Attempt& a) { a.nc = "00000002"; })));
  EXPECT_FALSE(accepted(bent([](Attempt& a) { a.realm = "elsewhere"; })));
  EXPECT_FALSE(accepted(bent([](Attempt& a) { a.username = "1002"; }), "1002"));
  EXPECT_FALSE(accepted(bent([](Attempt& a) { a.response.pop_back(); })));
  EXPECT_TRUE(accepted(bent([](Attempt&) {}))) << "unbent it must pass, or the above proves nothing";
}

TEST_F(AuthenticatorTest, CredentialsForAnotherTargetAreRefused) {
  EXPECT_TRUE(challenged(attempt(kHome, {.request_uri = "sip:900@bellwire.example"}), false));
  EXPECT_TRUE(challenged(attempt(kHome, {.request_uri = "sips:bellwire.example"}), false));
  EXPECT_TRUE(challenged(attempt(kHome, {.request_uri = "sip:bellwire.example:5080"}), false));
}

TEST_F(AuthenticatorTest, HowPhonesWriteTheSameTargetIsTolerated) {
  EXPECT_TRUE(accepted(attempt(kHome, {.request_uri = "sip:bellwire.example;transport=tcp"})));
  EXPECT_TRUE(accepted(attempt(kHome, {.request_uri = "sip:Bellwire.Example:5060"})));
}

TEST_F(AuthenticatorTest, WithoutQopCnonceOrCountNothingIsHashed) {
  EXPECT_TRUE(challenged(attempt(kHome, {.qop = ""}), false));
  EXPECT_TRUE(challenged(attempt(kHome, {.qop = "auth-int"}), false));
  EXPECT_TRUE(challenged(attempt(kHome, {.cnonce = ""}), false));
  EXPECT_TRUE(challenged(attempt(kHome, {.nc = "1"}), false));
  EXPECT_TRUE(challenged(attempt(kHome, {.nc = "00000000"}), false));
  EXPECT_EQ(auth.counts().hashes, 0U);
  EXPECT_EQ(auth.counts().failed, 0U);
}

TEST_F(AuthenticatorTest, UnknownUserBlankUserAndWrongPasswordLookTheSameAndCostTheSame) {
  std::map<std::string, std::uint64_t> cost;
  std::map<std::string, std::string> shape;
  for (const std::string user : {"1001", "1003", "4711", "admin"}) {
    const std::uint64_t before = auth.counts().hashes;
    const Verdict verdict =
        attempt({IpAddress::v4(0xCB007200U + static_cast<std::uint32_t>(cost.size())), 5060},
                {.username = user, .password = "wrong"});
    ASSERT_TRUE(challenged(verdict, false)) << user;
    std::string value = std::get<Challenge>(verdict).www_authenticate.at(0);
    const std::string nonce = nonce_of(std::get<Challenge>(verdict));
    value.replace(value.find(nonce), nonce.size(), nonce.size(), 'N');
    shape[user] = value;
    cost[user] = auth.counts().hashes - before;
    EXPECT_EQ(delay_of(verdict), 0s);
  }
  for (const auto& [user, value] : shape) EXPECT_EQ(value, shape["1001"]) << user;
  for (const auto& [user, hashes] : cost) EXPECT_EQ(hashes, 2U) << user;
  EXPECT_EQ(auth.counts().failed, 4U);
}

TEST_F(AuthenticatorTest, AnAccountWithoutCredentialsCannotBeEntered) {
  EXPECT_FALSE(accepted(attempt(kHome, {.username = "1003", .password = ""}), "1003"));
}

TEST_F(AuthenticatorTest, AReplayIsRefusedLikeAWrongPassword) {
  Attempt a{.nonce = fresh_nonce(kHome)};
  const sip::Message captured = signed_request(a);
  ASSERT_TRUE(accepted(auth.verify(captured, flow_from(kHome), directory, now)));
  const Verdict again = auth.verify(captured, flow_from(kHome), directory, now);
  EXPECT_TRUE(challenged(again, false));
  EXPECT_EQ(auth.counts().failed, 1U);
  EXPECT_FALSE(accepted(auth.verify(captured, flow_from(kAttacker), directory, now)));
  now = now + 301s;
  EXPECT_FALSE(accepted(auth.verify(captured, flow_from(kHome), directory, now)));
}

TEST_F(AuthenticatorTest, ANonceServesManyRequestsWithRisingCountsInAnyNearOrder) {
  const std::string nonce = fresh_nonce(kHome);
  for (const char* nc : {"00000001", "00000003", "00000002", "0000000a"}) {
    EXPECT_TRUE(accepted(send(kHome, {.nonce = nonce, .nc = nc}))) << nc;
  }
  EXPECT_FALSE(accepted(send(kHome, {.nonce = nonce, .nc = "00000003"})));
  EXPECT_EQ(auth.counts().nonces, 1U);
}

TEST_F(AuthenticatorTest, AnOldNonceIsStaleOnlyForTheOneWhoKnowsThePassword) {
  const std::string nonce = fresh_nonce(kHome);
  now = now + 300s;
  EXPECT_TRUE(challenged(send(kHome, {.nonce = nonce}), true));
  EXPECT_EQ(auth.counts().failed, 0U);
  EXPECT_TRUE(challenged(send(kHome, {.password = "wrong", .nonce = nonce}), false));
  EXPECT_EQ(auth.counts().failed, 1U);
}

TEST_F(AuthenticatorTest, ANonceSentElsewhereIsStaleWhateverTheDigestAndIsNeitherHashedNorCounted) {
  const std::string nonce = fresh_nonce(kAttacker);
  EXPECT_TRUE(challenged(send(kHome, {.nonce = nonce}), true));
  EXPECT_TRUE(challenged(send(kHome, {.password = "wrong", .nonce = nonce}), true));
  EXPECT_TRUE(challenged(send(kHome, {.password = "wrong", .nonce = "made up"}), true));
  EXPECT_EQ(auth.counts().hashes, 0U);
  EXPECT_EQ(auth.counts().attempt_entries, 0U);
}

TEST_F(AuthenticatorTest, AStaleFlagStandsInTheHeader) {
  const Verdict verdict = send(kHome, {.nonce = "made up"});
  EXPECT_TRUE(sip::Challenge::parse(std::get<Challenge>(verdict).www_authenticate.at(0))->is_stale());
}

TEST_F(AuthenticatorTest, ASourceThatGuessesIsIgnoredForTheLockoutTime) {
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(challenged(guess(kAttacker, fmt::format("20{:02}", i)), false)) << i;
  EXPECT_TRUE(ignored(ask(kAttacker)));
  EXPECT_TRUE(ignored(send(kAttacker, {.nonce = "any"}))) << "also with the right password";
  EXPECT_TRUE(accepted(attempt(kHome, {}))) << "others are not touched";
  const auto lockouts = auth.take_lockouts();
  ASSERT_EQ(lockouts.size(), 1U);
  EXPECT_EQ(lockouts[0].kind, Lockout::Kind::kAddress);
  EXPECT_EQ(lockouts[0].subject, "203.0.113.7");
  EXPECT_EQ(lockouts[0].attempts, 5U);
  EXPECT_EQ(lockouts[0].until, now + 900s);
  EXPECT_TRUE(auth.take_lockouts().empty());
  now = now + 900s;
  EXPECT_TRUE(accepted(attempt(kAttacker, {})));
}

TEST_F(AuthenticatorTest, FailuresOutsideTheWindowAreForgiven) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(challenged(guess(kAttacker), false)) << i;
    now = now + 100s;
  }
}

TEST_F(AuthenticatorTest, AnExtensionUnderAttackStaysOpenForItsPhoneAndClosedForStrangers) {
  ASSERT_TRUE(accepted(attempt(kHome, {})));
  for (std::uint32_t i = 0; i < 5; ++i) {
    EXPECT_TRUE(challenged(guess({IpAddress::v4(0xCB007110U + i), 5060}), false));
  }
  const auto lockouts = auth.take_lockouts();
  ASSERT_EQ(lockouts.size(), 1U);
  EXPECT_EQ(lockouts[0].kind, Lockout::Kind::kExtension);
  EXPECT_EQ(lockouts[0].subject, "1001");
  const Endpoint stranger{IpAddress::v4(0xCB0071F0), 5060};
  EXPECT_TRUE(ignored(attempt(stranger, {}))) << "even with the right password";
  EXPECT_TRUE(accepted(attempt(kHome, {})));
  EXPECT_TRUE(accepted(attempt(stranger, {.username = "1002"}), "1002"));
}

TEST_F(AuthenticatorTest, AnUnknownExtensionIsLockedLikeAKnownOneSoThatNobodyLearnsWhichExist) {
  for (std::uint32_t i = 0; i < 5; ++i) guess({IpAddress::v4(0xCB007110U + i), 5060}, "4711");
  EXPECT_TRUE(ignored(guess({IpAddress::v4(0xCB0071F0), 5060}, "4711")));
}

TEST_F(AuthenticatorTest, APhoneKnownAtAnAddressIsServedThoughItsNeighbourThereGuesses) {
  ASSERT_TRUE(accepted(attempt(kHome, {})));
  for (int i = 0; i < 5; ++i) guess(kHome, "1002");
  EXPECT_TRUE(ignored(ask(kHome, "1002")));
  EXPECT_TRUE(challenged(ask(kHome, "1001"), false)) << "it must get a nonce";
  EXPECT_TRUE(accepted(attempt(kHome, {})));
}

TEST_F(AuthenticatorTest, AKnownPhoneThatItselfFailsTooOftenIsAStrangerAgain) {
  ASSERT_TRUE(accepted(attempt(kHome, {})));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(challenged(guess(kHome), false));
  EXPECT_TRUE(ignored(ask(kHome)));
  EXPECT_TRUE(ignored(send(kHome, {.nonce = "any"})));
}

TEST_F(AuthenticatorTest, AfterARestartRegisteredPhonesAreKnown) {
  model::Binding binding;
  binding.extension = model::ExtensionNumber{"1001"};
  binding.flow = flow_from(kHome);
  auth.restore(std::vector{binding}, now);
  for (int i = 0; i < 5; ++i) guess(kHome, "1002");
  EXPECT_TRUE(accepted(attempt(kHome, {})));
}

TEST_F(AuthenticatorTest, TrustedNetworksAreSlowedMoreAndMoreButNeverBanned) {
  std::vector<Duration> delays;
  for (int i = 0; i < 10; ++i) {
    const Verdict verdict = guess(kDesk);
    ASSERT_TRUE(challenged(verdict, false)) << i;
    delays.push_back(delay_of(verdict));
    now = now + delays.back();
  }
  EXPECT_EQ(delays, (std::vector<Duration>{0s, 0s, 0s, 0s, 500ms, 1s, 2s, 4s, 4s, 4s}));
  EXPECT_TRUE(accepted(attempt(kDesk, {})));
  for (const Lockout& lockout : auth.take_lockouts()) EXPECT_NE(lockout.kind, Lockout::Kind::kAddress);
}

TEST_F(AuthenticatorTest, ASlowedGuesserGainsNothingByNotWaiting) {
  for (int i = 0; i < 8; ++i) {
    now = now + delay_of(guess(kDesk));
  }
  ASSERT_EQ(delay_of(guess(kDesk)), 4s);
  const std::uint64_t hashes = auth.counts().hashes;
  const Verdict early = attempt(kDesk, {});
  EXPECT_TRUE(challenged(early, true)) << "not looked at, so a right password comes back";
  EXPECT_EQ(delay_of(early), 4s);
  EXPECT_EQ(auth.counts().hashes, hashes);
  now = now + 4s;
  EXPECT_TRUE(accepted(attempt(kDesk, {})));
}

TEST_F(AuthenticatorTest, AnIpv6SubscriberIsOneSource) {
  for (int i = 0; i < 5; ++i) {
    guess({*IpAddress::parse(fmt::format("2001:db8:1:2::{}", i + 1)), 5060}, fmt::format("20{:02}", i));
  }
  EXPECT_TRUE(ignored(ask({*IpAddress::parse("2001:db8:1:2:ffff::1"), 5060})));
  EXPECT_FALSE(ignored(ask({*IpAddress::parse("2001:db8:1:3::1"), 5060})));
  ASSERT_EQ(auth.take_lockouts().at(0).subject, "2001:db8:1:2::/64");
}

TEST_F(AuthenticatorTest, TablesStayBoundedUnderAFloodFromEverywhere) {
  auto settings = std::make_shared<const model::Settings>(default_settings());
  Authenticator small{rng, settings, {.nonces = 16, .attempt_entries = 32, .known_pairs = 8}};
  std::swap(small, auth);
  for (std::uint32_t i = 0; i < 500; ++i) {
    guess({IpAddress::v4(0xCB000000U + i), 5060}, std::to_string(2000 + i));
    EXPECT_TRUE(accepted(attempt({IpAddress::v4(0xC6330000U + i), 5060}, {}))) << i;
    now = now + 1ms;
  }
  const auto counts = auth.counts();
  EXPECT_LE(counts.nonces, 16U);
  EXPECT_LE(counts.attempt_entries, 3U * 32U);
  EXPECT_LE(counts.known_pairs, 8U);
}

TEST_F(AuthenticatorTest, ANonceForgottenForWantOfRoomIsStaleAndNotReplayable) {
  auto settings = std::make_shared<const model::Settings>(default_settings());
  Authenticator small{rng, settings, {.nonces = 2}};
  std::swap(small, auth);
  const sip::Message captured = signed_request({.nonce = fresh_nonce(kHome)});
  ASSERT_TRUE(accepted(auth.verify(captured, flow_from(kHome), directory, now)));
  for (int i = 0; i < 3; ++i) {
    now = now + 1s;
    ASSERT_TRUE(accepted(attempt(kHome, {})));
  }
  EXPECT_TRUE(challenged(auth.verify(captured, flow_from(kHome), directory, now), true));
}

TEST_F(AuthenticatorTest, InQuietEverythingIsForgottenAndNothingIsWaitedFor) {
  EXPECT_EQ(auth.deadline().at, Instant::far_future());
  ASSERT_TRUE(accepted(attempt(kHome, {})));
  guess(kAttacker);
  std::size_t sweeps = 0;
  while (auth.deadline().at != Instant::far_future()) {
    now = auth.deadline().at;
    auth.expire(now);
    ASSERT_LT(++sweeps, 10'000U);
  }
  const auto counts = auth.counts();
  EXPECT_EQ(counts.nonces + counts.attempt_entries + counts.known_pairs, 0U);
  EXPECT_GE(now, kNow + 24h);
}

TEST_F(AuthenticatorTest, ALongerNonceLifetimeDoesNotBringBackWhatWasForgotten) {
  const sip::Message captured = signed_request({.nonce = fresh_nonce(kHome)});
  ASSERT_TRUE(accepted(auth.verify(captured, flow_from(kHome), directory, now)));
  now = now + 310s;
  auth.expire(now);
  EXPECT_EQ(auth.counts().nonces, 0U);
  auto settings = default_settings();
  settings.nonce_lifetime = 3600s;
  configure(settings);
  EXPECT_TRUE(challenged(auth.verify(captured, flow_from(kHome), directory, now), true));
}

TEST_F(AuthenticatorTest, WithoutAuthenticationTheClaimedExtensionIsTakenIfItExists) {
  auto settings = default_settings();
  settings.require_authentication = false;
  configure(settings);
  EXPECT_TRUE(accepted(ask(kHome, "1002"), "1002"));
  EXPECT_TRUE(challenged(ask(kHome, "4711"), false));
}

TEST_F(AuthenticatorTest, AmongSeveralCredentialsThoseOfThisRealmCount) {
  const Attempt a{.nonce = fresh_nonce(kHome)};
  sip::Message request = signed_request(a);
  request.prepend(sip::HeaderName::kAuthorization,
                  "Digest username=\"x\", realm=\"other\", nonce=\"n\", uri=\"sip:x\", response=\"0\"");
  request.prepend(sip::HeaderName::kAuthorization, "Bearer abcdef");
  EXPECT_TRUE(accepted(auth.verify(request, flow_from(kHome), directory, now)));
}

}  // namespace
}  // namespace bw::registrar
