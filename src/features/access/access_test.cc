// Passwords, tokens, cookies, attempts and buckets, each by itself.
#include "access/access.h"

#include <gtest/gtest.h>

#include "access/credentials.h"
#include "access/password_hash.h"

namespace bw::access {
namespace {

constexpr Instant kStart{std::chrono::seconds{1'800'000'000}};

TEST(PasswordHash, OnlyThePasswordFits) {
  std::array<std::byte, kSaltBytes> salt{};
  const std::string hash = hash_password(Secret<std::string>{"Open-Sesame-1"}, salt);
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=65536,t=2,p=1$"));
  EXPECT_TRUE(is_password(hash, Secret<std::string>{"Open-Sesame-1"}));
  EXPECT_FALSE(is_password(hash, Secret<std::string>{"Open-Sesame-2"}));
  EXPECT_FALSE(is_password(nobodys_hash(), Secret<std::string>{""}));
  EXPECT_FALSE(is_password("", Secret<std::string>{""}));
}

TEST(Tokens, AreOf256BitsAndKnownByTheirDigest) {
  SeededRng rng(1);
  const std::string one = make_token("bwt_", rng).reveal();
  EXPECT_EQ(one.size(), 4u + 43u);
  EXPECT_NE(one, make_token("bwt_", rng).reveal());
  // sha256sum of "abc"
  EXPECT_EQ(digest_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Cookies, AreFoundAmongOthersAndNeverTwice) {
  EXPECT_EQ(cookie_of("a=1; s=abc; b=2", "s"), "abc");
  EXPECT_EQ(cookie_of("s=abc", "s"), "abc");
  EXPECT_EQ(cookie_of("xs=abc", "s"), std::nullopt);
  EXPECT_EQ(cookie_of("s=abc; s=def", "s"), std::nullopt);
  EXPECT_EQ(cookie_of("s=a b", "s"), std::nullopt);
  EXPECT_EQ(cookie_of("s=", "s"), std::nullopt);
  EXPECT_EQ(cookie_of(";;=;", "s"), std::nullopt);
}

TEST(Bearer, IsTheOnlyScheme) {
  EXPECT_EQ(bearer_of("Bearer abc"), "abc");
  EXPECT_EQ(bearer_of("bearer  abc "), "abc");
  EXPECT_EQ(bearer_of("Basic abc"), std::nullopt);
  EXPECT_EQ(bearer_of("Bearer"), std::nullopt);
  EXPECT_EQ(bearer_of("Bearer a,b"), std::nullopt);
}

TEST(Origin, IsComparedWholeWithTheHost) {
  EXPECT_TRUE(is_origin_of("http://pbx:8080", "pbx:8080", false));
  EXPECT_TRUE(is_origin_of("https://PBX", "pbx", true));
  EXPECT_TRUE(is_origin_of("https://pbx", "pbx:443", false));
  EXPECT_FALSE(is_origin_of("https://pbx.evil", "pbx", true));
  EXPECT_FALSE(is_origin_of("null", "pbx", true));
  EXPECT_FALSE(is_origin_of("http://pbx:443", "pbx:443", true));
  EXPECT_FALSE(is_origin_of("http://", "", false));
}

TEST(Attempts, LockForTheirTimeAndNotForEver) {
  Attempts attempts(2);
  const model::RateLimit limit{3, 300s, 900s};
  EXPECT_FALSE(attempts.begin("a", limit, kStart));
  EXPECT_FALSE(attempts.begin("a", limit, kStart));
  EXPECT_TRUE(attempts.begin("a", limit, kStart));
  EXPECT_EQ(attempts.locked_for("a", kStart + 100s), 800s);
  EXPECT_EQ(attempts.locked_for("a", kStart + 900s), std::nullopt);
  for (const char* other : {"b", "c", "d"}) attempts.begin(other, limit, kStart);
  EXPECT_EQ(attempts.size(), 2u);
}

TEST(Attempts, OldOnesDoNotAddUp) {
  Attempts attempts(10);
  const model::RateLimit limit{3, 300s, 900s};
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(attempts.begin("a", limit, kStart + 301s * (i / 2)));
}

TEST(Attempts, WhatIsGivenBackCountsNoMoreAndEndsTheLockoutThatNeededIt) {
  Attempts attempts(10);
  const model::RateLimit limit{3, 300s, 900s};
  for (int i = 0; i < 3; ++i) attempts.begin("a", limit, kStart);
  EXPECT_TRUE(attempts.locked_for("a", kStart));
  attempts.give_back("a", limit, kStart);
  EXPECT_FALSE(attempts.locked_for("a", kStart));
  EXPECT_TRUE(attempts.begin("a", limit, kStart + 1s));
  // Of a time that has passed, and of somebody nobody knows: nothing to give back.
  EXPECT_FALSE(attempts.begin("b", limit, kStart));
  EXPECT_FALSE(attempts.begin("b", limit, kStart + 301s));
  attempts.give_back("b", limit, kStart);
  attempts.give_back("c", limit, kStart);
  EXPECT_FALSE(attempts.begin("b", limit, kStart + 302s));
  EXPECT_TRUE(attempts.begin("b", limit, kStart + 303s));
}

TEST(Buckets, FillAgainWithTime) {
  Buckets buckets({10, 5}, 100);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(buckets.take("a", kStart), std::nullopt);
  EXPECT_EQ(buckets.take("a", kStart), 100ms);
  EXPECT_EQ(buckets.take("b", kStart), std::nullopt);
  EXPECT_EQ(buckets.take("a", kStart + 100ms), std::nullopt);
  EXPECT_EQ(buckets.full_in("a", kStart + 100ms), 500ms);
  EXPECT_EQ(buckets.left("a", kStart + 10s), 5u);
}

TEST(Repeats, AreBoundedAndWaitForTheFirst) {
  Repeats repeats({2, 100, 24h});
  EXPECT_TRUE(std::holds_alternative<Repeats::Fresh>(repeats.begin("k", "r", kStart)));
  EXPECT_TRUE(std::holds_alternative<Repeats::Pending>(repeats.begin("k", "r", kStart)));
  repeats.ended("k", 200, "yes");
  EXPECT_TRUE(std::holds_alternative<Repeats::Answered>(repeats.begin("k", "r", kStart)));
  EXPECT_TRUE(std::holds_alternative<Repeats::Different>(repeats.begin("k", "other", kStart)));
  repeats.begin("l", "r", kStart);
  repeats.ended("l", 503, "busy");
  EXPECT_TRUE(std::holds_alternative<Repeats::Fresh>(repeats.begin("l", "r", kStart)));
  repeats.begin("m", "r", kStart);
  EXPECT_EQ(repeats.size(), 2u);
}

TEST(Access, KeepsSoManySessionsOfOneAndEndsTheQuietest) {
  Limits limits;
  limits.sessions_of_one = 2;
  Access access(limits);
  const Change user = SaveUser{{"admin", Role::kAdmin, Secret<std::string>{"h"}, kStart}};
  access.apply(std::span{&user, 1});
  SeededRng rng(1);
  std::vector<std::string> tokens;
  for (int i = 0; i < 3; ++i) {
    auto opened = access.open("admin", Way::kToken, {}, rng, kStart + 1s * i);
    access.apply(opened->changes);
    tokens.push_back("Bearer " + opened->token.reveal());
  }
  EXPECT_FALSE(access.who({"", tokens[0], ""}, {}, kStart + 5s).known());
  EXPECT_TRUE(access.who({"", tokens[1], ""}, {}, kStart + 5s).known());
  EXPECT_TRUE(access.who({"", tokens[2], ""}, {}, kStart + 5s).known());
}

TEST(Access, ASessionEndsWithItsExtension) {
  model::Directory directory;
  directory.extensions["1001"].number = model::ExtensionNumber{"1001"};
  directory.extensions["1001"].credentials.ha1_sha256 = Secret<std::string>{"x"};
  Access access;
  SeededRng rng(1);
  auto opened = access.open("1001", Way::kToken, directory, rng, kStart);
  access.apply(opened->changes);
  const std::string header = "Bearer " + opened->token.reveal();
  EXPECT_TRUE(access.who({"", header, ""}, directory, kStart).known());
  EXPECT_FALSE(access.who({"", header, ""}, {}, kStart).known());
}

TEST(Access, TrustedAddressesAreNotLockedButNamesAre) {
  Access access;
  Settings settings;
  settings.rate_limit = {2, 300s, 900s};
  settings.trusted_networks = {*Network::parse("10.0.0.0/8")};
  access.configure(settings);
  const auto proxy = *IpAddress::parse("10.0.0.1");
  for (const char* name : {"a", "b", "c", "d"}) EXPECT_FALSE(access.begin_login(name, proxy, kStart).locked);
  access.begin_login("a", proxy, kStart);
  EXPECT_TRUE(access.begin_login("a", proxy, kStart).locked);
}

TEST(Access, OfOneAddressSoManyPasswordsAreLookedAtAtATime) {
  Limits limits;
  limits.looked_at_of_address = 2;
  limits.looked_at_of_proxy = 3;
  Access access(limits);
  Settings settings;
  settings.rate_limit = {100, 300s, 900s};
  settings.trusted_networks = {*Network::parse("10.0.0.0/8")};
  access.configure(settings);
  const auto stranger = *IpAddress::parse("192.0.2.1");
  const auto first = access.begin_login("a", stranger, kStart);
  EXPECT_FALSE(access.begin_login("b", stranger, kStart).crowded);
  EXPECT_TRUE(access.begin_login("c", stranger, kStart).crowded);
  EXPECT_FALSE(access.begin_login("c", *IpAddress::parse("192.0.2.2"), kStart).crowded);
  access.login_failed(first);
  EXPECT_FALSE(access.begin_login("c", stranger, kStart).crowded);
  const auto proxy = *IpAddress::parse("10.0.0.1");
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(access.begin_login("d", proxy, kStart).crowded);
  EXPECT_TRUE(access.begin_login("d", proxy, kStart).crowded);
}

TEST(Access, OnePasswordThatIsRightForgivesNoGuessesAtOthers) {
  Access access;
  Settings settings;
  settings.rate_limit = {5, 300s, 900s};
  access.configure(settings);
  const auto from = *IpAddress::parse("192.0.2.1");
  const auto log_in = [&](const std::string& name, bool right) {
    const auto attempt = access.begin_login(name, from, kStart);
    if (attempt.locked) return false;
    right ? access.login_succeeded(attempt) : access.login_failed(attempt);
    return true;
  };
  for (const char* victim : {"a", "b", "c", "d"}) {
    EXPECT_TRUE(log_in(victim, false));
    EXPECT_TRUE(log_in("mallory", true));
  }
  EXPECT_TRUE(log_in("e", false));
  EXPECT_FALSE(log_in("f", false));
}

}  // namespace
}  // namespace bw::access
