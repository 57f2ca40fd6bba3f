#include <gtest/gtest.h>

#include "testkit/phone_digest.h"
#include "testkit/stage.h"

namespace bw::testkit {
namespace {

struct TwoPhones {
  explicit TwoPhones(std::uint64_t seed = 7)
      : stage(Seed{seed}), alice(stage.bare_phone("alice", "1001")), bob(stage.bare_phone("bob", "1002")) {}
  void talk() {
    alice.dials_directly(bob);
    bob.answers();
    ASSERT_TRUE(alice.in_call() && bob.in_call()) << stage.ladder();
  }
  Stage stage;
  Phone& alice;
  Phone& bob;
};

TEST(PhoneDigest, AnswersTheExampleOfTheRfc) {  // RFC 2617 §3.5
  const auto answer = answer_challenge(
      R"(Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", )"
      R"(opaque="5ccc069c403ebaf9f0171e9517f40e41")",
      "GET", "/dir/index.html", "Mufasa", "Circle Of Life", "0a4f113b", 1);
  EXPECT_NE(answer.find(R"(response="6629fae49393a05397450978507c4ef1")"), answer.npos) << answer;
}

TEST(Phones, TalkToEachOtherAndHangUp) {
  TwoPhones t;
  t.alice.dials_directly(t.bob);
  EXPECT_TRUE(t.stage.until([&] { return t.bob.is_ringing() && t.alice.hears_ringback(); }))
      << t.stage.ladder();
  t.bob.answers();
  ASSERT_TRUE(t.alice.in_call() && t.bob.in_call()) << t.stage.ladder();
  EXPECT_TRUE(t.alice.hears(t.bob) && t.bob.hears(t.alice)) << t.stage.ladder();
  EXPECT_FALSE(t.alice.hears(t.alice));
  t.bob.hangs_up();
  EXPECT_TRUE(t.stage.until([&] { return t.alice.is_idle() && t.bob.is_idle(); })) << t.stage.ladder();
  EXPECT_TRUE(t.alice.was_hung_up_on());
}

TEST(Phones, TalkOverANetworkThatLosesAThird) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    TwoPhones t{seed};
    t.stage.network().loses(30_percent).between(t.alice, t.bob);
    t.stage.network().duplicates(10_percent).between(t.alice, t.bob);
    t.stage.network().jitters(40ms).between(t.alice, t.bob);
    t.alice.dials_directly(t.bob);
    t.bob.answers();
    ASSERT_TRUE(t.stage.until([&] { return t.alice.in_call() && t.bob.in_call(); })) << t.stage.ladder();
    t.alice.hangs_up();
    ASSERT_TRUE(t.stage.until([&] { return t.alice.is_idle() && t.bob.is_idle(); })) << t.stage.ladder();
  }
}

TEST(Phones, ACancelledCallEndsWith487AndARefusedOneWithItsCode) {
  TwoPhones t;
  t.alice.dials_directly(t.bob);
  ASSERT_TRUE(t.stage.until([&] { return t.bob.is_ringing(); }));
  t.alice.hangs_up();
  EXPECT_TRUE(t.stage.until([&] { return t.alice.is_idle() && t.bob.is_idle(); })) << t.stage.ladder();
  EXPECT_EQ(t.alice.ended_with(), 487);
  t.alice.dials_directly(t.bob);
  t.bob.rejects(486);
  EXPECT_TRUE(t.stage.until([&] { return t.alice.is_idle(); })) << t.stage.ladder();
  EXPECT_EQ(t.alice.ended_with(), 486);
}

TEST(Phones, AnAnswerThatCrossesTheCancelIsHungUp) {
  TwoPhones t;
  t.alice.dials_directly(t.bob);
  ASSERT_TRUE(t.stage.until([&] { return t.bob.is_ringing() && t.alice.hears_ringback(); }));
  t.alice.hangs_up();
  t.bob.picks_up();
  EXPECT_TRUE(t.stage.until([&] { return t.alice.is_idle() && t.bob.is_idle(); })) << t.stage.ladder();
  EXPECT_EQ(t.bob.ended_with(), 200) << t.stage.ladder();
}

TEST(Phones, HoldAndResumeInBothForms) {
  for (const bool by_address : {false, true}) {
    TwoPhones t;
    t.alice.habits().holds_by_address = by_address;
    t.talk();
    t.alice.holds();
    EXPECT_TRUE(t.stage.until([&] { return t.bob.is_held(); })) << t.stage.ladder();
    t.stage.run_for(1s);
    EXPECT_FALSE(t.alice.hears(t.bob)) << t.stage.ladder();
    t.alice.resumes();
    EXPECT_TRUE(t.stage.until([&] { return !t.bob.is_held(); })) << t.stage.ladder();
    EXPECT_TRUE(t.alice.hears(t.bob) && t.bob.hears(t.alice)) << t.stage.ladder();
  }
}

TEST(Phones, ThatChangeACallAtTheSameMomentBothSay491AndTryAgain) {
  TwoPhones t;
  t.talk();
  t.stage.run_for(1s);
  t.alice.holds();
  t.bob.holds();
  EXPECT_TRUE(t.stage.until([&] { return t.alice.line().glares == 1 && t.bob.line().glares == 1; }))
      << t.stage.ladder();
  EXPECT_TRUE(t.stage.until([&] { return t.alice.is_held() && t.bob.is_held(); })) << t.stage.ladder();
}

TEST(Phones, ALostAckAndALost200AreMadeGood) {
  for (const auto* what : {"ACK", "SIP/2.0 200"}) {
    TwoPhones t;
    t.stage.network().loses_next(what, *what == 'A' ? t.alice : t.bob);
    t.talk();
    EXPECT_TRUE(t.alice.hears(t.bob) && t.bob.hears(t.alice)) << t.stage.ladder();
  }
}

TEST(Phones, AnAnswerThatIsNeverAcknowledgedIsTakenBack) {
  TwoPhones t;
  t.alice.habits().never_acks = true;
  t.alice.dials_directly(t.bob);
  ASSERT_TRUE(t.stage.until([&] { return t.bob.is_ringing(); }));
  t.bob.picks_up();
  EXPECT_TRUE(t.stage.until([&] { return t.alice.is_idle() && t.bob.is_idle(); })) << t.stage.ladder();
}

TEST(Phones, OfferLateAndRingReliablyAndSendEarlyMedia) {
  TwoPhones t;
  t.alice.habits().delayed_offer = true;
  t.talk();
  EXPECT_TRUE(t.alice.hears(t.bob) && t.bob.hears(t.alice)) << t.stage.ladder();

  TwoPhones r;
  r.alice.habits().supports_100rel = true;
  r.bob.habits().rings_reliably = true;
  r.bob.habits().early_media = true;
  r.stage.network().loses_next("SIP/2.0 183", r.bob);
  r.alice.dials_directly(r.bob);
  EXPECT_TRUE(r.stage.until([&] { return r.alice.line().pracks == 1 && r.bob.line().pracks == 1; }))
      << r.stage.ladder();
  r.stage.run_for(1s);
  EXPECT_FALSE(r.alice.in_call());
  r.bob.answers();
  EXPECT_TRUE(r.alice.hears(r.bob) && r.bob.hears(r.alice)) << r.stage.ladder();
  r.alice.hangs_up();
  EXPECT_TRUE(r.stage.until([&] { return r.bob.is_idle() && r.alice.is_idle(); })) << r.stage.ladder();
}

TEST(Phones, RefreshTheSessionAndEndItWhenTheOtherIsDead) {
  TwoPhones t;
  t.alice.habits().session_expires = 90;
  t.talk();
  t.stage.run_for(200s);
  EXPECT_TRUE(t.alice.in_call() && t.bob.in_call()) << t.stage.ladder();
  EXPECT_GE(t.bob.line().refreshes + t.alice.line().refreshes, 4U) << t.stage.ladder();
  t.alice.dies();
  EXPECT_TRUE(t.stage.until([&] { return t.bob.is_idle(); }, 130s)) << t.stage.ladder();
}

TEST(Phones, FollowATransferAndReportIt) {
  TwoPhones t;
  Phone& carol = t.stage.bare_phone("carol", "1003");
  t.talk();
  t.bob.belongs_to(carol.endpoint(), carol.endpoint().to_string());
  t.bob.transfers_to(carol);
  EXPECT_TRUE(t.stage.until([&] { return carol.is_ringing(); })) << t.stage.ladder();
  carol.answers();
  EXPECT_TRUE(t.stage.until([&] { return t.bob.is_idle(); })) << t.stage.ladder();
  EXPECT_EQ(t.bob.transfer_status(), 200);
  EXPECT_TRUE(carol.hears(t.alice)) << t.stage.ladder();
}

TEST(Phones, PressKeysInBothWays) {
  TwoPhones t;
  t.talk();
  t.stage.network().loses(20_percent).between(t.alice, t.bob);
  t.alice.presses("12*#");
  t.stage.run_for(3s);
  EXPECT_EQ(t.bob.digits_heard(), "12*#");
  t.alice.presses_by_info("9");
  t.stage.run_for(10s);
  EXPECT_EQ(t.bob.digits_heard(), "12*#9") << t.stage.ladder();
}

TEST(Phones, TheSameSeedIsTheSameStory) {
  const auto story = [](std::uint64_t seed) {
    TwoPhones t{seed};
    t.stage.network().loses(30_percent).everywhere();
    t.alice.dials_directly(t.bob);
    t.bob.answers();
    t.stage.run_for(20s);
    return t.stage.ladder();
  };
  EXPECT_EQ(story(3), story(3));
  EXPECT_NE(story(3), story(4));
}

TEST(Network, DelaysPartsAndHeals) {
  TwoPhones t;
  t.stage.network().delays(100ms).between(t.alice, t.bob);
  t.alice.dials_directly(t.bob);
  t.stage.run_for(99ms);
  EXPECT_EQ(t.bob.calls_seen(), 0U);
  t.stage.run_for(2ms);
  EXPECT_TRUE(t.bob.is_ringing());
  t.stage.network().parts().between(t.alice, t.bob);
  t.bob.picks_up();
  t.stage.run_for(5s);
  EXPECT_FALSE(t.alice.in_call());
  t.stage.network().heals().between(t.alice, t.bob);
  t.stage.run_for(5s);
  EXPECT_TRUE(t.alice.in_call()) << t.stage.ladder();
}

}  // namespace
}  // namespace bw::testkit
