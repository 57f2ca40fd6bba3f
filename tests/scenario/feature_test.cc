// Hold, transfer, forward, do not disturb (calls.md §3).
#include <fmt/format.h>

#include "story.h"

namespace bw::scenario {
namespace {

TEST(Hold, EitherSideInBothForms) {
  for (const bool by_address : {false, true}) {
    World office{Seed{1}};
    auto [alice, bob] = office.phones("alice", "bob");
    talk(office, alice, bob);
    for (Phone* holder : {&alice, &bob}) {
      Phone& held = holder == &alice ? bob : alice;
      holder->habits().holds_by_address = by_address;
      holder->holds();
      office.run_for(1s);
      EXPECT_FALSE(holder->hears(held)) << office.ladder();
      EXPECT_FALSE(holder->line().change) << office.ladder();
      expect_agreement(office);
      holder->resumes();
      office.run_for(1s);
      expect_conversation(office, alice, bob);
    }
    expect_clean(office);
  }
}

TEST(Hold, TheServerShowsIt) {
  World office{Seed{2}};
  auto [alice, bob] = office.phones("alice", "bob");
  talk(office, alice, bob);
  alice.holds();
  office.run_for(1s);
  const auto calls = office.pbx().calls();
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0].state, "held");
  expect_clean(office);
}

TEST(Hold, BothHoldAndOneResumesAndThenTheOther) {
  World office{Seed{3}};
  auto [alice, bob] = office.phones("alice", "bob");
  talk(office, alice, bob);
  alice.holds();
  office.run_for(3s);
  bob.holds();
  office.run_for(3s);
  alice.resumes();
  office.run_for(3s);
  EXPECT_FALSE(alice.hears(bob) && bob.hears(alice)) << office.ladder();
  bob.resumes();
  office.run_for(3s);
  expect_conversation(office, alice, bob);
  expect_clean(office);
}

TEST(BlindTransfer, TransferorIsReleasedOnlyWhenTargetRings) {
  World office{Seed{7}};
  auto [alice, bob, carol] = office.phones("alice", "bob", "carol");
  alice.dials(bob);
  bob.answers();
  office.network().loses(30_percent).between(bob, office.pbx());
  bob.transfers_to(carol);
  EXPECT_TRUE(office.until([&] { return carol.is_ringing(); })) << office.ladder();
  carol.answers();
  EXPECT_TRUE(carol.hears(alice) && alice.hears(carol) && !alice.hears(bob)) << office.ladder();
  EXPECT_TRUE(office.until([&] { return bob.is_idle(); })) << office.ladder();
  EXPECT_THAT(bob.transfer_status(), testing::Optional(200)) << office.ladder();
  expect_agreement(office);
  EXPECT_EQ(office.pbx().store().calls().size(), 1U) << "one call for its whole life";
  expect_clean(office);
}

TEST(BlindTransfer, ByTheCallerToo) {
  World office{Seed{8}};
  auto [alice, bob, carol] = office.phones("alice", "bob", "carol");
  talk(office, alice, bob);
  alice.transfers_to(carol);
  carol.answers();
  EXPECT_TRUE(office.until([&] { return alice.is_idle(); }, 10s)) << office.ladder();
  expect_conversation(office, bob, carol);
  expect_agreement(office);
  expect_clean(office);
}

TEST(BlindTransfer, ToABusyPhoneReturnsTheCall) {
  World office{Seed{9}};
  auto [alice, bob, carol] = office.phones("alice", "bob", "carol");
  carol.habits().rejects_with = 486;
  talk(office, alice, bob);
  bob.transfers_to(carol);
  EXPECT_TRUE(office.until([&] { return bob.transfer_status().value_or(0) >= 200; }, 10s)) << office.ladder();
  EXPECT_THAT(bob.transfer_status(), testing::Optional(486)) << office.ladder();
  office.run_for(1s);
  ASSERT_TRUE(alice.in_call() && bob.in_call()) << office.ladder();
  expect_conversation(office, alice, bob);
  expect_agreement(office);
  expect_clean(office);
}

TEST(BlindTransfer, ToNobodyReturnsTheCall) {
  World office{Seed{10}};
  auto [alice, bob] = office.phones("alice", "bob");
  talk(office, alice, bob);
  bob.transfers_to("1999");
  EXPECT_TRUE(office.until([&] { return bob.transfer_status().value_or(0) >= 300; }, 10s)) << office.ladder();
  office.run_for(1s);
  expect_conversation(office, alice, bob);
  expect_clean(office);
}

TEST(BlindTransfer, ToSomebodyWhoDoesNotAnswerReturnsTheCall) {
  World office{Seed{11}};
  auto [alice, bob, carol] = office.phones("alice", "bob", "carol");
  talk(office, alice, bob);
  bob.transfers_to(carol);
  office.run_for(20s);
  EXPECT_TRUE(carol.is_ringing()) << office.ladder();
  EXPECT_TRUE(office.until([&] { return carol.is_idle(); }, 20s)) << office.ladder();
  office.run_for(2s);
  ASSERT_TRUE(alice.in_call()) << office.ladder();
  if (bob.in_call()) expect_conversation(office, alice, bob);
  expect_agreement(office);
  expect_clean(office);
}

TEST(BlindTransfer, OfAHeldCall) {
  World office{Seed{12}};
  auto [alice, bob, carol] = office.phones("alice", "bob", "carol");
  talk(office, alice, bob);
  bob.holds();
  office.run_for(1s);
  bob.transfers_to(carol);
  carol.answers();
  EXPECT_TRUE(office.until([&] { return bob.is_idle(); }, 10s)) << office.ladder();
  office.run_for(1s);
  expect_conversation(office, alice, carol);
  expect_agreement(office);
  expect_clean(office);
}

TEST(BlindTransfer, TheCallerHangsUpWhileTheTargetRings) {
  World office{Seed{13}};
  auto [alice, bob, carol] = office.phones("alice", "bob", "carol");
  talk(office, alice, bob);
  bob.transfers_to(carol);
  ASSERT_TRUE(office.until([&] { return carol.is_ringing(); })) << office.ladder();
  alice.hangs_up();
  EXPECT_TRUE(office.until([&] { return all_idle({&alice, &carol}); }, 10s)) << office.ladder();
  expect_clean(office);
}

TEST(BlindTransfer, TheTransferorHangsUpAtOnce) {
  for (int ms = 0; ms <= 40; ms += 2) {
    World office{Seed{14}};
    auto [alice, bob, carol] = office.phones("alice", "bob", "carol");
    talk(office, alice, bob);
    bob.transfers_to(carol);
    office.run_for(std::chrono::milliseconds{ms});
    bob.hangs_up();
    carol.answers();
    office.run_for(1s);
    if (ms > 10) {  // the REFER was accepted before the BYE came
      ASSERT_TRUE(alice.in_call() && carol.in_call()) << ms << " ms" << office.ladder();
    }
    ASSERT_THAT(office.disagreements(), testing::IsEmpty()) << ms << " ms" << office.ladder();
    ASSERT_THAT(office.leftovers(), testing::IsEmpty()) << ms << " ms" << office.ladder();
  }
}

TEST(AttendedTransfer, JoinsTheTwoPeersOfTheTransferor) {
  World office{Seed{15}};
  auto [alice, bob, carol] = office.phones("alice", "bob", "carol");
  talk(office, alice, bob);
  bob.holds();
  office.run_for(1s);
  talk(office, bob, carol);
  ASSERT_EQ(bob.call_count(), 2U) << office.ladder();
  bob.completes_transfer();
  EXPECT_TRUE(office.until([&] { return bob.is_idle(); }, 10s)) << office.ladder();
  office.run_for(1s);
  ASSERT_TRUE(alice.in_call() && carol.in_call()) << office.ladder();
  expect_conversation(office, alice, carol);
  EXPECT_EQ(alice.call_count(), 1U);
  EXPECT_EQ(carol.call_count(), 1U);
  expect_agreement(office);
  expect_clean(office);
}

TEST(AttendedTransfer, GivenUpWhileTheTargetRingsAndMadeBlind) {
  World office{Seed{16}};
  auto [alice, bob, carol] = office.phones("alice", "bob", "carol");
  talk(office, alice, bob);
  bob.holds();
  office.run_for(1s);
  bob.dials(carol);
  ASSERT_TRUE(office.until([&] { return carol.is_ringing(); })) << office.ladder();
  bob.hangs_up();  // gives up the consultation and sends the caller on
  office.run_for(1s);
  bob.transfers_to(carol);
  carol.answers();
  EXPECT_TRUE(office.until([&] { return bob.is_idle(); }, 10s)) << office.ladder();
  office.run_for(1s);
  expect_conversation(office, alice, carol);
  expect_clean(office);
}

TEST(AttendedTransfer, OverALossyNetwork) {
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    World office{Seed{seed}};
    auto [alice, bob, carol] = office.phones("alice", "bob", "carol");
    office.network().loses(20_percent).everywhere();
    talk(office, alice, bob);
    bob.holds();
    office.run_for(8s);
    talk(office, bob, carol);
    for (int tries = 0; tries < 3 && !bob.is_idle();
         ++tries) {  // a lost ACK may still hold the call busy: 491
      bob.completes_transfer();
      office.until([&] { return bob.is_idle(); }, 20s);
    }
    ASSERT_TRUE(bob.is_idle()) << office.ladder();
    ASSERT_TRUE(office.until([&] { return alice.in_call() && carol.in_call(); }, 10s)) << office.ladder();
    ASSERT_THAT(office.leftovers(), testing::IsEmpty()) << office.ladder();
  }
}

TEST(AttendedTransfer, OfACallThatIsGoneIsRefused) {
  World office{Seed{17}};
  auto [alice, bob, carol] = office.phones("alice", "bob", "carol");
  talk(office, alice, bob);
  bob.holds();
  office.run_for(1s);
  talk(office, bob, carol);
  carol.hangs_up();
  bob.completes_transfer();  // crosses carol's BYE
  office.run_for(5s);
  EXPECT_TRUE(carol.is_idle()) << office.ladder();
  expect_agreement(office);
  expect_clean(office);
}

TEST(Forward, AlwaysBusyNoAnswerAndUnreachable) {
  struct Case {
    const char* what;
    std::string model::Forwarding::* rule;
  };
  for (const auto& [what, rule] :
       {Case{"always", &model::Forwarding::always}, Case{"busy", &model::Forwarding::busy},
        Case{"no answer", &model::Forwarding::no_answer},
        Case{"unreachable", &model::Forwarding::unreachable}}) {
    World office{Seed{18}};
    auto [alice, bob, carol] = office.phones("alice", "bob", "carol");
    office.change_extension(bob, [&](model::Extension& e) {
      e.forward.*rule = carol.number();
      e.ring_seconds = 10;
    });
    if (what == std::string_view{"busy"}) bob.habits().rejects_with = 486;
    if (what == std::string_view{"unreachable"}) {
      bob.unregisters();
      office.run_for(1s);
    }
    alice.dials(bob);
    ASSERT_TRUE(office.until([&] { return carol.is_ringing(); }, 40s)) << what << office.ladder();
    carol.answers();
    expect_conversation(office, alice, carol);
    EXPECT_TRUE(bob.is_idle()) << what << office.ladder();
    expect_agreement(office);
    EXPECT_EQ(office.pbx().store().calls().size(), 1U);
    expect_clean(office);
  }
}

TEST(Forward, InACircleIsRefused) {
  World office{Seed{19}};
  auto [alice, bob, carol] = office.phones("alice", "bob", "carol");
  office.change_extension(bob, [&](model::Extension& e) { e.forward.always = carol.number(); });
  office.change_extension(carol, [&](model::Extension& e) { e.forward.always = bob.number(); });
  alice.dials(bob);
  EXPECT_TRUE(office.until([&] { return alice.is_idle(); }, 5s)) << office.ladder();
  EXPECT_GE(alice.ended_with(), 400);
  EXPECT_EQ(bob.calls_seen() + carol.calls_seen(), 0U);
  expect_clean(office);
}

TEST(DoNotDisturb, RefusesWithoutRinging) {
  World office{Seed{20}};
  auto [alice, bob] = office.phones("alice", "bob");
  office.change_extension(bob, [](model::Extension& e) { e.do_not_disturb = true; });
  alice.dials(bob);
  EXPECT_TRUE(office.until([&] { return alice.is_idle(); }, 5s)) << office.ladder();
  EXPECT_EQ(bob.calls_seen(), 0U);
  EXPECT_THAT(alice.ended_with(), testing::AnyOf(480, 486, 603));
  expect_clean(office);
}

TEST(ClickToDial, RingsTheOwnPhoneFirstAndThenTheOther) {
  World office{Seed{21}};
  auto [alice, bob] = office.phones("alice", "bob");
  const auto reply = office.pbx().asks(ports::StartCall{alice.number(), bob.number()});
  ASSERT_TRUE(reply && std::holds_alternative<ports::CallStarted>(*reply)) << office.ladder();
  ASSERT_TRUE(office.until([&] { return alice.is_ringing(); }, 5s)) << office.ladder();
  EXPECT_FALSE(bob.is_ringing());
  alice.picks_up();
  ASSERT_TRUE(office.until([&] { return bob.is_ringing(); }, 5s)) << office.ladder();
  bob.answers();
  office.run_for(1s);
  expect_conversation(office, alice, bob);
  expect_agreement(office);
  const auto hung = office.pbx().asks(ports::HangUpCall{std::get<ports::CallStarted>(*reply).call});
  EXPECT_TRUE(hung && std::holds_alternative<ports::Done>(*hung));
  EXPECT_TRUE(office.until([&] { return all_idle({&alice, &bob}); }, 5s)) << office.ladder();
  expect_clean(office);
  EXPECT_EQ(office.pbx().store().last_call()->cause_code, 0) << "nothing was wrong with it";
  EXPECT_EQ(office.pbx().store().last_call()->hangup_by, "system");
}

TEST(ClickToDial, IsEndedByTheCallerWhereTheOwnPhoneIsNotTaken) {
  World office{Seed{22}};
  auto [alice, bob] = office.phones("alice", "bob");
  office.pbx().asks(ports::StartCall{alice.number(), bob.number()});
  ASSERT_TRUE(office.until([&] { return alice.is_ringing(); }, 5s)) << office.ladder();
  alice.rejects(603);
  ASSERT_TRUE(office.until([&] { return office.pbx().calls().empty(); }, 5s)) << office.ladder();
  expect_clean(office);
  EXPECT_EQ(office.pbx().store().last_call()->hangup_by, "caller");
  const auto echo = office.pbx().asks(ports::StartCall{alice.number(), "*43"});
  EXPECT_TRUE(echo && std::holds_alternative<ports::Refused>(*echo)) << "it can only be dialled";
  expect_clean(office);
}

}  // namespace
}  // namespace bw::scenario
