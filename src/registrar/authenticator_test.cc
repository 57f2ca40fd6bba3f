// Who is accepted and what is challenged.
#include <map>

#include "registrar/detail/authenticator_fixture.h"

namespace bw::registrar {
namespace {

using model::DigestAlgorithm;

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
  const std::string call = "sip:1002@bellwire.example";
  EXPECT_TRUE(challenged(attempt(kHome, {.request_uri = "sip:900@bellwire.example", .uri = call}), false));
  EXPECT_TRUE(challenged(attempt(kHome, {.request_uri = "sips:bellwire.example"}), false));
  EXPECT_TRUE(challenged(attempt(kHome, {.request_uri = "sip:elsewhere.example"}), false));
}

TEST_F(AuthenticatorTest, HowPhonesWriteTheSameTargetIsTolerated) {
  EXPECT_TRUE(accepted(attempt(kHome, {.request_uri = "sip:bellwire.example;transport=tcp"})));
  EXPECT_TRUE(accepted(attempt(kHome, {.request_uri = "sip:Bellwire.Example:5080"})));
  EXPECT_TRUE(accepted(attempt(kHome, {.request_uri = "sip:1002@bellwire.example"}))) << "as sipp does";
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
  // As if H(A1) were the empty text that is stored.
  Attempt a{.username = "1003", .nonce = fresh_nonce(kHome)};
  a.response =
      digest
          .response(sip::DigestHash::kMd5, "",
                    {.method = a.method, .uri = a.uri, .nonce = a.nonce, .nc = a.nc, .cnonce = a.cnonce})
          .view();
  EXPECT_FALSE(accepted(send(kHome, a), "1003"));
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
  EXPECT_GE(now, kStart + 24h);
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
