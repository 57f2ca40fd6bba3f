// What a call tells while it happens (docs/events.md): every type once where it belongs, whatever races.
#include <cmath>

#include "story.h"

namespace bw::scenario {
namespace {

using testing::HasSubstr;
using testing::Not;

// Of the only, or newest, call.
std::string told(World& office) {
  office.run_for(3s);  // the last figures of the media come after the end
  const auto* record = office.pbx().store().last_call();
  return record == nullptr ? "no call" : office.pbx().store().told_of(record->id);
}

// What was told that is of no call.
std::string told_besides(World& office) {
  office.run_for(1s);
  return office.pbx().store().told_of(model::CallId{});
}

template <typename E>
const E* last_told(World& office) {
  const E* last = nullptr;
  for (const auto& entry : office.pbx().store().journal()) {
    if (const auto* event = std::get_if<E>(&entry.event)) last = event;
  }
  return last;
}

TEST(Journal, ACallTellsItsWholeStory) {
  World office{Seed{1}};
  auto [alice, bob] = office.phones("alice", "bob");
  alice.dials(bob);
  ASSERT_TRUE(office.until([&] { return bob.is_ringing(); })) << office.ladder();
  office.run_for(3s);
  bob.picks_up();
  office.run_for(5s);
  alice.holds();
  office.run_for(1s);
  alice.resumes();
  office.run_for(1s);
  bob.hangs_up();
  EXPECT_EQ(told(office), "started ringing:1002 answered:1002 hold:1001 resume:1001 ended:answered");
  const auto* started = last_told<events::CallStarted>(office);
  ASSERT_NE(started, nullptr);
  EXPECT_EQ(started->from_extension, "1001");
  EXPECT_EQ(started->to_extension, "1002");
  EXPECT_EQ(started->caller_name.reveal(), "alice");
  EXPECT_EQ(started->direction, "internal");
  EXPECT_FALSE(last_told<events::CallRinging>(office)->device.empty());
  const auto* answered = last_told<events::CallAnswered>(office);
  EXPECT_NEAR(answered->ring_seconds, 3.0, 0.2);
  EXPECT_EQ(answered->to_extension, "1002");
  const auto* ended = last_told<events::CallEnded>(office);
  ASSERT_NE(ended, nullptr);
  EXPECT_EQ(ended->duration, 10U);
  EXPECT_EQ(ended->billsec, 7U);
  EXPECT_EQ(ended->hangup_by, "callee");
  EXPECT_EQ(ended->reason, "1002 hung up");
  ASSERT_EQ(ended->quality.size(), 2U);
  for (const auto& leg : ended->quality) EXPECT_GT(leg.mos, 3.5) << leg.party;
  expect_clean(office);
}

TEST(Journal, ACallRefusedAtOnceHasAStartAndAnEnd) {
  World office{Seed{2}};
  auto [alice, bob] = office.phones("alice", "bob");
  alice.dials("1999");
  EXPECT_EQ(told(office), "started ended:failed");
  office.change_extension(bob, [](model::Extension& e) { e.do_not_disturb = true; });
  alice.dials(bob);
  EXPECT_EQ(told(office), "started ended:busy");
  EXPECT_EQ(last_told<events::CallEnded>(office)->to_extension, "1002");
  alice.dials("*43");
  office.run_for(2s);
  alice.hangs_up();
  EXPECT_EQ(told(office), "started answered: ended:answered");
  expect_clean(office);
}

TEST(Journal, EveryPhoneOfAnExtensionRings) {
  World office{Seed{3}};
  auto [alice, bob] = office.phones("alice", "bob");
  Phone& desk = office.another_phone_of(bob, "bob-desk");
  alice.dials(bob);
  ASSERT_TRUE(office.until([&] { return bob.is_ringing() && desk.is_ringing(); })) << office.ladder();
  alice.hangs_up();
  EXPECT_EQ(told(office), "started ringing:1002 ringing:1002 ended:cancelled");
  expect_clean(office);
}

TEST(Journal, BlindTransfersThatSucceedAndThatFail) {
  World office{Seed{4}};
  auto [alice, bob, carol] = office.phones("alice", "bob", "carol");
  talk(office, alice, bob);
  bob.transfers_to("1999");
  office.run_for(2s);
  bob.transfers_to(carol);
  carol.answers();
  office.run_for(2s);
  carol.hangs_up();
  EXPECT_EQ(told(office),
            "started ringing:1002 answered:1002 transfer:1002>1999:blind:failed ringing:1003 "
            "transfer:1002>1003:blind:completed ended:answered");
  expect_clean(office);
}

TEST(Journal, ATransferThatEndsWithTheCallerHasFailed) {
  World office{Seed{5}};
  auto [alice, bob, carol] = office.phones("alice", "bob", "carol");
  talk(office, alice, bob);
  bob.transfers_to(carol);
  ASSERT_TRUE(office.until([&] { return carol.is_ringing(); })) << office.ladder();
  alice.hangs_up();
  EXPECT_EQ(told(office),
            "started ringing:1002 answered:1002 ringing:1003 transfer:1002>1003:blind:failed ended:answered");
  expect_clean(office);
}

TEST(Journal, AnAttendedTransferIsToldInTheCallThatGoesOn) {
  World office{Seed{6}};
  auto [alice, bob, carol] = office.phones("alice", "bob", "carol");
  talk(office, alice, bob);
  const model::CallId first = office.pbx().calls().at(0).id;
  bob.holds();
  office.run_for(1s);
  talk(office, bob, carol);
  bob.completes_transfer();
  office.run_for(2s);
  carol.hangs_up();
  EXPECT_EQ(told(office), "started ringing:1003 answered:1003 ended:answered");
  EXPECT_EQ(
      office.pbx().store().told_of(first),
      "started ringing:1002 answered:1002 hold:1002 transfer:1002>1003:attended:completed ended:answered");
  expect_clean(office);
}

TEST(Journal, DigitsAreToldOnlyWhereTheyAreAskedFor) {
  for (const bool wanted : {false, true}) {
    World office{Seed{7}};
    office.pbx().configure([&](model::Settings& s) { s.dtmf_events = wanted; });
    auto [alice, bob] = office.phones("alice", "bob");
    talk(office, alice, bob);
    alice.presses("4");
    office.run_for(1s);
    alice.presses_by_info("2");
    office.run_for(1s);
    alice.hangs_up();
    EXPECT_EQ(told(office),
              wanted ? "started ringing:1002 answered:1002 digit:1001:4 digit:1001:2 ended:answered"
                     : "started ringing:1002 answered:1002 ended:answered");
    expect_clean(office);
  }
}

TEST(Journal, KeysNobodyCouldPressSoFastAreNotAllTold) {
  World office{Seed{7}};
  office.pbx().configure([&](model::Settings& s) { s.dtmf_events = true; });
  auto [alice, bob] = office.phones("alice", "bob");
  talk(office, alice, bob);
  const auto digits_told = [&] {
    const std::string story = told(office);
    return std::ranges::count(story, '#');
  };
  for (int burst = 0; burst < 10; ++burst) alice.presses_by_info(std::string(50, '#'));
  const auto at_once = digits_told();
  EXPECT_GE(at_once, 64);
  EXPECT_LE(at_once, 64 + 25) << "and one each 40 ms for what was on its way meanwhile";
  alice.presses_by_info("#");
  EXPECT_EQ(digits_told(), at_once + 1);
  alice.hangs_up();
  office.run_for(2s);
  expect_clean(office);
}

TEST(Journal, RegistrationsAreToldAndRefreshesAreNot) {
  World office{Seed{8}};
  Phone& alice = office.phone("alice", {.register_expires = 120});
  ASSERT_TRUE(office.until([&] { return alice.is_registered(); }));
  EXPECT_EQ(told_besides(office), "registered:1001 presence:1001:available");
  const auto* came = last_told<events::ExtensionRegistered>(office);
  EXPECT_EQ(came->ip_address, alice.ip().to_string());
  EXPECT_EQ(came->port, 5060);
  EXPECT_EQ(came->transport, "udp");
  office.run_for(10min);
  EXPECT_EQ(told_besides(office), "registered:1001 presence:1001:available") << "it refreshed often";
  alice.unregisters();
  EXPECT_EQ(told_besides(office),
            "registered:1001 presence:1001:available unregistered:1001:unregistered by the phone "
            "presence:1001:offline");
  alice.registers();
  office.run_for(1s);
  alice.dies();
  office.run_for(5min);
  EXPECT_THAT(told_besides(office), HasSubstr("unregistered:1001:expired presence:1001:offline"));
}

TEST(Journal, AnExtensionThatIsRemovedAndAConnectionThatIsLost) {
  World office{Seed{9}};
  Phone& alice = office.phone("alice", {.transport = sip::Transport::kTcp});
  Phone& bob = office.phone("bob");
  ASSERT_TRUE(office.until([&] { return alice.is_registered() && bob.is_registered(); }));
  alice.loses_connection();
  alice.dies();
  office.run_for(30s);
  EXPECT_THAT(told_besides(office), HasSubstr("unregistered:1001:connection lost presence:1001:offline"));
  office.pbx().change_directory([](model::Directory& d) { d.extensions.erase("1002"); });
  EXPECT_THAT(told_besides(office), HasSubstr("unregistered:1002:extension removed presence:1002:offline"));
}

TEST(Journal, PresenceFollowsTheCalls) {
  World office{Seed{10}};
  auto [alice, bob] = office.phones("alice", "bob");
  ASSERT_TRUE(office.until([&] { return alice.is_registered() && bob.is_registered(); }));
  const std::string before = told_besides(office);
  alice.dials(bob);
  office.run_for(1s);
  bob.picks_up();
  office.run_for(1s);
  alice.hangs_up();
  EXPECT_EQ(told_besides(office), before +
                                      " presence:1001:in_call presence:1002:ringing presence:1002:in_call "
                                      "presence:1001:available presence:1002:available");
  office.change_extension(bob, [](model::Extension& e) { e.do_not_disturb = true; });
  EXPECT_THAT(told_besides(office), testing::EndsWith(" presence:1002:dnd"));
  expect_clean(office);
}

TEST(Journal, ALockoutIsToldOnce) {
  World office{Seed{11}};
  Phone& alice = office.phone("alice");
  Phone& guesser = office.stranger("guesser", alice.number(), "guessed");
  for (int i = 0; i < 12; ++i) {
    guesser.registers();
    office.run_for(1s);
  }
  const auto* lockout = last_told<events::SecurityLockout>(office);
  ASSERT_NE(lockout, nullptr);
  EXPECT_EQ(lockout->subject_kind, "extension");
  EXPECT_EQ(lockout->subject, "1001");
  EXPECT_EQ(lockout->seconds, 900U);
  EXPECT_GE(lockout->attempts, 5U);
}

TEST(Journal, CancelAgainstTheAnswerIsToldAsWhatItBecame) {
  int answered = 0;
  for (int ms = 0; ms <= 60; ++ms) {
    World office{Seed{static_cast<std::uint64_t>(ms) + 1}};
    auto [alice, bob] = office.phones("alice", "bob");
    bob.habits().answers_after = 20ms;
    alice.dials(bob);
    office.run_for(std::chrono::milliseconds{ms});
    alice.hangs_up();
    ASSERT_TRUE(office.until([&] { return all_idle({&alice, &bob}); }, 40s)) << ms << office.ladder();
    const std::string words = told(office);
    const bool up = words.find("answered:1002") != words.npos;
    answered += up ? 1 : 0;
    if (words == "no call") continue;  // she hung up before the INVITE left
    EXPECT_THAT(words, testing::StartsWith("started")) << ms << " ms";
    EXPECT_THAT(words, testing::EndsWith(up ? " ended:answered" : " ended:cancelled")) << ms << " ms";
    ASSERT_THAT(office.violations(), testing::IsEmpty()) << ms << " ms";
  }
  EXPECT_GT(answered, 0) << "the race was won by one side only";
  EXPECT_LT(answered, 60) << "the race was won by one side only";
}

TEST(Journal, ByesThatCrossEndTheCallOnce) {
  for (int ms = 0; ms <= 15; ++ms) {
    World office{Seed{static_cast<std::uint64_t>(ms) + 200}};
    auto [alice, bob] = office.phones("alice", "bob");
    talk(office, alice, bob);
    alice.hangs_up();
    office.run_for(std::chrono::milliseconds{ms});
    bob.hangs_up();
    ASSERT_EQ(told(office), "started ringing:1002 answered:1002 ended:answered") << ms << office.ladder();
    ASSERT_THAT(office.violations(), testing::IsEmpty()) << ms << " ms";
  }
}

TEST(Journal, ACrashInACallIsToldAsItsEnd) {
  World office{Seed{12}};
  auto [alice, bob] = office.phones("alice", "bob");
  talk(office, alice, bob);
  office.run_for(1s);
  office.pbx().crashes();
  office.pbx().starts();
  EXPECT_EQ(told(office), "started ringing:1002 answered:1002 ended:answered");
  EXPECT_THAT(office.violations(), testing::IsEmpty());
}

}  // namespace
}  // namespace bw::scenario
