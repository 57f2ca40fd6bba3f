#include <fmt/format.h>

#include "story.h"

namespace bw::scenario {
namespace {

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

TEST(Registration, APhoneIsKnownWithItsAddressAndItsExpiry) {
  World office{Seed{1}};
  auto [alice, bob] = office.phones("alice", "bob");
  EXPECT_TRUE(alice.is_registered() && bob.is_registered()) << office.ladder();
  const auto phones = office.pbx().phones(alice.number());
  ASSERT_EQ(phones.size(), 1U);
  EXPECT_EQ(phones[0].flow.remote, alice.endpoint());
  EXPECT_EQ(phones[0].expires_at - phones[0].last_registered, 600s);
  EXPECT_EQ(office.pbx().status().registered_extensions, 2U);
  office.run_for(1s);
  EXPECT_EQ(office.pbx().store().bindings().size(), 2U);
  expect_clean(office);
}

TEST(Registration, SurvivesALossyNetworkForAnHour) {
  World office{Seed{2}};
  auto [alice] = office.phones("alice");
  office.network().loses(30_percent).between(alice, office.pbx());
  office.network().duplicates(10_percent).between(alice, office.pbx());
  for (int minute = 0; minute < 60; ++minute) {
    office.run_for(60s);
    ASSERT_EQ(office.pbx().phones(alice.number()).size(), 1U) << "minute " << minute << office.ladder(40);
  }
  expect_clean(office);
}

TEST(Registration, AWrongPasswordAndAnUnknownUserLookTheSame) {
  World office{Seed{3}};
  auto [alice] = office.phones("alice");
  Phone& wrong = office.stranger("wrong", alice.number(), "guessed");
  Phone& unknown = office.stranger("unknown", "1999", "guessed");
  const auto answer_to = [&](Phone& phone) {
    phone.registers();
    office.until([&] { return phone.registration_status() != 0; });
    const auto bytes = office.tape().last("SIP/2.0 4", office.pbx().ip());
    return bytes ? replaced(replaced(*bytes, phone.number(), "NNNN"), phone.ip().to_string(), "A") : "none";
  };
  const std::string a = answer_to(wrong);
  const std::string b = answer_to(unknown);
  EXPECT_FALSE(wrong.is_registered() || unknown.is_registered());
  EXPECT_EQ(wrong.registration_status(), unknown.registration_status());
  EXPECT_EQ(a.size(), b.size()) << a << b;
  EXPECT_EQ(a.substr(0, a.find('\r')), b.substr(0, b.find('\r')));
}

TEST(Registration, ACapturedRegisterCannotBringACallElsewhere) {
  World office{Seed{4}};
  auto [alice, bob] = office.phones("alice", "bob");
  Phone& mallory = office.stranger("mallory", "1999", "");
  const auto captured = office.tape().last("REGISTER", alice.ip());
  ASSERT_TRUE(captured && captured->find("Authorization: ") != captured->npos) << office.ladder();
  std::string forged = replaced(*captured, alice.endpoint().to_string(), mallory.endpoint().to_string());
  forged = replaced(forged, "Call-ID: ", "Call-ID: replay");
  forged = replaced(forged, "branch=z9hG4bK", "branch=z9hG4bKreplay");
  mallory.sends_raw(forged);
  office.run_for(2s);
  const auto phones = office.pbx().phones(alice.number());
  ASSERT_EQ(phones.size(), 1U) << office.ladder();
  EXPECT_EQ(phones[0].flow.remote, alice.endpoint()) << office.ladder();
}

TEST(Registration, WithSha256AloneOrBeforeMd5) {
  for (const auto& algorithms :
       {std::vector{model::DigestAlgorithm::kSha256},
        std::vector{model::DigestAlgorithm::kSha256, model::DigestAlgorithm::kMd5}}) {
    auto settings = World::office_settings();
    settings.digest_algorithms = algorithms;
    World office{Seed{15}, settings};
    auto [alice, bob] = office.phones("alice", "bob");
    ASSERT_TRUE(alice.is_registered() && bob.is_registered()) << office.ladder();
    talk(office, alice, bob);
    expect_clean(office);
  }
}

TEST(Registration, SeveralPhonesOfOneExtensionComeAndGo) {
  World office{Seed{5}};
  auto [alice] = office.phones("alice");
  Phone& desk = office.another_phone_of(alice, "desk");
  Phone& mobile = office.another_phone_of(alice, "mobile");
  EXPECT_EQ(office.pbx().phones(alice.number()).size(), 3U) << office.ladder();
  desk.unregisters();
  ASSERT_TRUE(office.until([&] { return office.pbx().phones(alice.number()).size() == 2; }))
      << office.ladder();
  EXPECT_TRUE(office.until([&] { return !desk.is_registered(); }, 1s)) << office.ladder();
  mobile.unregisters(true);
  EXPECT_TRUE(office.until([&] { return office.pbx().phones(alice.number()).empty(); })) << office.ladder();
  office.run_for(1s);
  EXPECT_TRUE(office.pbx().store().bindings().empty());
}

TEST(Registration, APhoneThatRebootsReplacesItsOldContact) {
  World office{Seed{6}};
  auto [alice, bob] = office.phones("alice", "bob");
  for (int i = 0; i < 3; ++i) {
    alice.reboots();
    ASSERT_TRUE(office.until([&] { return alice.is_registered(); })) << office.ladder();
  }
  EXPECT_EQ(office.pbx().phones(alice.number()).size(), 1U) << office.ladder();
  talk(office, bob, alice);
  expect_conversation(office, alice, bob);
  expect_clean(office);
}

TEST(Registration, TooShortAnExpiryIsRefusedAndThePhoneAsksForMore) {
  World office{Seed{7}};
  Phone& alice = office.phone("alice", Habits{.register_expires = 10});
  EXPECT_TRUE(office.until([&] { return alice.is_registered(); }, 10s)) << office.ladder();
  EXPECT_EQ(alice.habits().register_expires, office.pbx().settings().registration_min_s);
}

TEST(Registration, WhatIsNotRefreshedIsForgotten) {
  World office{Seed{8}};
  auto [alice, bob] = office.phones("alice", "bob");
  alice.dies();
  office.run_for(599s);
  EXPECT_EQ(office.pbx().phones(alice.number()).size(), 1U);
  office.run_for(3s);
  EXPECT_EQ(office.pbx().phones(alice.number()).size(), 0U);
  EXPECT_EQ(office.pbx().store().bindings().size(), 1U);
  bob.dials(alice);
  EXPECT_TRUE(office.until([&] { return bob.is_idle(); }, 5s)) << office.ladder();
  EXPECT_EQ(bob.ended_with(), 480) << office.ladder();
  expect_clean(office);
}

TEST(Registration, AContactDiesWithItsConnectionAfterAShortGrace) {
  World office{Seed{9}};
  auto [bob] = office.phones("bob");
  Phone& alice = office.phone("alice", Habits{.transport = sip::Transport::kTcp});
  ASSERT_TRUE(office.until([&] { return alice.is_registered(); })) << office.ladder();
  alice.dies();
  office.network().cuts_streams_of(alice);
  office.run_for(office.pbx().settings().connection_grace + 1s);
  EXPECT_EQ(office.pbx().phones(alice.number()).size(), 0U) << office.ladder();
  bob.dials(alice);
  EXPECT_TRUE(office.until([&] { return bob.is_idle(); }, 5s)) << office.ladder();
  EXPECT_EQ(bob.ended_with(), 480);
}

TEST(Registration, AConnectionThatComesBackKeepsThePhoneReachable) {
  World office{Seed{10}};
  auto [bob] = office.phones("bob");
  Phone& alice = office.phone("alice", Habits{.transport = sip::Transport::kTcp});
  ASSERT_TRUE(office.until([&] { return alice.is_registered(); })) << office.ladder();
  alice.loses_connection();
  office.run_for(20s);
  ASSERT_TRUE(alice.is_registered()) << office.ladder();
  EXPECT_EQ(office.pbx().phones(alice.number()).size(), 1U);
  talk(office, bob, alice);
  expect_conversation(office, alice, bob);
  expect_clean(office);
}

TEST(Registration, IsKeptOverARestartSoThatPhonesCanBeCalledAtOnce) {
  World office{Seed{11}};
  auto [alice, bob] = office.phones("alice", "bob");
  office.run_for(1s);
  office.pbx().crashes();
  office.run_for(2s);
  office.pbx().starts();
  EXPECT_EQ(office.pbx().status().registered_contacts, 2U);
  talk(office, alice, bob);
  expect_conversation(office, alice, bob);
  expect_clean(office);
}

TEST(Registration, WhoGuessesPasswordsIsIgnoredForAWhile) {
  World office{Seed{12}};
  auto [alice] = office.phones("alice");
  Phone& mallory = office.stranger("mallory", alice.number(), "guess");
  for (int i = 0; i < 8; ++i) {
    mallory.registers();
    office.run_for(2s);
  }
  const auto before = office.tape().count("SIP/2.0", office.pbx().ip(), mallory.ip());
  mallory.habits().password = alice.habits().password;  // even the right one does not help now
  mallory.registers();
  office.run_for(10s);
  EXPECT_FALSE(mallory.is_registered()) << office.ladder(60);
  EXPECT_EQ(office.tape().count("SIP/2.0", office.pbx().ip(), mallory.ip()), before)
      << "the source is ignored";
  office.run_for(office.pbx().settings().rate_limit.lockout);
  mallory.registers();
  EXPECT_TRUE(office.until([&] { return mallory.is_registered(); }, 30s)) << office.ladder(60);
}

TEST(Registration, AGuesserElsewhereDoesNotLockTheOwnerOut) {
  World office{Seed{13}};
  auto [alice] = office.phones("alice");
  Phone& mallory = office.stranger("mallory", alice.number(), "guess");
  for (int i = 0; i < 20; ++i) {
    mallory.registers();
    office.run_for(1s);
  }
  alice.registers();
  office.run_for(5s);
  EXPECT_TRUE(alice.is_registered()) << office.ladder(60);
}

TEST(Registration, ItIsOverWhenThePasswordIsAnother) {
  World office{Seed{14}};
  auto [alice, bob] = office.phones("alice", "bob");
  office.change_extension(alice, [](model::Extension& e) { e.ring_seconds = 7; });
  EXPECT_EQ(office.pbx().phones(alice.number()).size(), 1U) << "other wishes end nothing";
  office.change_extension(alice, [](model::Extension& e) {
    e.credentials.ha1_md5 = e.credentials.ha1_sha256 = Secret<std::string>{"another"};
  });
  EXPECT_TRUE(office.pbx().phones(alice.number()).empty());
  EXPECT_EQ("offline", office.presence_of(alice.number()));
  bob.dials(alice);
  office.run_for(10s);
  EXPECT_FALSE(alice.is_ringing()) << office.ladder();
  alice.registers();
  office.run_for(10s);
  EXPECT_TRUE(office.pbx().phones(alice.number()).empty()) << "it still shows the old password";
  EXPECT_EQ(office.pbx().store().bindings().size(), 1U);
  expect_clean(office);
}

TEST(Registration, GarbageIsSurvived) {
  World office{Seed{14}};
  auto [alice, bob] = office.phones("alice", "bob");
  Phone& mallory = office.stranger("mallory", "1999", "");
  const auto captured = office.tape().last("REGISTER", alice.ip());
  SeededRng rng{14};
  for (int i = 0; i < 300; ++i) {
    std::string bytes = i % 2 == 0 ? *captured : std::string(rng.below(300), ' ');
    for (std::uint64_t k = 0; k < 1 + rng.below(20) && !bytes.empty(); ++k) {
      bytes[rng.below(bytes.size())] = static_cast<char>(rng.below(256));
    }
    mallory.sends_raw(std::move(bytes));
    office.run_for(10ms);
  }
  talk(office, alice, bob);
  expect_conversation(office, alice, bob);
  expect_clean(office);
}

}  // namespace
}  // namespace bw::scenario
