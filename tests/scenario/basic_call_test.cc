#include <fmt/format.h>

#include "story.h"

namespace bw::scenario {
namespace {

TEST(Call, TwoPhonesTalkThroughTheServerAndTheRecordTellsIt) {
  World office{Seed{1}};
  auto [alice, bob] = office.phones("alice", "bob");
  talk(office, alice, bob);
  expect_conversation(office, alice, bob);
  expect_agreement(office);
  office.run_for(10s);
  bob.hangs_up();
  EXPECT_TRUE(office.until([&] { return all_idle({&alice, &bob}); })) << office.ladder();
  office.run_for(1s);
  const auto* record = office.pbx().store().last_call(alice.number(), bob.number());
  ASSERT_NE(record, nullptr) << office.ladder();
  EXPECT_EQ(record->disposition, model::Disposition::kAnswered);
  EXPECT_EQ(record->hangup_by, "callee");
  EXPECT_EQ(record->legs.size(), 2U);
  ASSERT_TRUE(record->answered && record->ended);
  EXPECT_GE(*record->ended - *record->answered, 10s);
  expect_clean(office);
}

TEST(Call, TheMediaOfBothLegsPassesThroughTheServer) {
  World office{Seed{2}};
  auto [alice, bob] = office.phones("alice", "bob");
  office.network().parts().between(alice, bob);  // nothing can go past the server
  talk(office, alice, bob);
  expect_conversation(office, alice, bob);
  EXPECT_EQ(alice.line().remote->rtp.ip, office.pbx().ip());
  expect_clean(office);
}

TEST(Call, RefusalsArriveWithTheirCodeAndASentence) {
  struct Case {
    int status;
    std::string disposition;
  };
  for (const auto& [status, disposition] : {Case{486, "busy"}, Case{603, "failed"}, Case{480, "failed"}}) {
    World office{Seed{3}};
    auto [alice, bob] = office.phones("alice", "bob");
    bob.habits().rejects_with = status;
    alice.dials(bob);
    EXPECT_TRUE(office.until([&] { return alice.is_idle(); }, 10s)) << office.ladder();
    EXPECT_EQ(alice.ended_with(), status) << office.ladder();
    office.run_for(1s);
    if (status == 486) EXPECT_EQ(disposition_of(office), disposition);
    EXPECT_THAT(reason_of(office), testing::HasSubstr(bob.number()));
    expect_clean(office);
  }
}

TEST(Call, NobodyThereIs404OrOffline480) {
  World office{Seed{4}};
  auto [alice, bob] = office.phones("alice", "bob");
  alice.dials("1999");
  EXPECT_TRUE(office.until([&] { return alice.is_idle(); }, 5s)) << office.ladder();
  EXPECT_EQ(alice.ended_with(), 404);
  bob.unregisters();
  office.run_for(1s);
  alice.dials(bob);
  EXPECT_TRUE(office.until([&] { return alice.is_idle(); }, 5s)) << office.ladder();
  EXPECT_EQ(alice.ended_with(), 480);
  expect_clean(office);
}

TEST(Call, NoAnswerEndsAfterTheTimeoutWithASentence) {
  World office{Seed{5}};
  auto [alice, bob] = office.phones("alice", "bob");
  alice.dials(bob);
  office.run_for(29s);
  EXPECT_TRUE(bob.is_ringing() && alice.hears_ringback()) << office.ladder();
  EXPECT_TRUE(office.until([&] { return all_idle({&alice, &bob}); }, 5s)) << office.ladder();
  EXPECT_THAT(alice.ended_with(), testing::AnyOf(480, 408));
  office.run_for(1s);
  EXPECT_EQ(disposition_of(office), "no_answer");
  EXPECT_EQ(reason_of(office), bob.number() + " did not answer within 30 s");
  expect_clean(office);
}

TEST(Call, CancelStopsTheRinging) {
  World office{Seed{6}};
  auto [alice, bob] = office.phones("alice", "bob");
  alice.dials(bob);
  ASSERT_TRUE(office.until([&] { return bob.is_ringing() && alice.hears_ringback(); })) << office.ladder();
  alice.hangs_up();
  EXPECT_TRUE(office.until([&] { return all_idle({&alice, &bob}); }, 3s)) << office.ladder();
  EXPECT_EQ(alice.ended_with(), 487);
  office.run_for(1s);
  EXPECT_EQ(disposition_of(office), "cancelled");
  expect_clean(office);
}

TEST(Call, AllPhonesOfAnExtensionRingAndTheOthersAreToldWhyTheyStop) {
  World office{Seed{7}};
  auto [alice, bob] = office.phones("alice", "bob");
  Phone& desk = office.another_phone_of(bob, "bob-desk");
  Phone& home = office.another_phone_of(bob, "bob-home");
  alice.dials(bob);
  ASSERT_TRUE(office.until([&] { return bob.is_ringing() && desk.is_ringing() && home.is_ringing(); }))
      << office.ladder();
  desk.answers();
  EXPECT_TRUE(office.until([&] { return all_idle({&bob, &home}); }, 3s)) << office.ladder();
  EXPECT_EQ(bob.ended_reason(), R"(SIP;cause=200;text="Call completed elsewhere")") << office.ladder();
  EXPECT_EQ(home.ended_reason(), R"(SIP;cause=200;text="Call completed elsewhere")") << office.ladder();
  expect_conversation(office, alice, desk);
  expect_agreement(office);
  expect_clean(office);
}

TEST(Call, OneBusyPhoneDoesNotEndTheCallOfTheOther) {
  World office{Seed{8}};
  auto [alice, bob] = office.phones("alice", "bob");
  Phone& desk = office.another_phone_of(bob, "bob-desk");
  desk.habits().rejects_with = 486;
  alice.dials(bob);
  office.run_for(3s);
  EXPECT_TRUE(bob.is_ringing()) << office.ladder();
  bob.answers();
  expect_conversation(office, alice, bob);
  expect_clean(office);
}

TEST(Call, TheEchoTestSendsOnesOwnVoiceBack) {
  World office{Seed{9}};
  auto [alice] = office.phones("alice");
  alice.dials("*43");
  ASSERT_TRUE(office.until([&] { return alice.in_call(); }, 5s)) << office.ladder();
  EXPECT_TRUE(alice.hears(alice)) << office.ladder();
  alice.hangs_up();
  expect_clean(office);
}

TEST(Call, AnOfferMayComeLate) {
  World office{Seed{10}};
  auto [alice, bob] = office.phones("alice", "bob");
  alice.habits().delayed_offer = true;
  talk(office, alice, bob);
  expect_conversation(office, alice, bob);
  expect_clean(office);
}

TEST(Call, AnOfferMayComeLateInAReinviteToo) {
  World office{Seed{24}};
  auto [alice, bob] = office.phones("alice", "bob");
  talk(office, alice, bob);
  alice.habits().delayed_offer = true;
  alice.holds();
  office.run_for(2s);
  EXPECT_FALSE(alice.hears(bob)) << office.ladder();
  alice.resumes();
  office.run_for(2s);
  // RFC 3261 §14.2: the offer in the 2xx is made as for a new call, so it does not stay bound by the hold.
  EXPECT_EQ(alice.line().remote->direction, testkit::Direction::kSendRecv) << office.ladder();
  expect_conversation(office, alice, bob);
  expect_agreement(office);
  expect_clean(office);
}

TEST(Call, ARedirectionIsFollowedInTheOfficeOrRefused) {
  World office{Seed{25}};
  auto [alice, bob, carol] = office.phones("alice", "bob", "carol");
  bob.habits().rejects_with = 302;
  bob.habits().redirects_to = carol.number();
  alice.dials(bob);
  office.run_for(2s);
  EXPECT_TRUE(carol.is_ringing() || alice.is_idle()) << office.ladder();
  expect_clean(office);
}

TEST(Call, EarlyMediaIsHeardBeforeTheAnswer) {
  World office{Seed{11}};
  auto [alice, bob] = office.phones("alice", "bob");
  bob.habits().early_media = true;
  alice.dials(bob);
  office.run_for(1s);
  EXPECT_TRUE(alice.hears(bob)) << office.ladder();
  EXPECT_FALSE(alice.in_call());
  bob.answers();
  expect_conversation(office, alice, bob);
  expect_clean(office);
}

TEST(Call, ReliableRingingIsAcknowledgedOnBothLegs) {
  World office{Seed{12}};
  auto [alice, bob] = office.phones("alice", "bob");
  alice.habits().supports_100rel = true;
  bob.habits().rings_reliably = true;
  bob.habits().early_media = true;
  office.network().loses_next("SIP/2.0 183", bob);
  alice.dials(bob);
  office.run_for(3s);
  EXPECT_EQ(bob.line().pracks, 1U) << office.ladder();
  bob.answers();
  expect_conversation(office, alice, bob);
  expect_clean(office);
}

TEST(Call, AReliablyRingingPhoneWorksForACallerWithoutPrack) {
  World office{Seed{13}};
  auto [alice, bob] = office.phones("alice", "bob");
  bob.habits().rings_reliably = true;
  alice.dials(bob);
  office.run_for(40s - 15s);
  EXPECT_TRUE(bob.is_ringing()) << office.ladder();
  bob.answers();
  expect_conversation(office, alice, bob);
  expect_clean(office);
}

TEST(Call, UpdateKeepsTheCall) {
  World office{Seed{14}};
  auto [alice, bob] = office.phones("alice", "bob");
  talk(office, alice, bob);
  alice.updates();
  office.run_for(2s);
  bob.habits().changes_with_update = true;
  bob.holds();
  office.run_for(1s);
  EXPECT_FALSE(bob.hears(alice)) << office.ladder();
  bob.resumes();
  office.run_for(1s);
  expect_conversation(office, alice, bob);
  expect_clean(office);
}

TEST(Call, SessionTimersKeepALongCallAlive) {
  World office{Seed{15}};
  Habits quiet{.media_every = 200ms};
  Phone& alice = office.phone("alice", quiet);
  Phone& bob = office.phone("bob", quiet);
  ASSERT_TRUE(office.until([&] { return alice.is_registered() && bob.is_registered(); }));
  alice.habits().session_expires = 120;
  talk(office, alice, bob);
  office.run_for(20min);
  EXPECT_TRUE(alice.in_call() && bob.in_call()) << office.ladder();
  EXPECT_GE(alice.line().refreshes, 10U) << office.ladder();
  expect_agreement(office);
  expect_clean(office);
}

TEST(Call, TheLongestDurationIsKept) {
  World office{Seed{16}};
  auto [alice, bob] = office.phones("alice", "bob");
  office.pbx().configure([](model::Settings& s) { s.max_call_duration = 120s; });
  talk(office, alice, bob);
  office.run_for(115s);
  EXPECT_TRUE(alice.in_call() && bob.in_call());
  office.run_for(10s);
  EXPECT_TRUE(all_idle({&alice, &bob})) << office.ladder();
  EXPECT_EQ(disposition_of(office), "answered");
  EXPECT_EQ(office.pbx().store().last_call()->hangup_by, "system");
  EXPECT_THAT(reason_of(office), testing::HasSubstr("120 s")) << office.ladder();
  expect_clean(office);
}

TEST(Call, PhonesWithoutACommonCodecAreTold488) {
  World office{Seed{17}};
  auto [alice, bob] = office.phones("alice", "bob");
  alice.habits().codecs = {{18, "G729/8000"}};
  bob.habits().codecs = {{8, "PCMA/8000"}};
  bob.habits().rejects_with = 488;
  alice.dials(bob);
  EXPECT_TRUE(office.until([&] { return all_idle({&alice, &bob}); }, 10s)) << office.ladder();
  EXPECT_EQ(alice.ended_with(), 488);
  expect_clean(office);
}

TEST(Call, PhonesThatShareNoCodecTalkIfBellwireKnowsBoth) {
  World office{Seed{171}};
  auto [alice, bob] = office.phones("alice", "bob");
  alice.habits().codecs = {{0, "PCMU/8000"}};
  bob.habits().codecs = {{9, "G722/8000"}};
  talk(office, alice, bob);
  alice.holds();
  office.run_for(2s);
  alice.resumes();
  office.run_for(2s);
  EXPECT_TRUE(alice.in_call() && bob.in_call()) << office.ladder();
  alice.hangs_up();
  EXPECT_TRUE(office.until([&] { return all_idle({&alice, &bob}); }, 10s)) << office.ladder();
  office.run_for(3s);
  const auto legs = office.pbx().store().last_call()->legs;
  ASSERT_EQ(legs.size(), 2U);
  EXPECT_EQ(legs[0].codec, "PCMU/8000");
  EXPECT_EQ(legs[1].codec, "G722/8000");
  expect_clean(office);
}

TEST(Call, WhatThePhoneWritesInFromIsNotBelieved) {
  World office{Seed{18}};
  auto [alice, bob, carol] = office.phones("alice", "bob", "carol");
  alice.habits().claims_to_be = carol.number();
  alice.dials(bob);
  ASSERT_TRUE(office.until([&] { return bob.is_ringing() || alice.is_idle(); }, 5s)) << office.ladder();
  if (bob.is_ringing()) EXPECT_EQ(bob.line().peer, alice.number()) << office.ladder();
  expect_clean(office);
}

TEST(Call, NobodyCallsWithoutAPassword) {
  World office{Seed{19}};
  auto [alice, bob] = office.phones("alice", "bob");
  alice.habits().password = "wrong";
  alice.dials(bob);
  EXPECT_TRUE(office.until([&] { return alice.is_idle(); }, 5s)) << office.ladder();
  EXPECT_EQ(bob.calls_seen(), 0U) << office.ladder();
  EXPECT_THAT(alice.ended_with(), testing::AnyOf(401, 403, 407));
  EXPECT_TRUE(office.pbx().store().calls().empty());
  expect_clean(office);
}

TEST(Call, ACapturedInviteCannotBeUsedBySomebodyElse) {
  World office{Seed{26}};
  auto [alice, bob] = office.phones("alice", "bob");
  Phone& mallory = office.stranger("mallory", "1999", "");
  talk(office, alice, bob);
  alice.hangs_up();
  office.run_for(40s);
  std::string forged = *office.tape().last("INVITE", alice.ip());
  for (const auto* start : {"Call-ID: ", "branch=z9hG4bK", ";tag="}) {
    const auto at = forged.find(start);
    ASSERT_NE(at, forged.npos) << forged;
    forged.insert(at + std::string_view{start}.size(), "x");
  }
  mallory.sends_raw(forged);
  office.run_for(2s);
  EXPECT_EQ(bob.calls_seen(), 1U) << office.ladder();
  EXPECT_GE(office.tape().count("SIP/2.0 401", office.pbx().ip(), mallory.ip()), 1U) << office.ladder();
  expect_clean(office);
}

TEST(Call, KeysArePassedOnOncePerPress) {
  World office{Seed{20}};
  auto [alice, bob] = office.phones("alice", "bob");
  talk(office, alice, bob);
  office.network().loses(10_percent).between(alice, office.pbx());
  office.network().duplicates(20_percent).between(alice, office.pbx());
  office.network().jitters(30ms).between(alice, office.pbx());
  alice.presses("159*");
  office.run_for(3s);
  EXPECT_EQ(bob.digits_heard(), "159*") << office.ladder();
  alice.presses_by_info("7");
  office.run_for(10s);
  EXPECT_EQ(bob.digits_heard(), "159*7") << office.ladder();
  expect_clean(office);
}

TEST(Call, PhonesOnConnectionsAndOnDatagramsTalk) {
  for (const auto transport : {sip::Transport::kTcp, sip::Transport::kTls}) {
    World office{Seed{21}};
    auto [bob] = office.phones("bob");
    Phone& alice = office.phone("alice", Habits{.transport = transport});
    ASSERT_TRUE(office.until([&] { return alice.is_registered(); })) << office.ladder();
    talk(office, alice, bob);
    expect_conversation(office, alice, bob);
    alice.hangs_up();
    EXPECT_TRUE(office.until([&] { return all_idle({&alice, &bob}); }, 3s)) << office.ladder();
    talk(office, bob, alice);
    expect_conversation(office, alice, bob);
    expect_clean(office);
  }
}

TEST(Call, ARequestThatHasGoneTooFarIsRefused) {
  World office{Seed{22}};
  auto [alice, bob] = office.phones("alice", "bob");
  alice.habits().max_forwards = 0;
  alice.dials(bob);
  EXPECT_TRUE(office.until([&] { return alice.is_idle(); }, 5s)) << office.ladder();
  EXPECT_EQ(alice.ended_with(), 483) << office.ladder();
  EXPECT_EQ(bob.calls_seen(), 0U);
  expect_clean(office);
}

TEST(Call, TheSameRequestOverTwoPathsIsOneCall) {  // RFC 3261 §8.2.2.2
  World office{Seed{23}};
  auto [alice, bob] = office.phones("alice", "bob");
  alice.dials(bob);
  ASSERT_TRUE(office.until([&] { return bob.is_ringing(); })) << office.ladder();
  std::string twin = *office.tape().last("INVITE", alice.ip());
  const auto branch = twin.find("branch=z9hG4bK") + 14;
  twin.insert(branch, "otherpath");
  alice.sends_raw(twin);
  office.run_for(2s);
  EXPECT_EQ(office.tape().count("SIP/2.0 482", office.pbx().ip(), alice.ip()), 1U) << office.ladder();
  EXPECT_EQ(bob.calls_seen(), 1U) << office.ladder();
  bob.answers();
  expect_conversation(office, alice, bob);
  expect_clean(office);
}

}  // namespace
}  // namespace bw::scenario
