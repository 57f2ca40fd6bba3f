// The races of calls.md §2. What can meet at one moment is tried at every millisecond around it.
#include <fmt/format.h>

#include "story.h"

namespace bw::scenario {
namespace {

struct Office {
  explicit Office(std::uint64_t seed) : world(Seed{seed}) {
    const Habits quiet{.media_every = 0ms};
    alice = &world.phone("alice", quiet);
    bob = &world.phone("bob", quiet);
    world.until([&] { return alice->is_registered() && bob->is_registered(); });
  }
  bool until_idle(Duration d = 40s) {
    return world.until([&] { return alice->is_idle() && bob->is_idle(); }, d);
  }
  World world;
  Phone* alice;
  Phone* bob;
};

TEST(Race, CancelAgainstTheAnswerLeavesNobodyInACall) {
  for (int ms = 0; ms <= 60; ++ms) {  // the INVITE takes 10 ms to bob; his 200 takes 10 ms back
    Office o{static_cast<std::uint64_t>(ms) + 1};
    o.bob->habits().answers_after = 20ms;
    o.alice->dials(*o.bob);
    o.world.run_for(std::chrono::milliseconds{ms});
    o.alice->hangs_up();
    ASSERT_TRUE(o.until_idle()) << "after " << ms << " ms" << o.world.ladder();
    ASSERT_THAT(o.world.leftovers(), testing::IsEmpty()) << "after " << ms << " ms" << o.world.ladder();
  }
}

TEST(Race, CancelAgainstARefusal) {
  for (int ms = 0; ms <= 40; ++ms) {
    Office o{static_cast<std::uint64_t>(ms) + 1};
    o.bob->habits().rejects_with = 486;
    o.alice->dials(*o.bob);
    o.world.run_for(std::chrono::milliseconds{ms});
    o.alice->hangs_up();
    ASSERT_TRUE(o.until_idle()) << "after " << ms << " ms" << o.world.ladder();
    ASSERT_THAT(o.world.leftovers(), testing::IsEmpty()) << "after " << ms << " ms" << o.world.ladder();
  }
}

TEST(Race, ByesThatCrossEndTheCallOnce) {
  for (int ms = -15; ms <= 15; ++ms) {
    Office o{static_cast<std::uint64_t>(ms + 100)};
    talk(o.world, *o.alice, *o.bob);
    o.world.run_for(1s);
    Phone& first = ms < 0 ? *o.bob : *o.alice;
    Phone& second = ms < 0 ? *o.alice : *o.bob;
    first.hangs_up();
    o.world.run_for(std::chrono::milliseconds{std::abs(ms)});
    second.hangs_up();
    ASSERT_TRUE(o.until_idle(5s)) << ms << " ms" << o.world.ladder();
    ASSERT_THAT(o.world.leftovers(), testing::IsEmpty()) << ms << " ms" << o.world.ladder();
    ASSERT_EQ(o.world.pbx().store().calls().size(), 1U);
  }
}

TEST(Race, ByeAgainstAReinvite) {
  for (int ms = -30; ms <= 30; ++ms) {
    Office o{static_cast<std::uint64_t>(ms + 100)};
    talk(o.world, *o.alice, *o.bob);
    o.world.run_for(1s);
    if (ms < 0) {
      o.bob->hangs_up();
      o.world.run_for(std::chrono::milliseconds{-ms});
      o.alice->holds();
    } else {
      o.alice->holds();
      o.world.run_for(std::chrono::milliseconds{ms});
      o.bob->hangs_up();
    }
    ASSERT_TRUE(o.until_idle()) << ms << " ms" << o.world.ladder();
    ASSERT_THAT(o.world.leftovers(), testing::IsEmpty()) << ms << " ms" << o.world.ladder();
  }
}

TEST(Race, BothHoldAtTheSameMomentAndBothSucceedInTheEnd) {
  for (int ms = 0; ms <= 25; ++ms) {
    Office o{static_cast<std::uint64_t>(ms) + 1};
    talk(o.world, *o.alice, *o.bob);
    o.world.run_for(1s);
    o.alice->holds();
    o.world.run_for(std::chrono::milliseconds{ms});
    o.bob->holds();
    o.world.run_for(12s);
    ASSERT_TRUE(o.alice->in_call() && o.bob->in_call()) << ms << " ms" << o.world.ladder();
    ASSERT_FALSE(o.alice->line().change || o.bob->line().change) << ms << " ms" << o.world.ladder();
    o.alice->resumes();
    o.world.run_for(5s);
    o.bob->resumes();
    o.world.run_for(5s);
    ASSERT_FALSE(o.alice->is_held() || o.bob->is_held()) << ms << " ms" << o.world.ladder();
    ASSERT_THAT(o.world.leftovers(), testing::IsEmpty()) << ms << " ms" << o.world.ladder();
  }
}

TEST(Race, HangingUpBeforeAnythingCameBack) {
  Office o{1};
  o.alice->dials(*o.bob);
  o.alice->hangs_up();
  EXPECT_TRUE(o.until_idle()) << o.world.ladder();
  expect_clean(o.world);
}

TEST(Race, TwoPhonesAnswerInTheSameMillisecondAndOneWins) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    World office{Seed{seed}};
    auto [alice, bob] = office.phones("alice", "bob");
    Phone& desk = office.another_phone_of(bob, "bob-desk");
    office.network().jitters(3ms).everywhere();
    alice.dials(bob);
    ASSERT_TRUE(office.until([&] { return bob.is_ringing() && desk.is_ringing(); })) << office.ladder();
    bob.picks_up();
    desk.picks_up();
    ASSERT_TRUE(office.until([&] { return bob.is_idle() != desk.is_idle() && alice.in_call(); }, 5s))
        << office.ladder();
    office.run_for(2s);
    Phone& winner = bob.is_idle() ? desk : bob;
    Phone& loser = bob.is_idle() ? bob : desk;
    EXPECT_EQ(loser.ended_reason(), R"(SIP;cause=200;text="Call completed elsewhere")") << office.ladder();
    ASSERT_TRUE(alice.in_call() && winner.in_call()) << office.ladder();
    EXPECT_TRUE(alice.hears(winner) && winner.hears(alice)) << office.ladder();
    ASSERT_THAT(office.disagreements(), testing::IsEmpty()) << office.ladder();
    ASSERT_THAT(office.leftovers(), testing::IsEmpty()) << office.ladder();
  }
}

TEST(Race, EveryFirstMessageOfEachKindMayBeLost) {
  for (const auto* what :
       {"INVITE", "ACK", "BYE", "SIP/2.0 100", "SIP/2.0 180", "SIP/2.0 200", "SIP/2.0 401"}) {
    for (int who = 0; who < 3; ++who) {
      Office o{5};
      const testkit::Host& from = who == 0   ? static_cast<const testkit::Host&>(*o.alice)
                                  : who == 1 ? static_cast<const testkit::Host&>(*o.bob)
                                             : o.world.pbx();
      o.world.network().loses_next(what, from);
      talk(o.world, *o.alice, *o.bob);
      o.world.run_for(2s);
      ASSERT_TRUE(o.alice->in_call() && o.bob->in_call())
          << what << " of " << from.name() << o.world.ladder();
      o.alice->hangs_up();
      ASSERT_TRUE(o.until_idle(10s)) << what << " of " << from.name() << o.world.ladder();
      ASSERT_THAT(o.world.leftovers(), testing::IsEmpty())
          << what << " of " << from.name() << o.world.ladder();
    }
  }
}

TEST(Race, EverythingTwiceIsOneCall) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Office o{seed};
    o.world.network().duplicates(100_percent).everywhere();
    o.world.network().jitters(20ms).everywhere();
    talk(o.world, *o.alice, *o.bob);
    o.alice->holds();
    o.world.run_for(3s);
    o.alice->resumes();
    o.world.run_for(3s);
    ASSERT_TRUE(o.alice->in_call() && o.bob->in_call()) << o.world.ladder();
    o.bob->hangs_up();
    ASSERT_TRUE(o.until_idle()) << o.world.ladder();
    ASSERT_EQ(o.world.pbx().store().calls().size(), 1U);
    ASSERT_EQ(o.bob->calls_seen(), 1U) << o.world.ladder();
    ASSERT_THAT(o.world.leftovers(), testing::IsEmpty()) << o.world.ladder();
  }
}

TEST(Race, ABadNetworkEndsInTheSameCall) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Office o{seed};
    o.world.network().loses(25_percent).everywhere();
    o.world.network().jitters(50ms).everywhere();
    o.bob->habits().answers_after = 3s;
    o.alice->dials(*o.bob);
    ASSERT_TRUE(o.world.until([&] { return o.alice->in_call() && o.bob->in_call(); })) << o.world.ladder();
    o.bob->holds();
    o.world.run_for(20s);
    o.alice->hangs_up();
    ASSERT_TRUE(o.until_idle()) << o.world.ladder();
    ASSERT_THAT(o.world.leftovers(), testing::IsEmpty()) << o.world.ladder();
  }
}

TEST(Race, ACallerThatNeverAcknowledgesIsHungUp) {
  Office o{1};
  o.alice->habits().never_acks = true;
  o.bob->habits().answers_after = 1s;
  o.alice->dials(*o.bob);
  o.world.run_for(10s);
  EXPECT_TRUE(o.bob->in_call()) << o.world.ladder();
  EXPECT_TRUE(o.until_idle(40s)) << o.world.ladder();
  expect_clean(o.world);
}

TEST(Race, ACalleeThatIgnoresTheCancelIsLetGo) {
  Office o{1};
  o.bob->habits().ignores_cancel = true;
  o.alice->dials(*o.bob);
  ASSERT_TRUE(o.world.until([&] { return o.bob->is_ringing() && o.alice->hears_ringback(); }));
  o.alice->hangs_up();
  EXPECT_TRUE(o.world.until([&] { return o.alice->is_idle(); }, 2s)) << o.world.ladder();
  o.world.run_for(5s);
  o.bob->picks_up();  // far too late: his 200 must be acknowledged and hung up
  EXPECT_TRUE(o.world.until([&] { return o.bob->is_idle(); }, 5s)) << o.world.ladder();
  expect_clean(o.world);
}

TEST(Race, ACalleeThatIgnoresTheCancelForEverLeavesNothing) {
  Office o{2};
  o.bob->habits().ignores_cancel = true;
  o.alice->dials(*o.bob);
  ASSERT_TRUE(o.world.until([&] { return o.bob->is_ringing() && o.alice->hears_ringback(); }));
  o.alice->hangs_up();
  o.world.run_for(70s);
  EXPECT_EQ(o.world.pbx().status().transactions, 0U) << o.world.ladder();
  expect_clean(o.world);
}

TEST(Race, AnOldSequenceNumberIsRefusedAndTheCallGoesOn) {
  Office o{1};
  talk(o.world, *o.alice, *o.bob);
  o.alice->holds();
  o.world.run_for(2s);
  o.alice->sends_out_of_order(sip::Method::kBye);
  o.alice->sends_out_of_order(sip::Method::kInvite);
  o.world.run_for(2s);
  EXPECT_GE(o.world.tape().count("SIP/2.0 500", o.world.pbx().ip(), o.alice->ip()), 2U) << o.world.ladder();
  EXPECT_TRUE(o.alice->in_call() && o.bob->in_call()) << o.world.ladder();
  expect_agreement(o.world);
  expect_clean(o.world);
}

TEST(Race, AReinviteThatIsNeverAnsweredDoesNotHangTheCall) {
  Office o{1};
  talk(o.world, *o.alice, *o.bob);
  o.bob->habits().never_answers_reinvites = true;
  o.alice->holds();
  o.world.run_for(60s);
  o.alice->hangs_up();
  EXPECT_TRUE(o.until_idle()) << o.world.ladder();
  expect_clean(o.world);
}

TEST(Race, BothCallEachOtherAtTheSameMoment) {
  Office o{1};
  o.alice->dials(*o.bob);
  o.bob->dials(*o.alice);
  o.world.run_for(2s);
  EXPECT_TRUE(o.alice->is_ringing() && o.bob->is_ringing()) << o.world.ladder();
  EXPECT_EQ(o.world.pbx().status().active_calls, 2U);
  o.alice->hangs_up_all();
  o.bob->hangs_up_all();
  EXPECT_TRUE(o.until_idle()) << o.world.ladder();
  expect_clean(o.world);
}

TEST(Race, TheAnswerInTheLastMillisecondBeforeTheTimeout) {
  for (int ms = -30; ms <= 30; ms += 2) {
    Office o{static_cast<std::uint64_t>(ms + 100)};
    o.bob->habits().answers_after = 30s + std::chrono::milliseconds{ms};
    o.alice->dials(*o.bob);
    o.world.run_for(35s);
    ASSERT_EQ(o.alice->in_call(), o.bob->in_call()) << ms << " ms" << o.world.ladder();
    ASSERT_THAT(o.world.disagreements(), testing::IsEmpty()) << ms << " ms" << o.world.ladder();
    ASSERT_THAT(o.world.leftovers(), testing::IsEmpty()) << ms << " ms" << o.world.ladder();
  }
}

}  // namespace
}  // namespace bw::scenario
