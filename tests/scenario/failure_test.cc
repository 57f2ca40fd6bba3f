// What fails: phones, cables, the server itself. No call may survive on one side only.
#include <fmt/format.h>

#include "story.h"

namespace bw::scenario {
namespace {

TEST(Failure, APhoneThatDiesInACallIsFoundOut) {
  World office{Seed{1}};
  auto [alice, bob] = office.phones("alice", "bob");
  office.pbx().configure([](model::Settings& s) { s.media_silence_timeout = 30s; });
  alice.habits().session_expires = 120;
  talk(office, alice, bob);
  office.run_for(1s);
  bob.dies();
  EXPECT_TRUE(office.until([&] { return alice.is_idle(); }, 240s)) << office.ladder();
  EXPECT_TRUE(alice.was_hung_up_on()) << office.ladder();
  office.run_for(1s);
  EXPECT_FALSE(reason_of(office).empty());
  EXPECT_EQ(office.pbx().store().last_call()->hangup_by, "system") << reason_of(office);
  expect_clean(office);
}

TEST(Failure, ADeadPhoneWithoutASessionTimerIsFoundOutByItsSilence) {
  World office{Seed{2}};
  auto [alice, bob] = office.phones("alice", "bob");
  alice.habits().supports_timer = false;
  bob.habits().supports_timer = false;
  talk(office, alice, bob);
  office.run_for(1s);
  bob.dies();
  EXPECT_TRUE(office.until([&] { return alice.is_idle(); }, 180s)) << office.ladder();
  office.run_for(1s);
  EXPECT_THAT(reason_of(office), testing::HasSubstr("no packets from")) << reason_of(office);
  expect_clean(office);
}

TEST(Failure, AHeldCallIsNotTakenForADeadOne) {
  World office{Seed{3}};
  auto [alice, bob] = office.phones("alice", "bob");
  talk(office, alice, bob);
  bob.habits().media_every = 0ms;
  alice.holds();
  office.run_for(300s);
  EXPECT_TRUE(alice.in_call() && bob.in_call()) << office.ladder();
  expect_agreement(office);
  expect_clean(office);
}

TEST(Failure, APhoneThatRebootsInACallLeavesNoHalfCall) {
  World office{Seed{4}};
  auto [alice, bob] = office.phones("alice", "bob");
  talk(office, alice, bob);
  office.run_for(1s);
  bob.reboots();
  EXPECT_TRUE(office.until([&] { return alice.is_idle(); }, 240s)) << office.ladder();
  talk(office, alice, bob);
  expect_conversation(office, alice, bob);
  expect_clean(office);
}

TEST(Failure, ACallerThatDiesWhileItRingsStopsTheRinging) {
  World office{Seed{5}};
  auto [alice, bob] = office.phones("alice", "bob");
  alice.dials(bob);
  ASSERT_TRUE(office.until([&] { return bob.is_ringing(); }));
  alice.dies();
  EXPECT_TRUE(office.until([&] { return bob.is_idle(); }, 40s)) << office.ladder();
  expect_clean(office);
}

TEST(Failure, APhoneThatIsNotThereAnyMoreDoesNotHoldTheCallerForLong) {
  World office{Seed{6}};
  auto [alice, bob] = office.phones("alice", "bob");
  bob.dies();
  alice.dials(bob);
  EXPECT_TRUE(office.until([&] { return alice.is_idle(); }, 40s)) << office.ladder();
  EXPECT_THAT(alice.ended_with(), testing::AnyOf(408, 480)) << office.ladder();
  expect_clean(office);
}

TEST(Failure, AConnectionThatIsCutInACallIsMadeAgain) {
  World office{Seed{7}};
  auto [bob] = office.phones("bob");
  Phone& alice = office.phone("alice", Habits{.transport = sip::Transport::kTcp});
  ASSERT_TRUE(office.until([&] { return alice.is_registered(); }));
  talk(office, alice, bob);
  alice.loses_connection();
  office.run_for(8s);
  ASSERT_TRUE(alice.is_registered()) << office.ladder();
  EXPECT_TRUE(alice.in_call() && bob.in_call()) << office.ladder();
  expect_conversation(office, alice, bob);
  bob.hangs_up();
  EXPECT_TRUE(office.until([&] { return all_idle({&alice, &bob}); }, 40s)) << office.ladder();
  expect_clean(office);
}

TEST(Failure, APartedNetworkEndsTheCallAndEachSideAlone) {
  World office{Seed{8}};
  auto [alice, bob] = office.phones("alice", "bob");
  bob.habits().media_every = 200ms;
  alice.habits().session_expires = 120;
  talk(office, alice, bob);
  office.network().parts().between(bob, office.pbx());
  EXPECT_TRUE(office.until([&] { return alice.is_idle(); }, 300s)) << office.ladder();
  // His session timer is the server's: RFC 4028's recommended half hour.
  EXPECT_TRUE(office.until([&] { return bob.is_idle(); }, 1800s)) << office.ladder(30);
  expect_clean(office);
}

TEST(Failure, ACrashInACallLeavesAClosedRecordWithAReason) {
  World office{Seed{9}};
  auto [alice, bob] = office.phones("alice", "bob");
  talk(office, alice, bob);
  office.run_for(5s);
  office.pbx().crashes();
  office.run_for(1s);
  EXPECT_EQ(office.pbx().store().open_calls(), 1U);
  office.pbx().starts();
  EXPECT_EQ(office.pbx().store().open_calls(), 0U);
  EXPECT_FALSE(reason_of(office).empty());
  EXPECT_EQ(office.pbx().status().active_calls, 0U);
  alice.hangs_up();  // the server does not know this call any more
  bob.hangs_up();
  EXPECT_TRUE(office.until([&] { return all_idle({&alice, &bob}); }, 5s)) << office.ladder();
  talk(office, bob, alice);
  expect_conversation(office, alice, bob);
  expect_clean(office);
}

TEST(Failure, ACrashAtAnyMomentOfACallIsSurvived) {
  for (int ms = 0; ms <= 60; ms += 3) {
    World office{Seed{static_cast<std::uint64_t>(ms) + 1}};
    auto [alice, bob] = office.phones("alice", "bob");
    bob.habits().answers_after = 20ms;
    alice.dials(bob);
    office.run_for(std::chrono::milliseconds{ms});
    office.pbx().crashes();
    office.run_for(3s);
    office.pbx().starts();
    office.run_for(40s);
    ASSERT_THAT(office.leftovers(), testing::IsEmpty()) << ms << " ms" << office.ladder();
    for (const auto& [id, row] : office.pbx().store().calls()) ASSERT_FALSE(row.record.reason.empty());
  }
}

TEST(Failure, AnAnswerToACallOfBeforeTheCrashAnswersNoOther) {
  World office{Seed{15}};
  auto [alice, bob, carol] = office.phones("alice", "bob", "carol");
  alice.dials(bob);
  ASSERT_TRUE(office.until([&] { return bob.is_ringing(); })) << office.ladder();
  office.pbx().crashes();
  office.run_for(100ms);
  office.pbx().starts();
  alice.reboots();  // it calls again, and the server counts its legs from the beginning
  ASSERT_TRUE(office.until([&] { return alice.is_registered(); })) << office.ladder();
  alice.dials(carol);
  ASSERT_TRUE(office.until([&] { return carol.is_ringing(); })) << office.ladder();
  bob.picks_up();
  office.run_for(5s);
  EXPECT_FALSE(alice.in_call()) << office.ladder();
  EXPECT_TRUE(carol.is_ringing()) << office.ladder();
  carol.answers();
  expect_conversation(office, alice, carol);
  expect_clean(office);
}

TEST(Failure, ASlowDatabaseDelaysRecordsButNoCall) {
  World office{Seed{10}};
  auto [alice, bob] = office.phones("alice", "bob");
  office.pbx().store_is_slow(20s);
  talk(office, alice, bob);
  expect_conversation(office, alice, bob);
  bob.hangs_up();
  EXPECT_TRUE(office.until([&] { return all_idle({&alice, &bob}); }, 3s)) << office.ladder();
  expect_clean(office);
}

TEST(Failure, ADatabaseThatRefusesDoesNotStopTheTelephones) {
  World office{Seed{11}};
  auto [alice, bob] = office.phones("alice", "bob");
  office.pbx().store_refuses(true);
  talk(office, alice, bob);
  expect_conversation(office, alice, bob);
  bob.hangs_up();
  EXPECT_TRUE(office.until([&] { return all_idle({&alice, &bob}); }, 3s)) << office.ladder();
}

TEST(Failure, APoliteShutdownHangsUpEveryCallWithASentence) {
  World office{Seed{12}};
  auto [alice, bob, carol] = office.phones("alice", "bob", "carol");
  talk(office, alice, bob);
  carol.dials(bob);
  office.run_for(1s);
  office.pbx().shuts_down();
  EXPECT_TRUE(office.until([&] { return all_idle({&alice, &bob, &carol}); }, 5s)) << office.ladder();
  office.run_for(1s);
  EXPECT_EQ(office.pbx().store().open_calls(), 0U);
  for (const auto& [id, row] : office.pbx().store().calls()) EXPECT_FALSE(row.record.reason.empty());
}

TEST(Failure, StrangersPacketsNeitherRedirectNorDisturbACall) {
  World office{Seed{13}};
  auto [alice, bob] = office.phones("alice", "bob");
  Phone& mallory = office.stranger("mallory", "1999", "");
  talk(office, alice, bob);
  office.run_for(1s);
  const Endpoint target = alice.line().remote->rtp;
  for (int i = 0; i < 200; ++i) {
    std::string rtp{"\x80\x00\x00\x01\x00\x00\x00\xa0\x12\x34\x56\x78\xbe\x11\xf0\x0d", 16};
    rtp += std::string{"\x00\x00", 2} +
           std::string{static_cast<char>(mallory.tone() >> 8U), static_cast<char>(mallory.tone())};
    rtp.resize(172, '\x55');
    office.network().send({mallory.ip(), 20000}, target, std::make_shared<const std::string>(rtp));
    office.run_for(10ms);
  }
  EXPECT_FALSE(bob.is_hearing(mallory));
  expect_conversation(office, alice, bob);
  expect_clean(office);
}

TEST(Failure, APersonsSecretsAreInNoNote) {
  World office{Seed{14}};
  auto [alice, bob] = office.phones("alice", "bob");
  Phone& wrong = office.stranger("wrong", alice.number(), "hunter2");
  wrong.registers();
  talk(office, alice, bob);
  alice.hangs_up();
  office.run_for(5s);
  for (const auto& note : office.pbx().notes()) {
    EXPECT_EQ(note.find(alice.habits().password), note.npos) << note;
    EXPECT_EQ(note.find("response="), note.npos) << note;
  }
  expect_clean(office);
}

}  // namespace
}  // namespace bw::scenario
