// docs/decisions/020-lockouts.md, rule by rule.
#include "registrar/detail/authenticator_fixture.h"

namespace bw::registrar {
namespace {

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

TEST_F(AuthenticatorTest, AnAdminSeesTheLockoutsAndLiftsEachOnItsOwn) {
  for (int i = 0; i < 5; ++i) guess(kAttacker);
  const auto in_force = auth.lockouts(now);
  ASSERT_EQ(in_force.size(), 2U);
  EXPECT_EQ(in_force[0].subject, "203.0.113.7");
  EXPECT_EQ(in_force[1].subject, "1001");
  EXPECT_FALSE(auth.lift("203.0.113.8", now));
  EXPECT_FALSE(auth.lift("1002", now));
  ASSERT_TRUE(auth.lift("203.0.113.7", now));
  EXPECT_TRUE(ignored(send(kAttacker, {.nonce = "any"}))) << "the extension is locked still";
  EXPECT_EQ(auth.lockouts(now).size(), 1U);
  ASSERT_TRUE(auth.lift("1001", now));
  EXPECT_FALSE(auth.lift("1001", now)) << "it is over";
  EXPECT_TRUE(accepted(attempt(kAttacker, {})));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(challenged(guess(kAttacker), false)) << "counted from the start";
}

TEST_F(AuthenticatorTest, LockoutsThatAreOverAreListedNoMoreAndAnAddressLiftsItsNetwork) {
  const Endpoint six{*IpAddress::parse("2001:db8:1:2::7"), 5060};
  for (int i = 0; i < 5; ++i) guess(six, fmt::format("20{:02}", i));
  ASSERT_EQ(auth.lockouts(now).size(), 1U);
  EXPECT_EQ(auth.lockouts(now)[0].subject, "2001:db8:1:2::/64");
  EXPECT_TRUE(auth.lockouts(now + 900s).empty());
  for (int i = 0; i < 5; ++i) guess(kAttacker, fmt::format("20{:02}", i));
  now = now + 1000s;
  for (int i = 0; i < 5; ++i) guess(six, fmt::format("20{:02}", i));
  EXPECT_TRUE(auth.lift("2001:db8:1:2::9", now)) << "of the same subscriber";
  EXPECT_TRUE(auth.lockouts(now).empty());
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

}  // namespace
}  // namespace bw::registrar
