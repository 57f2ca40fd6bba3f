// What operators do to running calls and say of people, and the limits that keep one phone from harming
// others.
#include <fmt/format.h>

#include "story.h"

namespace bw::scenario {
namespace {

using testing::HasSubstr;
using testing::Not;

int status_of(const std::optional<ports::Reply>& reply) {
  if (!reply) return 0;
  const auto* refused = std::get_if<ports::Refused>(&*reply);
  return refused != nullptr ? refused->status : 200;
}

model::CallId only_call(World& office) {
  const auto calls = office.pbx().calls();
  return calls.empty() ? model::CallId{} : calls.back().id;
}

ports::CallView shown(World& office, const model::CallId& id) {
  const auto reply = office.pbx().asks(ports::ShowCall{id});
  const auto* calls = reply ? std::get_if<ports::Calls>(&*reply) : nullptr;
  return calls == nullptr || calls->calls.empty() ? ports::CallView{} : calls->calls.front();
}

ports::PresenceView presence(World& office, const Phone& phone) {
  const auto reply = office.pbx().asks(ports::ListPresence{phone.number()});
  const auto* list = reply ? std::get_if<ports::Presences>(&*reply) : nullptr;
  return list == nullptr || list->people.empty() ? ports::PresenceView{} : list->people.front();
}

TEST(Control, HoldsAndResumesACallForAnExtension) {
  for (const bool caller_holds : {true, false}) {
    World office{Seed{1}};
    auto [alice, bob] = office.phones("alice", "bob");
    talk(office, alice, bob);
    office.run_for(1s);
    Phone& holder = caller_holds ? alice : bob;
    Phone& held = caller_holds ? bob : alice;
    const model::CallId id = only_call(office);
    ASSERT_EQ(status_of(office.pbx().asks(ports::HoldCall{id, holder.number()})), 200);
    office.run_for(1s);
    EXPECT_TRUE(held.is_held()) << "its phone is told by the direction" << office.ladder();
    EXPECT_FALSE(held.hears(holder) || holder.hears(held)) << office.ladder();
    const auto view = shown(office, id);
    EXPECT_EQ(view.state, "held");
    for (const auto& leg : view.legs) EXPECT_EQ(leg.state, leg.party == held.number() ? "held" : "up");
    EXPECT_EQ(status_of(office.pbx().asks(ports::HoldCall{id, holder.number()})), 409);
    expect_agreement(office);

    ASSERT_EQ(status_of(office.pbx().asks(ports::ResumeCall{id, holder.number()})), 200);
    office.run_for(1s);
    expect_conversation(office, alice, bob);
    EXPECT_EQ(shown(office, id).state, "up");
    EXPECT_EQ(status_of(office.pbx().asks(ports::ResumeCall{id, holder.number()})), 409);
    EXPECT_THAT(office.pbx().store().told_of(id),
                testing::EndsWith(fmt::format(" hold:{0} resume:{0}", holder.number())));
    expect_clean(office);
  }
}

TEST(Control, WhoIsHeldByAnOperatorMayGoOnByHisPhone) {
  World office{Seed{2}};
  auto [alice, bob] = office.phones("alice", "bob");
  talk(office, alice, bob);
  const model::CallId id = only_call(office);
  ASSERT_EQ(status_of(office.pbx().asks(ports::HoldCall{id, alice.number()})), 200);
  office.run_for(1s);
  bob.updates();
  bob.holds();
  office.run_for(1s);
  bob.resumes();
  office.run_for(1s);
  EXPECT_FALSE(bob.hears(alice) || alice.hears(bob)) << "alice did not resume" << office.ladder();
  alice.resumes();
  office.run_for(1s);
  expect_conversation(office, alice, bob);
  EXPECT_THAT(office.pbx().store().told_of(id),
              testing::EndsWith("hold:1001 hold:1002 resume:1002 resume:1001"));
  expect_clean(office);
}

TEST(Control, TransfersBlindlyAndSaysWhatCannotBe) {
  World office{Seed{3}};
  auto [alice, bob, carol, dave] = office.phones("alice", "bob", "carol", "dave");
  dave.unregisters();
  office.run_for(1s);
  alice.dials(bob);
  ASSERT_TRUE(office.until([&] { return bob.is_ringing(); }));
  const model::CallId id = only_call(office);
  const auto transfer = [&](const std::string& who, const std::string& to) {
    return status_of(office.pbx().asks(ports::TransferCall{id, who, to}));
  };
  EXPECT_EQ(transfer("1001", "1003"), 409) << "nobody answered yet";
  bob.picks_up();
  office.run_for(1s);
  EXPECT_EQ(transfer("1003", "1003"), 404) << "not in the call";
  EXPECT_EQ(transfer("1002", "1999"), 404);
  EXPECT_EQ(transfer("1002", "1001"), 409) << "in the call already";
  EXPECT_EQ(transfer("1002", "*43"), 409);
  EXPECT_EQ(transfer("1002", "1004"), 409) << "no phone would ring";
  expect_conversation(office, alice, bob);
  EXPECT_EQ(status_of(office.pbx().asks(ports::TransferCall{model::CallId{"no"}, "1002", "1003"})), 404);
  ASSERT_EQ(transfer("1002", "1003"), 200) << office.ladder();
  EXPECT_EQ(transfer("1002", "1003"), 409) << "under way";
  carol.answers();
  EXPECT_TRUE(office.until([&] { return bob.is_idle(); }, 10s)) << office.ladder();
  expect_conversation(office, alice, carol);
  office.run_for(3s);
  const auto view = shown(office, id);
  ASSERT_EQ(view.legs.size(), 3U);
  for (const auto& leg : {view.legs[0], view.legs[1]}) {
    ASSERT_TRUE(leg.quality) << leg.party << ": while it talks";
    EXPECT_GT(leg.quality->mos, 3.5);
    EXPECT_TRUE(leg.packets_refused);
  }
  EXPECT_EQ(view.legs.back().party, "1002");
  EXPECT_EQ(view.legs.back().state, "ended");
  ASSERT_TRUE(view.legs.back().quality) << "its figures are known";
  EXPECT_GT(view.legs.back().quality->mos, 3.5);
  EXPECT_THAT(view.legs.front().device, HasSubstr("Testkit"));
  office.pbx().configure([](model::Settings& s) { s.transfer_enabled = false; });
  EXPECT_EQ(transfer("1001", "1002"), 403);
  expect_clean(office);
}

TEST(Control, JoinsTheOtherSidesOfTwoCalls) {
  World office{Seed{4}};
  auto [alice, bob, carol] = office.phones("alice", "bob", "carol");
  talk(office, alice, bob);
  const model::CallId first = only_call(office);
  bob.holds();
  office.run_for(1s);
  talk(office, bob, carol);
  model::CallId second;
  for (const auto& call : office.pbx().calls()) {
    if (call.id != first) second = call.id;
  }
  EXPECT_EQ(status_of(office.pbx().asks(ports::JoinCalls{first, "1001", second})), 404);
  EXPECT_EQ(status_of(office.pbx().asks(ports::JoinCalls{first, "1002", first})), 409);
  ASSERT_EQ(status_of(office.pbx().asks(ports::JoinCalls{first, "1002", second})), 200) << office.ladder();
  EXPECT_TRUE(office.until([&] { return bob.is_idle(); }, 10s)) << office.ladder();
  office.run_for(1s);
  expect_conversation(office, alice, carol);
  EXPECT_THAT(office.pbx().store().told_of(first), HasSubstr("transfer:1002>1003:attended:completed"));
  expect_clean(office);
}

TEST(Presence, SaysAndTellsNothingWhenSwitchedOff) {
  model::Settings settings = World::office_settings();
  settings.presence = false;
  World office{Seed{5}, settings};
  auto [alice, bob] = office.phones("alice", "bob");
  talk(office, alice, bob);
  alice.hangs_up();
  office.run_for(1s);
  EXPECT_EQ(status_of(office.pbx().asks(ports::ListPresence{})), 403);
  EXPECT_EQ(status_of(office.pbx().asks(ports::SetPresence{alice.number(), ports::OwnStatus::kAway, {}})),
            403);
  EXPECT_THAT(office.pbx().store().told_of({}), Not(HasSubstr("presence:")));
  expect_clean(office);
}

TEST(Presence, IsWhatPhonesCallsAndPeopleSay) {
  World office{Seed{5}};
  auto [alice, bob] = office.phones("alice", "bob");
  EXPECT_EQ(presence(office, alice).status, "available");
  EXPECT_EQ(presence(office, alice).name.reveal(), "alice");
  EXPECT_FALSE(presence(office, alice).last_activity);
  const auto set = [&](const Phone& who, ports::OwnStatus status, std::string text) {
    return status_of(office.pbx().asks(ports::SetPresence{who.number(), status, std::move(text)}));
  };
  EXPECT_EQ(set(bob, ports::OwnStatus::kAway, "at lunch"), 200);
  EXPECT_EQ(presence(office, bob).status, "away");
  EXPECT_EQ(presence(office, bob).custom_message, "at lunch");
  EXPECT_EQ(set(bob, ports::OwnStatus::kAway, std::string(201, 'x')), 400);
  EXPECT_EQ(set(bob, ports::OwnStatus::kAway, "\xff"), 400);
  EXPECT_EQ(status_of(office.pbx().asks(ports::SetPresence{"1999", ports::OwnStatus::kAway, {}})), 404);
  talk(office, alice, bob);
  EXPECT_EQ(presence(office, bob).status, "in_call");
  EXPECT_TRUE(presence(office, bob).in_call);
  alice.hangs_up();
  office.run_for(1s);
  EXPECT_EQ(presence(office, bob).status, "away");
  EXPECT_TRUE(presence(office, alice).last_activity);
  EXPECT_THAT(office.pbx().store().told_of({}), HasSubstr("presence:1002:away"));

  ASSERT_EQ(set(bob, ports::OwnStatus::kDoNotDisturb, {}), 200);
  EXPECT_EQ(presence(office, bob).status, "dnd");
  alice.dials(bob);
  EXPECT_TRUE(office.until([&] { return alice.is_idle(); }, 5s)) << office.ladder();
  EXPECT_EQ(alice.ended_with(), 486);
  EXPECT_EQ(reason_of(office), "1002 does not want to be disturbed");
  ASSERT_EQ(set(bob, ports::OwnStatus::kAvailable, {}), 200);
  talk(office, alice, bob);
  expect_clean(office);
}

TEST(Limits, OneExtensionDoesNotTakeAllPorts) {
  World office{Seed{6}};
  const Habits quiet{.media_every = 0ms, .lines = 200};
  Phone& alice = office.phone("alice", quiet);
  Phone& bob = office.phone("bob", quiet);
  ASSERT_TRUE(office.until([&] { return alice.is_registered() && bob.is_registered(); }));
  office.pbx().configure([](model::Settings& s) { s.calls_per_extension = 20; });
  for (int i = 0; i < 20; ++i) alice.dials("*43");
  office.run_for(2s);
  ASSERT_EQ(office.pbx().status().active_calls, 20U);
  alice.dials("*43");
  office.run_for(1s);
  EXPECT_EQ(alice.ended_with(), 486);
  EXPECT_EQ(office.pbx().status().active_calls, 20U);
  bob.dials(alice);
  EXPECT_TRUE(office.until([&] { return bob.is_idle(); }, 5s)) << office.ladder();
  EXPECT_EQ(bob.ended_with(), 486);
  EXPECT_EQ(reason_of(office), "1001 has as many calls as one extension may have, 20");
  EXPECT_EQ(status_of(office.pbx().asks(ports::StartCall{"1001", "1002"})), 409);
  alice.hangs_up();
  office.run_for(1s);
  talk(office, bob, alice);
  expect_clean(office);
}

TEST(Call, ADescriptionMayBeOnePartAmongOthers) {
  World office{Seed{7}};
  Phone& alice = office.phone("alice", {.multipart_bodies = true});
  Phone& bob = office.phone("bob");
  ASSERT_TRUE(office.until([&] { return alice.is_registered() && bob.is_registered(); }));
  talk(office, alice, bob);
  expect_conversation(office, alice, bob);
  alice.holds();
  office.run_for(1s);
  EXPECT_TRUE(bob.is_held()) << office.ladder();
  alice.hangs_up();
  office.run_for(1s);
  talk(office, bob, alice);  // and in the answer
  expect_conversation(office, alice, bob);
  expect_clean(office);
}

TEST(Race, AReinviteThatIsAcceptedAndNeverAnsweredIsGivenUp) {
  World office{Seed{8}};
  auto [alice, bob] = office.phones("alice", "bob");
  talk(office, alice, bob);
  bob.habits().never_answers_reinvites = true;
  alice.holds();
  office.run_for(19s);
  EXPECT_TRUE(alice.line().change) << "she waits" << office.ladder();
  office.run_for(3s);
  EXPECT_FALSE(alice.line().change) << "she was told" << office.ladder();
  office.run_for(60s);
  EXPECT_TRUE(alice.in_call() && bob.in_call()) << "the call goes on" << office.ladder();
  bob.habits().never_answers_reinvites = false;
  alice.resumes();
  office.run_for(5s);
  expect_conversation(office, alice, bob);
  expect_clean(office);
}

TEST(Replaces, APhoneTakesOverTheCallOfAnotherWithOrWithoutAnOffer) {
  for (const bool delayed : {false, true}) {
    World office{Seed{9}};
    auto [alice, bob] = office.phones("alice", "bob");
    Phone& desk = office.another_phone_of(bob, "bob-desk", Habits{.delayed_offer = delayed});
    alice.dials(bob);
    ASSERT_TRUE(office.until([&] { return bob.is_ringing(); }));
    bob.picks_up();
    office.run_for(1s);
    desk.takes_over(bob);
    EXPECT_TRUE(office.until([&] { return bob.is_idle() && desk.in_call(); }, 5s)) << office.ladder();
    office.run_for(1s);
    expect_conversation(office, alice, desk);
    expect_agreement(office);
    EXPECT_EQ(office.pbx().calls().size(), 1U);
    expect_clean(office);
  }
}

TEST(Gruu, ACallToOnePhoneRingsThatPhoneOnly) {
  World office{Seed{10}};
  auto [alice, bob] = office.phones("alice", "bob");
  Phone& desk = office.another_phone_of(bob, "bob-desk");
  alice.dials_the_phone(desk);
  ASSERT_TRUE(office.until([&] { return desk.is_ringing(); })) << office.ladder();
  office.run_for(1s);
  EXPECT_EQ(bob.calls_seen(), 0U);
  desk.picks_up();
  office.run_for(1s);
  expect_conversation(office, alice, desk);
  alice.hangs_up();
  office.run_for(1s);
  desk.unregisters();
  office.run_for(1s);
  alice.dials_the_phone(desk);
  EXPECT_TRUE(office.until([&] { return alice.is_idle(); }, 5s)) << office.ladder();
  EXPECT_EQ(alice.ended_with(), 480);
  EXPECT_EQ(bob.calls_seen(), 0U);
  expect_clean(office);
}

TEST(AttendedTransfer, BetweenPhonesWithoutACommonCodecEndsInASentence) {
  World office{Seed{11}};
  Phone& alice = office.phone("alice", {.codecs = {{18, "G729/8000"}}});
  Phone& bob = office.phone("bob", {.codecs = {{18, "G729/8000"}, {8, "PCMA/8000"}}});
  Phone& carol = office.phone("carol", {.codecs = {{8, "PCMA/8000"}}});
  ASSERT_TRUE(
      office.until([&] { return alice.is_registered() && bob.is_registered() && carol.is_registered(); }));
  talk(office, alice, bob);
  const model::CallId first = only_call(office);
  bob.holds();
  office.run_for(1s);
  talk(office, bob, carol);
  bob.completes_transfer();
  EXPECT_TRUE(office.until([&] { return all_idle({&alice, &bob, &carol}); }, 30s)) << office.ladder();
  office.run_for(3s);
  EXPECT_THAT(office.pbx().store().calls().at(first).record.reason, HasSubstr("have no codec in common"));
  expect_clean(office);
}

TEST(AttendedTransfer, JoinsPhonesThatNeedTranscoding) {
  World office{Seed{12}};
  Phone& alice = office.phone("alice", {.codecs = {{0, "PCMU/8000"}}});
  Phone& bob = office.phone("bob");
  Phone& carol = office.phone("carol", {.codecs = {{8, "PCMA/8000"}}});
  ASSERT_TRUE(
      office.until([&] { return alice.is_registered() && bob.is_registered() && carol.is_registered(); }));
  talk(office, alice, bob);
  bob.holds();
  office.run_for(1s);
  talk(office, bob, carol);
  bob.completes_transfer();
  EXPECT_TRUE(office.until([&] { return bob.is_idle(); }, 30s)) << office.ladder();
  office.run_for(3s);
  EXPECT_TRUE(alice.in_call() && carol.in_call()) << office.ladder();
  alice.hangs_up();
  EXPECT_TRUE(office.until([&] { return all_idle({&alice, &bob, &carol}); }, 30s)) << office.ladder();
  expect_clean(office);
}

}  // namespace
}  // namespace bw::scenario
