// Browsers that are phones (docs/browser-calling.md): whole calls in virtual time.
#include "testkit/browser.h"

#include "story.h"

namespace bw::scenario {
namespace {

using ports::BrowserPush;
using testkit::Browser;

TEST(Browser, DialsTheEchoTestAndHangsUp) {
  World office{Seed{1}, World::browser_settings()};
  Browser& page = office.browser("alice");
  ASSERT_EQ("connected", page.shown()->state) << page.refused().sentence;
  ASSERT_TRUE(page.dials("*43")) << page.refused().sentence;
  EXPECT_TRUE(office.until([&] { return page.in_call(); })) << office.ladder();
  ASSERT_EQ(1U, office.pbx().calls().size());
  EXPECT_TRUE(office.pbx().calls()[0].legs[0].secured) << "DTLS is what secures it";
  EXPECT_EQ(page.talking().front(), page.shown()->call.value().value);
  EXPECT_TRUE(page.hangs_up());
  EXPECT_TRUE(page.is_idle());
  office.run_for(5s);
  EXPECT_EQ("1001 hung up", reason_of(office));
  EXPECT_EQ("answered", disposition_of(office));
  expect_clean(office);
}

TEST(Browser, CallsADeskPhoneAndIsHungUpOn) {
  World office{Seed{2}, World::browser_settings()};
  auto [bob] = office.phones("bob");
  Browser& page = office.browser("alice");
  ASSERT_TRUE(page.dials(bob)) << page.refused().sentence;
  EXPECT_TRUE(office.until([&] { return page.hears_ringback() && bob.is_ringing(); })) << office.ladder();
  bob.picks_up();
  EXPECT_TRUE(office.until([&] { return page.in_call() && bob.in_call(); })) << office.ladder();
  expect_agreement(office);
  bob.hangs_up();
  EXPECT_TRUE(office.until([&] { return page.is_idle(); })) << office.ladder();
  EXPECT_EQ("1001 hung up", page.ended_because());
  expect_clean(office);
}

TEST(Browser, IsCalledByADeskPhoneWhoseNameItIsTold) {
  World office{Seed{3}, World::browser_settings()};
  auto [bob] = office.phones("bob");
  Browser& page = office.browser("alice");
  bob.dials(page.number());
  page.answers();
  EXPECT_TRUE(office.until([&] { return page.in_call() && bob.in_call(); })) << office.ladder();
  const auto told = page.told<BrowserPush::Incoming>();
  ASSERT_EQ(1U, told.size());
  EXPECT_EQ(bob.number(), told[0].caller);
  EXPECT_EQ("bob", told[0].name.reveal());
  EXPECT_EQ(told[0].call, office.pbx().calls().at(0).id);
  expect_agreement(office);
  page.hangs_up();
  EXPECT_TRUE(office.until([&] { return bob.is_idle(); })) << office.ladder();
  expect_clean(office);
}

TEST(Browser, CallsAnotherBrowser) {
  World office{Seed{4}, World::browser_settings()};
  Browser& alice = office.browser("alice");
  Browser& bob = office.browser("bob");
  ASSERT_TRUE(alice.dials(bob));
  bob.answers();
  EXPECT_TRUE(alice.in_call() && bob.in_call()) << office.ladder();
  const auto call = office.pbx().calls().at(0);
  ASSERT_EQ(2U, call.legs.size());
  EXPECT_EQ("opus/48000", call.legs[0].codec);
  EXPECT_EQ("opus/48000", call.legs[1].codec);
  EXPECT_EQ("browser", call.legs[1].device);
  bob.hangs_up();
  EXPECT_TRUE(alice.is_idle());
  EXPECT_EQ("1002 hung up", alice.ended_because());
  expect_clean(office);
}

TEST(Browser, ThatIsLoggedInTwiceStopsRingingWhereItIsNotAnswered) {
  World office{Seed{5}, World::browser_settings()};
  auto [bob] = office.phones("bob");
  Browser& here = office.browser("alice");
  Browser& there = office.browser_of(here.number());
  bob.dials(here.number());
  ASSERT_TRUE(office.until([&] { return here.is_ringing() && there.is_ringing(); })) << office.ladder();
  EXPECT_TRUE(there.accepts());
  EXPECT_TRUE(office.until([&] { return there.in_call() && bob.in_call(); })) << office.ladder();
  EXPECT_TRUE(here.is_idle());
  EXPECT_EQ("answered elsewhere", here.ended_because());
  expect_clean(office);
}

TEST(Browser, RingsBesideADeskPhoneOfItsExtension) {
  World office{Seed{6}, World::browser_settings()};
  auto [alice, bob] = office.phones("alice", "bob");
  Browser& page = office.browser_of(alice.number());
  bob.dials(alice);
  ASSERT_TRUE(office.until([&] { return page.is_ringing() && alice.is_ringing(); })) << office.ladder();
  alice.picks_up();
  EXPECT_TRUE(office.until([&] { return page.is_idle(); })) << office.ladder();
  EXPECT_EQ("answered elsewhere", page.ended_because());
  expect_conversation(office, alice, bob);
  expect_clean(office);
}

TEST(Browser, LearnsWhyACallCannotBe) {
  World office{Seed{7}, World::browser_settings()};
  auto [bob] = office.phones("bob");
  Browser& page = office.browser("alice");
  EXPECT_FALSE(page.dials("1999"));
  EXPECT_EQ(404, page.refused().status) << page.refused().sentence;
  EXPECT_EQ("not_found", page.refused().code);
  bob.habits().rejects_with = 486;
  EXPECT_FALSE(page.dials(bob));
  EXPECT_EQ(409, page.refused().status);
  EXPECT_EQ("busy", page.refused().code);
  EXPECT_EQ("1001 is busy", page.refused().sentence);
  EXPECT_TRUE(page.is_idle());
  expect_clean(office);
}

TEST(Browser, DoesNotRingForItsOwnCall) {
  World office{Seed{24}, World::browser_settings()};
  Browser& page = office.browser("alice");
  EXPECT_FALSE(page.dials(page));
  EXPECT_EQ("busy", page.refused().code);
  Browser& other = office.browser_of(page.number());
  EXPECT_TRUE(page.dials(other)) << "another page of the same person is somebody to talk to";
  other.answers();
  EXPECT_TRUE(page.in_call() && other.in_call()) << office.ladder();
  expect_clean(office);
}

TEST(Browser, DeclinesForAllItsDevices) {
  World office{Seed{8}, World::browser_settings()};
  auto [alice, bob] = office.phones("alice", "bob");
  Browser& page = office.browser_of(alice.number());
  bob.dials(alice);
  ASSERT_TRUE(office.until([&] { return page.is_ringing() && alice.is_ringing(); }));
  EXPECT_TRUE(page.rejects());
  EXPECT_TRUE(office.until([&] { return alice.is_idle() && bob.is_idle(); })) << office.ladder();
  EXPECT_EQ(603, bob.ended_with());
  expect_clean(office);
}

TEST(Browser, IsNotRungWhenNobodyIsAtItAndItsCallerIsTold) {
  World office{Seed{9}, World::browser_settings()};
  auto [bob] = office.phones("bob");
  Browser& page = office.browser("alice");
  bob.dials(page.number());
  EXPECT_TRUE(office.until([&] { return page.is_ringing(); }));
  bob.hangs_up();
  EXPECT_TRUE(office.until([&] { return page.is_idle(); })) << office.ladder();
  EXPECT_EQ("1001 hung up before 1002 answered", page.ended_because());
  page.closes();
  office.run_for(1s);
  bob.dials(page.number());
  EXPECT_TRUE(office.until([&] { return bob.is_idle(); })) << office.ladder();
  EXPECT_EQ(480, bob.ended_with());
  expect_clean(office);
}

TEST(Browser, HoldsAndResumesAndIsHeld) {
  World office{Seed{10}, World::browser_settings()};
  auto [bob] = office.phones("bob");
  Browser& page = office.browser("alice");
  talk(office, page, bob);
  EXPECT_TRUE(page.holds()) << page.refused().sentence;
  EXPECT_TRUE(office.until([&] { return bob.is_held(); })) << office.ladder();
  EXPECT_FALSE(page.shown()->call) << "nothing sounds";
  office.run_for(100ms);
  EXPECT_TRUE(page.resumes()) << page.refused().sentence;
  EXPECT_TRUE(office.until([&] { return !bob.is_held(); })) << office.ladder();
  office.run_for(100ms);
  EXPECT_EQ(page.talking().front(), page.shown()->call.value().value);
  bob.holds();
  EXPECT_TRUE(office.until([&] { return office.pbx().calls().at(0).state == "held"; })) << office.ladder();
  office.run_for(100ms);
  bob.resumes();
  EXPECT_TRUE(office.until([&] { return office.pbx().calls().at(0).state == "up"; })) << office.ladder();
  EXPECT_TRUE(page.presses("1#"));
  EXPECT_TRUE(office.until([&] { return bob.digits_heard() == "1#"; })) << bob.digits_heard();
  expect_clean(office);
}

TEST(Browser, PassesACallOn) {
  World office{Seed{11}, World::browser_settings()};
  auto [bob, carol] = office.phones("bob", "carol");
  Browser& page = office.browser("alice");
  talk(office, page, bob);
  EXPECT_TRUE(page.transfers_to(carol.number())) << page.refused().sentence;
  carol.answers();
  EXPECT_TRUE(office.until([&] { return carol.in_call() && page.is_idle(); })) << office.ladder();
  expect_conversation(office, bob, carol);
  expect_clean(office);
}

TEST(Browser, AsksOneAndConnectsItWithAnother) {
  World office{Seed{12}, World::browser_settings()};
  auto [bob, carol] = office.phones("bob", "carol");
  Browser& page = office.browser("alice");
  talk(office, page, bob);
  const std::string first = page.talking().front();
  ASSERT_TRUE(page.dials(carol)) << page.refused().sentence;
  EXPECT_TRUE(office.until([&] { return bob.is_held(); })) << "who asks another lets the first wait";
  carol.answers();
  ASSERT_TRUE(office.until([&] { return page.talking().size() == 2; })) << office.ladder();
  const auto both = page.talking();
  const std::string second = both[0] == first ? both[1] : both[0];
  EXPECT_EQ(second, page.shown()->call.value().value);
  EXPECT_TRUE(page.joins(first, second)) << page.refused().sentence;
  EXPECT_TRUE(office.until([&] { return page.is_idle(); })) << office.ladder();
  expect_conversation(office, bob, carol);
  expect_clean(office);
}

// The consultation ends and its other side moves to the call that stays; for the page that was asked it is
// one call all the time.
TEST(Browser, ThatIsConnectedWithSomebodyElseKeepsItsCall) {
  World office{Seed{25}, World::browser_settings()};
  auto [bob, carol] = office.phones("bob", "carol");
  Browser& page = office.browser("alice");
  talk(office, bob, carol);
  bob.holds();
  office.run_for(100ms);
  bob.dials(page.number());
  page.answers();
  office.run_for(100ms);
  const auto before = page.talking();
  ASSERT_EQ(1U, before.size()) << office.ladder();
  bob.completes_transfer();
  ASSERT_TRUE(office.until([&] { return bob.is_idle(); })) << office.ladder();
  EXPECT_EQ(before, page.talking());
  ASSERT_EQ(1U, office.pbx().calls().size());
  EXPECT_NE(before[0], office.pbx().calls()[0].id.value);
  office.run_for(200ms);
  EXPECT_TRUE(page.holds(before[0])) << page.refused().sentence;
  EXPECT_TRUE(office.until([&] { return carol.is_held(); })) << office.ladder();
  EXPECT_TRUE(page.hangs_up());
  EXPECT_TRUE(office.until([&] { return carol.is_idle(); })) << office.ladder();
  expect_clean(office);
}

TEST(Browser, IsGivenACallByADeskPhone) {
  World office{Seed{13}, World::browser_settings()};
  auto [bob, carol] = office.phones("bob", "carol");
  Browser& page = office.browser("alice");
  talk(office, bob, carol);
  bob.transfers_to(page.number());
  page.answers();
  EXPECT_TRUE(office.until([&] { return bob.is_idle() && page.in_call() && carol.in_call(); }))
      << office.ladder();
  carol.hangs_up();
  EXPECT_TRUE(office.until([&] { return page.is_idle(); }));
  expect_clean(office);
}

TEST(Browser, ThatIsLoadedAgainGoesOnWithItsCall) {
  World office{Seed{14}, World::browser_settings()};
  auto [bob] = office.phones("bob");
  Browser& page = office.browser("alice");
  talk(office, page, bob);
  const auto before = page.shown()->peer_connection;
  page.reloads();
  EXPECT_EQ("connected", page.shown()->state);
  EXPECT_NE(before, page.shown()->peer_connection);
  EXPECT_TRUE(bob.in_call());
  EXPECT_EQ(page.talking().front(), page.shown()->call.value().value);
  EXPECT_EQ(1U, office.pbx().media().sessions());
  page.hangs_up();
  EXPECT_TRUE(office.until([&] { return bob.is_idle(); }));
  expect_clean(office);
}

TEST(Browser, ThatDoesNotComeBackLosesItsCallAfterAMinute) {
  World office{Seed{15}, World::browser_settings()};
  auto [bob] = office.phones("bob");
  Browser& page = office.browser("alice");
  talk(office, page, bob);
  page.goes_away();
  office.run_for(59s);
  EXPECT_TRUE(bob.in_call()) << office.ladder();
  office.run_for(2s);
  EXPECT_TRUE(bob.is_idle()) << office.ladder();
  EXPECT_EQ("offline", office.presence_of(page.number()));
  EXPECT_TRUE(page.shown().has_value()) << "the session itself waits longer";
  expect_clean(office);
}

TEST(Browser, SessionEndsWhenNobodyTouchesItAndItIsSilent) {
  World office{Seed{16}, World::browser_settings()};
  Browser& page = office.browser("alice");
  office.run_for(1h);
  EXPECT_TRUE(page.shown().has_value()) << "live media is a sign of life";
  EXPECT_EQ("available", office.presence_of(page.number()));
  page.goes_away();
  office.run_for(299s);
  EXPECT_TRUE(page.shown().has_value());
  office.run_for(2s);
  EXPECT_FALSE(page.shown().has_value());
  EXPECT_EQ("closed", page.told<BrowserPush::SessionChanged>().back().state);
  expect_clean(office);
}

TEST(Browser, SessionsAreClosedToOtherExtensions) {
  World office{Seed{17}, World::browser_settings()};
  Browser& alice = office.browser("alice");
  Browser& bob = office.browser("bob");
  const auto as_bob = [&](ports::BrowserWish wish) {
    return office.pbx().asks(ports::AskBrowser{alice.session(), std::move(wish), bob.number()});
  };
  const std::vector<ports::BrowserWish> wishes{ports::ShowBrowserSession{}, ports::CloseBrowserSession{},
                                               ports::BrowserDials{"*43"},  ports::BrowserHangsUp{},
                                               ports::RestartBrowser{},     ports::MissedPushes{}};
  for (const auto& wish : wishes) {
    const auto reply = as_bob(wish);
    const auto* refused = std::get_if<ports::Refused>(&*reply);
    ASSERT_NE(nullptr, refused) << wish.index();
    EXPECT_EQ(404, refused->status);
  }
  const auto opened =
      office.pbx().asks(ports::AskBrowser{{}, ports::OpenBrowserSession{alice.number()}, bob.number()});
  EXPECT_NE(nullptr, std::get_if<ports::Refused>(&*opened));
  const auto list = office.pbx().asks(ports::AskBrowser{{}, ports::ListBrowserSessions{}, bob.number()});
  const auto* sessions = ports::browser_reply<ports::BrowserSessions>(*list);
  ASSERT_NE(nullptr, sessions);
  EXPECT_EQ(1U, sessions->sessions.size());
  EXPECT_TRUE(alice.shown().has_value());
  expect_clean(office);
}

TEST(Browser, ThatComesBackHearsWhatItMissed) {
  World office{Seed{18}, World::browser_settings()};
  auto [bob] = office.phones("bob");
  Browser& page = office.browser("alice");
  const auto first = ports::browser_reply<ports::BrowserPushes>(*page.asks(ports::MissedPushes{}))->newest;
  bob.dials(page.number());
  ASSERT_TRUE(office.until([&] { return page.is_ringing(); }));
  bob.hangs_up();
  ASSERT_TRUE(office.until([&] { return page.is_idle(); }));
  const auto reply = page.asks(ports::MissedPushes{first});
  const auto& missed = ports::browser_reply<ports::BrowserPushes>(*reply)->pushes;
  ASSERT_EQ(2U, missed.size());
  EXPECT_TRUE(std::holds_alternative<BrowserPush::Incoming>(missed[0].what));
  EXPECT_TRUE(std::holds_alternative<BrowserPush::Ended>(missed[1].what));
  EXPECT_EQ(first + 1, missed[0].number);
  expect_clean(office);
}

TEST(Browser, AsksForANewConnectionAndAnswersTheOffer) {
  World office{Seed{19}, World::browser_settings()};
  Browser& page = office.browser("alice");
  ASSERT_TRUE(page.does(ports::RestartBrowser{})) << page.refused().sentence;
  const auto offers = page.told<BrowserPush::Offered>();
  ASSERT_EQ(1U, offers.size());
  EXPECT_NE(std::string::npos, offers[0].sdp.find("a=setup:actpass"));
  EXPECT_TRUE(page.answers_offer()) << page.refused().sentence;
  EXPECT_FALSE(page.answers_offer()) << "it is answered";
  EXPECT_EQ(409, page.refused().status);
  expect_clean(office);
}

TEST(Browser, SaysHowWellItHearsAndTheRecordKeepsIt) {
  World office{Seed{20}, World::browser_settings()};
  auto [bob] = office.phones("bob");
  Browser& page = office.browser("alice");
  talk(office, page, bob);
  ports::BrowserFigures figures{.packets_received = 245, .packets_lost = 5, .jitter_ms = 4, .codec = "opus"};
  EXPECT_TRUE(page.does(figures)) << page.refused().sentence;
  const auto told = page.told<BrowserPush::Heard>();
  ASSERT_EQ(1U, told.size());
  EXPECT_NEAR(2.0, told[0].quality.loss_percent, 0.01);
  EXPECT_GT(told[0].quality.mos, 3);
  const auto leg = office.pbx().calls().at(0).legs.at(0);
  ASSERT_TRUE(leg.heard);
  EXPECT_NEAR(2.0, leg.heard->loss_percent, 0.01);
  page.hangs_up();
  office.run_for(5s);
  const auto* record = office.pbx().store().last_call();
  ASSERT_TRUE(record->legs.at(0).heard || record->legs.at(1).heard);
  expect_clean(office);
}

TEST(Browser, AcceptAndHangUpAtTheSameMomentLeaveNobodyInACall) {
  for (int ms = -30; ms <= 30; ++ms) {
    World office{Seed{static_cast<std::uint64_t>(100 + ms)}, World::browser_settings()};
    auto [bob] = office.phones("bob");
    Browser& page = office.browser("alice");
    bob.dials(page.number());
    ASSERT_TRUE(office.until([&] { return page.is_ringing(); }));
    office.run_for(100ms);
    if (ms < 0) page.accepts();
    if (ms >= 0) bob.hangs_up();
    office.run_for(std::chrono::milliseconds{ms < 0 ? -ms : ms});
    if (ms < 0) bob.hangs_up();
    if (ms >= 0) page.accepts();
    office.run_for(40s);
    EXPECT_TRUE(page.is_idle() && bob.is_idle()) << ms << office.ladder();
    expect_clean(office);
  }
}

TEST(Browser, CallingIsRefusedWhenItIsSwitchedOff) {
  World office{Seed{21}, World::browser_settings()};
  Browser& page = office.browser("alice");
  page.dials("*43");
  ASSERT_TRUE(page.in_call());
  office.pbx().configure([](model::Settings& s) { s.browsers.enabled = false; });
  EXPECT_TRUE(page.is_idle());
  EXPECT_FALSE(page.does(ports::ShowBrowserSession{}));
  EXPECT_EQ(404, page.refused().status);
  expect_clean(office);
}

TEST(Browser, ExtensionThatIsRemovedLosesItsSessions) {
  World office{Seed{22}, World::browser_settings()};
  auto [bob] = office.phones("bob");
  Browser& page = office.browser("alice");
  page.dials(bob);
  bob.answers();
  office.pbx().change_directory([&](model::Directory& d) { d.extensions.erase(page.number()); });
  EXPECT_TRUE(office.until([&] { return bob.is_idle(); })) << office.ladder();
  EXPECT_FALSE(page.shown());
  expect_clean(office);
}

TEST(Browser, SessionsOfAnOldPasswordEndWithTheirCalls) {
  World office{Seed{24}, World::browser_settings()};
  auto [bob] = office.phones("bob");
  Browser& page = office.browser("alice");
  page.dials(bob);
  bob.answers();
  office.pbx().change_directory(
      [&](model::Directory& d) { d.extensions.at(page.number()).ring_seconds = 7; });
  office.run_for(5s);
  EXPECT_TRUE(page.in_call()) << "other wishes of the extension end nothing";
  office.pbx().change_directory([&](model::Directory& d) {
    d.extensions.at(page.number()).credentials.ha1_sha256 = Secret<std::string>{"another"};
  });
  EXPECT_TRUE(office.until([&] { return bob.is_idle(); })) << office.ladder();
  EXPECT_EQ("The password of the extension was changed.", page.ended_because());
  EXPECT_EQ("closed", page.told<BrowserPush::SessionChanged>().back().state);
  EXPECT_FALSE(page.shown());
  bob.dials(page.number());
  office.run_for(10s);
  EXPECT_FALSE(page.is_ringing());
  expect_clean(office);
}

TEST(Browser, CannotHaveMoreSessionsThanItsExtensionMay) {
  World office{Seed{23}, World::browser_settings()};
  Browser& first = office.browser("alice");
  std::vector<Browser*> more;
  for (int i = 1; i < 10; ++i) more.push_back(&office.browser_of(first.number()));
  EXPECT_TRUE(more.back()->shown());
  Browser& refused = office.browser_of(first.number());
  EXPECT_EQ(409, refused.refused().status);
  more.front()->goes_away();
  Browser& next = office.browser_of(first.number());
  EXPECT_TRUE(next.shown()) << "a page that is gone makes room";
  EXPECT_FALSE(more.front()->shown());
}

}  // namespace
}  // namespace bw::scenario
