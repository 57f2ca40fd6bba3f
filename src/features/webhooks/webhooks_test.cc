#include "webhooks/webhooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "webhooks/signature.h"
#include "webhooks/webhooks_fixture.h"

namespace bw::webhooks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kA = "http://a.example/hook";
const std::string kB = "http://b.example/hook";

http::Outcome answers(int status, Duration latency = 1ms) {
  return {.status = status, .latency = latency};
}

TEST(Webhooks, EveryEventArrivesOnceAndInTheOrderOfItsCall) {
  Town town;
  town.subscribe(kA);
  for (int i = 0; i < 300; ++i) town.happens("call" + std::to_string(i % 7));
  town.pass(10s);
  EXPECT_EQ(town.arrivals.size(), 300U);
  std::map<std::string, std::string> last;
  for (const Arrival& a : town.arrivals) {
    const auto seq = std::stoul(a.event_id.substr(1));
    auto& before = last["call" + std::to_string((seq - 1) % 7)];
    EXPECT_LT(before.empty() ? 0 : std::stoul(before), seq);
    before = std::to_string(seq);
  }
}

TEST(Webhooks, TheNextOfACallWaitsForTheOneBeforeWhileOtherCallsGoOn) {
  Town town;
  town.subscribe(kA);
  town.receiver = [](const Arrival& a) { return answers(200, a.event_id == "e1" ? 5s : 1ms); };
  town.happens("one");
  town.happens("one");
  town.happens("two");
  town.pass(1s);
  EXPECT_THAT(town.ids_at(kA), ElementsAre("e1", "e3"));
  town.pass(5s);
  EXPECT_THAT(town.ids_at(kA), ElementsAre("e1", "e3", "e2"));
}

TEST(Webhooks, NoMoreThanMaxInFlightAtOnce) {
  Town town;
  town.settings.max_in_flight = 4;
  town.give(SettingsChanged{town.settings});
  town.subscribe(kA);
  town.receiver = [](const Arrival&) { return answers(204, 100ms); };
  for (int i = 0; i < 50; ++i) town.happens("call" + std::to_string(i));
  town.pass(10s);
  EXPECT_EQ(town.most_flying[kA], 4U);
  EXPECT_EQ(town.arrivals.size(), 50U);
}

TEST(Webhooks, AFailedEventIsTriedAgainWithTheSameIdAfterGrowingPauses) {
  Town town;
  town.subscribe(kA);
  int left = 3;
  town.receiver = [&](const Arrival&) { return answers(left-- > 0 ? 500 : 200); };
  town.happens("one");
  town.pass(2min);
  ASSERT_THAT(town.ids_at(kA, false), ElementsAre("e1", "e1", "e1", "e1"));
  const auto pause = [&](std::size_t i) { return town.arrivals[i + 1].at - town.arrivals[i].at; };
  EXPECT_GE(pause(0), 4s);
  EXPECT_LE(pause(0), 7s);
  EXPECT_GE(pause(1), 8s);
  EXPECT_LE(pause(1), 13s);
  EXPECT_GE(pause(2), 16s);
}

TEST(Webhooks, ARetryIsSignedForItsOwnMoment) {
  Town town;
  town.subscribe({.url = kA, .secret = Secret(std::string("a-secret-of-mine"))});
  int left = 1;
  town.receiver = [&](const Arrival&) { return answers(left-- > 0 ? 500 : 200); };
  town.happens("one");
  town.pass(1min);
  ASSERT_THAT(town.arrivals, SizeIs(2));
  for (const Arrival& a : town.arrivals) {
    EXPECT_EQ(a.header("webhook-timestamp"), std::to_string(a.at.unix_s()));
    EXPECT_EQ(a.header("webhook-signature"),
              standard_signature("a-secret-of-mine", "e1", a.header("webhook-timestamp"), a.body));
    EXPECT_EQ(a.header("X-Webhook-Signature"), body_signature("a-secret-of-mine", a.body));
    EXPECT_EQ(a.header("webhook-id"), "e1");
  }
  EXPECT_NE(town.arrivals[0].header("webhook-timestamp"), town.arrivals[1].header("webhook-timestamp"));
}

TEST(Webhooks, OnePoisonousEventHoldsUpItsCallOnlyAndBecomesADeadLetterAfterADay) {
  Town town;
  const auto id = town.subscribe(kA);
  town.receiver = [](const Arrival& a) { return answers(a.event_id == "e1" ? 500 : 200); };
  town.happens("bad");
  town.happens("bad");
  for (int i = 0; i < 2'000; ++i) {
    town.happens("call" + std::to_string(i));
    town.pass(1s);
  }
  EXPECT_EQ(town.ids_at(kA).size(), 2'000U) << "all but the two of the bad call";
  EXPECT_EQ(town.view(id).state, "active");
  EXPECT_EQ(town.database.at(id).progress.place.cursor, 2'002U) << "the place moves on";
  EXPECT_LE(town.core->in_memory(), 2U);
  town.pass(25h);
  EXPECT_EQ(town.ids_at(kA).back(), "e2");
  EXPECT_EQ(town.view(id).dead_letters, 1U);
  EXPECT_EQ(town.view(id).pending, 0U);
}

TEST(Webhooks, DeadLettersCanBeSentAgainAlsoAfterARestart) {
  Town town;
  const auto id = town.subscribe(kA);
  bool well = false;
  town.receiver = [&](const Arrival& a) { return answers(a.event_id == "e1" && !well ? 500 : 200); };
  town.happens("bad");
  town.pass(30h);
  ASSERT_EQ(town.view(id).dead_letters, 1U);
  well = true;
  town.crash();
  EXPECT_EQ(std::get<Replaying>(town.ask(Replay{.id = id})).count, 1U);
  town.pass(1s);
  EXPECT_THAT(town.ids_at(kA), ElementsAre("e1"));
  EXPECT_EQ(town.view(id).dead_letters, 0U);
  EXPECT_THAT(town.database.at(id).progress.dead, IsEmpty());
}

TEST(Webhooks, ADeferredEventStaysBeforeThoseOfItsCallAfterACrash) {
  Town town;
  const auto id = town.subscribe(kA);
  bool well = false;
  town.receiver = [&](const Arrival& a) { return answers(a.event_id == "e1" && !well ? 500 : 200); };
  town.happens("bad");
  town.happens("other");
  town.pass(10min);
  ASSERT_THAT(town.database.at(id).progress.place.deferred, SizeIs(1));
  town.crash();
  town.happens("bad");
  town.pass(1s);
  EXPECT_THAT(town.ids_at(kA), ElementsAre("e2"));
  well = true;
  town.pass(2h);
  EXPECT_THAT(town.ids_at(kA), ElementsAre("e2", "e1", "e3"));
}

TEST(Webhooks, ADeadReceiverIsLookedAtOneByOneAndItsBacklogStaysInTheJournal) {
  Town town;
  const auto id = town.subscribe(kA);
  bool alive = false;
  town.receiver = [&](const Arrival&) { return answers(alive ? 200 : 0, alive ? 1ms : 10s); };
  for (int i = 0; i < 20'000; ++i) town.happens("call" + std::to_string(i % 500));
  town.pass(1h);
  EXPECT_EQ(town.view(id).state, "failing");
  EXPECT_THAT(town.view(id).reason, HasSubstr("Nothing but failures"));
  EXPECT_EQ(town.view(id).pending, 20'000U);
  EXPECT_LT(town.arrivals.size(), 150U) << "about one look a minute";
  EXPECT_LE(town.most_in_memory, Limits{}.window + Limits{}.deferred);
  alive = true;
  town.pass(5min);
  EXPECT_EQ(town.ids_at(kA).size(), 20'000U);
  EXPECT_EQ(town.view(id).state, "active");
  EXPECT_EQ(town.view(id).pending, 0U);
  EXPECT_LE(town.most_in_memory, Limits{}.window + Limits{}.deferred);
  EXPECT_TRUE(town.noted("answers again"));
}

TEST(Webhooks, ADeadReceiverDelaysNobodyElse) {
  Town town;
  town.subscribe(kA);
  town.subscribe(kB);
  town.receiver = [](const Arrival& a) { return a.url == kA ? answers(0, 10s) : answers(200); };
  for (int i = 0; i < 1'000; ++i) {
    const Instant at = town.now;
    town.happens("call" + std::to_string(i));
    town.pass(10ms);
    ASSERT_EQ(town.ids_at(kB).size(), static_cast<std::size_t>(i + 1)) << (town.now - at).count();
  }
}

TEST(Webhooks, ADayOfNothingButFailuresPausesAndLosesNothing) {
  Town town;
  const auto id = town.subscribe(kA);
  bool alive = false;
  town.receiver = [&](const Arrival&) { return answers(alive ? 200 : 503); };
  for (int i = 0; i < 10; ++i) town.happens("call" + std::to_string(i));
  town.pass(26h);
  EXPECT_EQ(town.view(id).state, "paused");
  EXPECT_THAT(town.view(id).reason, HasSubstr("503"));
  EXPECT_EQ(town.database.at(id).subscription.standing, Standing::kPaused);
  const auto sent = town.arrivals.size();
  town.crash();
  town.happens("while paused");
  town.pass(10h);
  EXPECT_EQ(town.arrivals.size(), sent) << "a paused webhook is left alone";
  alive = true;
  town.ask(Change{id, {.enabled = true}});
  town.pass(2s);
  EXPECT_EQ(town.ids_at(kA).size(), 11U);
}

TEST(Webhooks, GoneDisablesAndWhatHappensMeanwhileIsNotSent) {
  Town town;
  const auto id = town.subscribe(kA);
  int status = 410;
  town.receiver = [&](const Arrival&) { return answers(status); };
  town.happens("one");
  town.pass(1s);
  EXPECT_EQ(town.view(id).state, "disabled");
  EXPECT_EQ(town.view(id).reason, "The receiver answered 410 (gone).");
  EXPECT_EQ(town.database.at(id).subscription.standing, Standing::kDisabled);
  status = 200;
  town.happens("two");
  town.ask(Change{id, {.enabled = true}});
  town.happens("three");
  town.pass(1min);
  EXPECT_THAT(town.ids_at(kA), ElementsAre("e3"));
}

TEST(Webhooks, WhatAReceiverAsksForWithRetryAfterIsGranted) {
  Town town;
  town.subscribe(kA);
  int left = 1;
  town.receiver = [&](const Arrival&) {
    if (left-- <= 0) return answers(200);
    http::Outcome busy = answers(429);
    busy.retry_after = std::chrono::seconds(90);
    return busy;
  };
  town.happens("one");
  town.pass(1s);
  town.happens("two");
  town.pass(88s);
  EXPECT_THAT(town.arrivals, SizeIs(1));
  town.pass(3s);
  EXPECT_THAT(town.ids_at(kA), testing::UnorderedElementsAre("e1", "e2"));
}

TEST(Webhooks, OnlyWhatWasAskedForIsSent) {
  Town town;
  town.subscribe({.url = kA, .events = {{"call.ended", "extension.*"}}, .extensions = {{"1002"}}});
  town.happens("one", "call.started", {"1001", "1002"});
  town.happens("one", "call.ended", {"1001", "1002"});
  town.happens("two", "call.ended", {"1001", "1003"});
  town.happens("", "extension.registered", {"1002"});
  town.happens("", "extensions.other", {"1002"});
  town.pass(1s);
  EXPECT_THAT(town.ids_at(kA), ElementsAre("e2", "e4"));
}

TEST(Webhooks, AcknowledgementsAreStoredInGroups) {
  Town town;
  town.subscribe(kA);
  for (int i = 0; i < 1'000; ++i) {
    town.happens("call" + std::to_string(i));
    town.pass(1ms);
  }
  EXPECT_LE(town.saves, 25U);
}

TEST(Webhooks, WhatWasAcknowledgedAndStoredIsNotSentAgain) {
  Town town;
  town.subscribe(kA);
  town.receiver = [](const Arrival& a) { return answers(200, a.event_id == "e1" ? 1h : 1ms); };
  for (int i = 0; i < 100; ++i) town.happens("call" + std::to_string(i));
  town.pass(1s);
  town.crash();
  town.pass(1s);
  EXPECT_EQ(town.arrivals.size(), 101U) << "the slow one alone comes twice";
}

TEST(Webhooks, AChangeHoldsOnceItIsStoredAndNotBefore) {
  Town town;
  town.database_works = false;
  const Answer answer = town.ask(Create{{.url = kA}});
  ASSERT_TRUE(std::holds_alternative<Refused>(answer));
  EXPECT_EQ(std::get<Refused>(answer).status, 503);
  EXPECT_THAT(std::get<Listed>(town.ask(List{})).subscriptions, IsEmpty());
}

TEST(Webhooks, ProgressThatTheDatabaseRefusedIsStoredLater) {
  Town town;
  const auto id = town.subscribe(kA);
  town.database_works = false;
  town.happens("one");
  town.pass(5s);
  EXPECT_EQ(town.database.at(id).progress.place.cursor, 0U);
  town.database_works = true;
  town.pass(5s);
  EXPECT_EQ(town.database.at(id).progress.place.cursor, 1U);
}

TEST(Webhooks, BadDraftsAreRefusedWithTheirField) {
  Town town;
  const auto field = [&](Draft draft) {
    const Answer answer = town.ask(Create{std::move(draft)});
    const auto* refused = std::get_if<Refused>(&answer);
    return refused == nullptr ? "none" : refused->field;
  };
  EXPECT_EQ(field({}), "url");
  for (const auto* url : {"",
                          "ftp://a",
                          "http://",
                          "http:///x",
                          "http://:80/",
                          "http://u:p@h/",
                          "http://h/#f",
                          "http://h/ x",
                          "http://h\\x",
                          "//h",
                          "http://h/\x7f",
                          "http://h:0/",
                          "http://h:65536",
                          "http://h:99999999999/",
                          "http://h:",
                          "http://h:8x/",
                          "http://h:-1/",
                          "http://h:1:2/",
                          "http://[::1",
                          "http://[::1]:0/",
                          "http://[::1]x",
                          "http://[::1]x:80"}) {
    EXPECT_EQ(field({.url = url}), "url") << url;
  }
  for (const auto* event : {"", "**", "call", "call.*.x", ".call", "call..x", "Call.ended", "call.ended "}) {
    EXPECT_EQ(field({.url = kA, .events = {{event}}}), "events") << event;
  }
  for (const auto* event : {"call.endet", "kettle.boils", "kettle.*", "call.started.*"})
    EXPECT_EQ(field({.url = kA, .events = {{event}}}), "events") << event;
  EXPECT_EQ(fault_of_event("call.endet"), "There is no event \"call.endet\"; did you mean \"call.ended\"?");
  EXPECT_EQ(fault_of_event("cal.*"), "There is no event \"cal.*\"; did you mean \"call.*\"?");
  EXPECT_EQ(fault_of_event("kettle.boils"), "There is no event \"kettle.boils\".");
  for (const auto* event : {"*", "call.*", "call.ended", "voicemail.new", "queue.*", "conference.ended",
                            "trunk.up", "emergency.call", "crm.screen_pop", "hot_desk.*"})
    EXPECT_EQ(fault_of_event(event), std::nullopt) << event;
  for (const auto* url :
       {"http://h", "http://h:1", "http://h:65535/x", "http://[::1]/", "http://[::1]:8080/?a=b:0"})
    EXPECT_EQ(field({.url = url}), "none") << url;
  EXPECT_EQ(field({.url = kA, .events = {std::vector<std::string>{}}}), "events");
  for (const auto* name : {"", "a b", "X-Webhook-ID", "x-webhook-signature", "Webhook-Id", "Content-Type",
                           "Host", "content-length", "User-Agent", "x:y"}) {
    EXPECT_EQ(field({.url = kA, .headers = Headers{{name, Secret(std::string("v"))}}}), "headers") << name;
  }
  EXPECT_EQ(field({.url = kA, .headers = Headers{{"X-A", Secret(std::string("a\r\nX-B: c"))}}}), "headers");
  EXPECT_EQ(field({.url = kA, .secret = Secret(std::string("short"))}), "secret");
  EXPECT_EQ(field({.url = kA, .secret = Secret(std::string("whsec_not/base64!"))}), "secret");
  EXPECT_EQ(field({.url = kA, .secret = Secret(std::string("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))}),
            "none");
}

TEST(Webhooks, ARotatedSecretSignsTogetherWithTheOneBeforeForADay) {
  Town town;
  const auto id = town.subscribe({.url = kA, .secret = Secret(std::string("the-old-secret"))});
  const auto made = std::get<Shown>(town.ask(RotateSecret{.id = id, .secret = {}}));
  ASSERT_TRUE(made.secret);
  EXPECT_THAT(made.secret->reveal(), testing::StartsWith("whsec_"));
  town.happens("one");
  town.pass(1s);
  const Arrival& a = town.arrivals.back();
  const auto by = [&](const std::string& s) {
    return standard_signature(s, "e1", a.header("webhook-timestamp"), a.body);
  };
  EXPECT_EQ(a.header("webhook-signature"), by(made.secret->reveal()) + " " + by("the-old-secret"));
  EXPECT_EQ(a.header("X-Webhook-Signature"), body_signature(made.secret->reveal(), a.body));
  EXPECT_EQ(a.header("X-Webhook-Signature-Former"), body_signature("the-old-secret", a.body));
  town.pass(24h);
  town.happens("two");
  town.pass(1s);
  EXPECT_EQ(town.arrivals.back().header("webhook-signature").find(' '), std::string::npos);
}

TEST(Webhooks, ATestShowsRequestAndAnswerAndNoTokens) {
  Town town;
  const auto id =
      town.subscribe({.url = kA, .headers = Headers{{"Authorization", Secret(std::string("Bearer t0p"))}}});
  town.receiver = [](const Arrival&) { return http::Outcome{.status = 418, .excerpt = "teapot"}; };
  const auto tested = std::get<Tested>(town.ask(webhooks::Test{id}));
  EXPECT_EQ(tested.outcome.status, 418);
  EXPECT_EQ(tested.outcome.excerpt, "teapot");
  EXPECT_THAT(tested.body, HasSubstr("webhook.test"));
  EXPECT_THAT(tested.headers, testing::Contains("Authorization: (not shown)"));
  EXPECT_THAT(tested.headers, testing::Not(testing::Contains(HasSubstr("t0p"))));
  EXPECT_EQ(town.arrivals.back().header("Authorization"), "Bearer t0p");
  EXPECT_THAT(std::get<DeliveryLog>(town.ask(Deliveries{id})).newest_first, SizeIs(1));
}

TEST(Webhooks, AReplaySendsAnEventOrATimeAgain) {
  Town town;
  const auto id = town.subscribe(kA);
  for (int i = 0; i < 1'500; ++i) town.happens("call" + std::to_string(i % 50));
  town.pass(10s);
  town.arrivals.clear();
  EXPECT_EQ(std::get<Replaying>(town.ask(Replay{.id = id, .event_id = "e700"})).count, 1U);
  town.pass(1s);
  EXPECT_THAT(town.ids_at(kA), ElementsAre("e700"));
  town.arrivals.clear();
  EXPECT_EQ(std::get<Replaying>(town.ask(Replay{.id = id, .event_id = {}, .since = Instant{}})).count,
            1'500U);
  town.pass(100ms);
  town.crash();
  town.pass(10s);
  const auto ids = town.ids_at(kA);
  EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), 1'500U)
      << "a crash in the middle of a replay loses nothing";
  EXPECT_FALSE(town.view(id).replaying_until);
  EXPECT_EQ(std::get<Refused>(town.ask(Replay{.id = id, .event_id = "nobody knows"})).status, 404);
}

TEST(Webhooks, WhatTheJournalNoLongerHoldsIsPassedOver) {
  Town town;
  const auto id = town.subscribe(kA);
  town.receiver = [](const Arrival&) { return answers(0); };
  for (int i = 0; i < 2'000; ++i) town.happens("call" + std::to_string(i));
  town.pass(10min);
  for (std::size_t i = 0; i < 1'990; ++i) town.journal[i].seq = 0;
  town.receiver = [](const Arrival&) { return answers(200); };
  town.crash();
  town.pass(10min);
  EXPECT_EQ(town.ids_at(kA).size(), 10U);
  EXPECT_EQ(town.view(id).pending, 0U);
  EXPECT_EQ(town.database.at(id).progress.place.cursor, 2'000U);
}

TEST(Webhooks, SubscriptionsOfTheFileAreTakenInOnce) {
  Town town;
  town.ask(Adopt{{{.url = kA}, {.url = kB, .enabled = false}, {.url = "nonsense"}}});
  town.crash();
  town.ask(Adopt{{{.url = kA}, {.url = kB}}});
  const auto listed = std::get<Listed>(town.ask(List{})).subscriptions;
  ASSERT_THAT(listed, SizeIs(2));
  EXPECT_EQ(std::ranges::count(listed, "disabled", &View::state), 1);
}

TEST(Webhooks, RemovedByUrlOrIdNothingIsSentAnyMore) {
  Town town;
  town.subscribe(kA);
  town.subscribe(kA);
  const auto id = town.subscribe(kB);
  EXPECT_EQ(std::get<Removed>(town.ask(RemoveByUrl{kA})).count, 2U);
  EXPECT_EQ(std::get<Removed>(town.ask(Remove{id})).count, 1U);
  EXPECT_EQ(std::get<Refused>(town.ask(Remove{id})).status, 404);
  town.happens("one");
  town.pass(1min);
  EXPECT_THAT(town.arrivals, IsEmpty());
  EXPECT_THAT(town.database, IsEmpty());
}

TEST(Webhooks, SwitchedOffNothingIsSentAndNothingIsLost) {
  Town town;
  town.subscribe(kA);
  town.settings.enabled = false;
  town.give(SettingsChanged{town.settings});
  town.happens("one");
  town.pass(1h);
  EXPECT_THAT(town.arrivals, IsEmpty());
  town.settings.enabled = true;
  town.give(SettingsChanged{town.settings});
  town.pass(1s);
  EXPECT_THAT(town.ids_at(kA), ElementsAre("e1"));
}

}  // namespace
}  // namespace bw::webhooks
