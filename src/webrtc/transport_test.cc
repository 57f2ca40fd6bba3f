#include "webrtc/transport.h"

#include "webrtc/transport_fixture.h"

namespace bw::webrtc {
namespace {

TEST_F(BrowserConnection, ConnectsAndCarriesMediaBothWays) {
  connects();
  EXPECT_EQ(browser.mapped(), wifi);
  ASSERT_NE(transport.target(), nullptr);
  EXPECT_EQ(*transport.target(), path(wifi));
  EXPECT_TRUE(takes(wifi, browser.sealed(1)));
  Bytes packet(12 + 80, 1);
  rtp::write_header({false, 111, 7, 960, 0xcafe}, packet);
  packet.resize(packet.size() + rtp::kSrtpTailRoom);
  packet.resize(transport.protect_rtp(packet, 92).value());
  browser.receive(wifi, packet, now);
  ASSERT_EQ(browser.heard.size(), 1U);
  EXPECT_EQ(browser.heard[0].second.size(), 92U);
}

TEST_F(BrowserConnection, ConnectsInTheOtherRoleToo) {
  remote.our_role = DtlsRole::kClient;
  browser.set_remote({ours, {context.fingerprint()}, DtlsRole::kServer});
  connects();
  EXPECT_TRUE(takes(wifi, browser.sealed(1)));
}

class LossyConnection : public BrowserConnection, public ::testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Seeds, LossyConnection, ::testing::Range(1, 21));

TEST_P(LossyConnection, ConnectsThoughAFifthOfAllPacketsIsLost) {
  rng = SeededRng{static_cast<std::uint64_t>(GetParam())};
  loss_percent = 20;
  tell(Transport::SetRemote{remote});
  for (int i = 0; i < 100 && of<Transport::Connected>().empty(); ++i) {
    browser.check(wifi, true);
    pass(200ms);
  }
  EXPECT_EQ(of<Transport::Connected>().size(), 1U);
  pass(5s);
  ASSERT_TRUE(browser.connected());
  EXPECT_TRUE(takes(wifi, browser.sealed(1)));
}

// The check overtakes the browser's answer: the handshake begins with what came before it.
TEST_F(BrowserConnection, AHandshakeThatComesBeforeTheDescriptionIsNotLost) {
  browser.check(wifi, true);
  pass(50ms);
  ASSERT_FALSE(browser.connected());
  const Instant described = now;
  tell(Transport::SetRemote{remote});
  pass(60ms);
  EXPECT_TRUE(browser.connected());
  EXPECT_LT(now - described, DtlsEndpoint::kPatience);
}

TEST_F(BrowserConnection, AWrongPasswordOrFragmentOpensNoWay) {
  tell(Transport::SetRemote{remote});
  IceCredentials wrong = ours;
  wrong.password = Secret<std::string>{"not-the-password-of-ours"};
  browser.set_remote({wrong, {context.fingerprint()}, DtlsRole::kClient});
  browser.check(wifi, true);
  wrong = ours;
  wrong.ufrag = "other";
  browser.set_remote({wrong, {context.fingerprint()}, DtlsRole::kClient});
  browser.check(wifi, true);
  pass(1s);
  EXPECT_EQ(browser.errors(), (std::vector<std::uint16_t>{401, 401}));
  EXPECT_FALSE(transport.ice().knows(path(wifi)));
  EXPECT_EQ(transport.counters().checks_refused, 2U);
  EXPECT_TRUE(told.empty());
  // Nor does a fragment of theirs that their description did not name.
  browser.set_remote({ours, {context.fingerprint()}, DtlsRole::kClient});
  remote.ice.ufrag = "else";
  tell(Transport::SetRemote{remote});
  browser.check(wifi, true);
  pass(1s);
  EXPECT_EQ(browser.errors().back(), 401);
}

TEST_F(BrowserConnection, ARefusalTellsAStrangerNothingItCouldUse) {
  const stun::TransactionId id{1};
  arrives(stranger, stun::Writer{stun::Class::kRequest, id}.fingerprint().take());
  arrives(stranger, stun::Writer{stun::Class::kRequest, id}.text(stun::Type::kUsername, "a:b").take());
  arrives(stranger, stun::Writer{stun::Class::kSuccess, id}.mapped_address(stranger).fingerprint().take());
  EXPECT_EQ(sent, 2U) << "an answer gets no answer";
  EXPECT_FALSE(transport.ice().knows(path(stranger)));
}

TEST_F(BrowserConnection, AWrongCertificateGetsNoMediaAndIsSaidInWords) {
  remote.fingerprints[0].digest[0] ^= 1;
  tell(Transport::SetRemote{remote});
  browser.check(wifi, true);
  pass(1s);
  EXPECT_FALSE(browser.connected());
  ASSERT_EQ(of<Transport::Ended>().size(), 1U);
  EXPECT_TRUE(of<Transport::Ended>()[0].failed);
  EXPECT_EQ(of<Transport::Ended>()[0].sentence,
            "the browser's media connection failed: the certificate is not the one its fingerprint promised");
  EXPECT_TRUE(of<Transport::Connected>().empty());
  EXPECT_EQ(transport.target(), nullptr);
}

TEST_F(BrowserConnection, ReplaysStrangersAndForgeriesAreRefusedAndCounted) {
  connects();
  const Bytes packet = browser.sealed(1);
  ASSERT_TRUE(takes(wifi, packet));
  EXPECT_FALSE(takes(wifi, packet));
  EXPECT_FALSE(takes(stranger, browser.sealed(2)));
  Bytes forged = browser.sealed(3);
  forged[20] ^= 1;
  EXPECT_FALSE(takes(wifi, forged));
  EXPECT_EQ(transport.counters().media_refused, 2U);
  EXPECT_EQ(transport.counters().media_strangers, 1U);
  EXPECT_TRUE(takes(wifi, browser.sealed(4)));
}

TEST_F(BrowserConnection, AThousandRogueClientHellosCostNoHandshake) {
  tell(Transport::SetRemote{remote});
  DtlsContext rogue = test_context();
  for (int i = 0; i < 1'000; ++i) {
    DtlsEndpoint hello{rogue, DtlsRole::kClient, {context.fingerprint()}, now};
    const Endpoint from{stranger.ip, static_cast<std::uint16_t>(1024 + i)};
    while (auto datagram = hello.poll()) arrives(from, *datagram);
  }
  EXPECT_EQ(transport.counters().dtls_strangers, 1'000U);
  EXPECT_EQ(sent, 0U);
  browser.check(wifi, true);
  pass(1s);
  EXPECT_TRUE(browser.connected());
}

TEST_F(BrowserConnection, MediaFollowsANewNominationAndOldWaysStayOpen) {
  connects();
  browser.check(mobile, false);
  pass(100ms);
  EXPECT_EQ(*transport.target(), path(wifi)) << "checked, not nominated";
  EXPECT_TRUE(takes(mobile, browser.sealed(1)));
  browser.check(mobile, true);
  pass(100ms);
  EXPECT_EQ(*transport.target(), path(wifi)) << "nominated, not proven";
  EXPECT_TRUE(takes(wifi, browser.sealed(3)));
  EXPECT_EQ(*transport.target(), path(wifi)) << "what comes over another way proves nothing";
  EXPECT_TRUE(takes(mobile, browser.sealed(4)));
  EXPECT_EQ(*transport.target(), path(mobile));
  tell(Tick{});
  ASSERT_EQ(of<Transport::Moved>().size(), 1U);
  EXPECT_EQ(of<Transport::Moved>()[0].path, path(mobile));
  EXPECT_TRUE(takes(wifi, browser.sealed(2))) << "what was under way";
}

TEST_F(BrowserConnection, NominatingTheWayInUseIsNoMove) {
  tell(Transport::SetRemote{remote});
  browser.check(wifi, false);
  pass(100ms);
  browser.check(wifi, true);
  pass(1s);
  ASSERT_EQ(of<Transport::Connected>().size(), 1U);
  browser.check(wifi, true);
  pass(100ms);
  EXPECT_TRUE(of<Transport::Moved>().empty());
}

TEST_F(BrowserConnection, ARestartAnswersBothCredentialsUntilTheNewOnesAreUsed) {
  connects();
  const IceCredentials fresh{"freshfrag", Secret<std::string>{"fresh-password-of-22-and-more"}};
  tell(Transport::Restart{fresh});
  browser.check(wifi, true);
  pass(100ms);
  EXPECT_TRUE(browser.errors().empty()) << "the old ones are still good";
  tell(Transport::SetRemote{remote});
  browser.set_remote({fresh, {context.fingerprint()}, DtlsRole::kClient});
  browser.check(mobile, true);
  pass(100ms);
  EXPECT_TRUE(browser.errors().empty());
  EXPECT_EQ(*transport.target(), path(mobile));
  EXPECT_TRUE(takes(mobile, browser.sealed(1))) << "keys stay";
  browser.set_remote({ours, {context.fingerprint()}, DtlsRole::kClient});
  browser.check(wifi, true);
  pass(100ms);
  EXPECT_EQ(browser.errors(), std::vector<std::uint16_t>{401}) << "now they are not";
}

TEST_F(BrowserConnection, SilenceStopsMediaAndACheckBringsItBack) {
  connects();
  pass(14s);
  EXPECT_NE(transport.target(), nullptr);
  pass(2s);
  ASSERT_EQ(of<Transport::Silent>().size(), 1U);
  EXPECT_EQ(transport.target(), nullptr);
  pass(100s);
  EXPECT_EQ(of<Transport::Silent>().size(), 1U);
  browser.check(wifi, true);
  pass(100ms);
  EXPECT_EQ(of<Transport::Heard>().size(), 1U);
  EXPECT_NE(transport.target(), nullptr);
}

// RFC 7675 §5.1: consent is that of one way, not of whoever sends checks from anywhere.
TEST_F(BrowserConnection, AWayThatIsSilentGetsNothingThoughAnotherIsChecked) {
  connects();
  browser.check(stranger, true);
  pass(100ms);
  takes(stranger, browser.sealed(1));  // of a browser that says it is where nobody is
  tell(Tick{});
  ASSERT_EQ(*transport.target(), path(stranger));
  for (int i = 0; i < 6; ++i) {
    browser.check(wifi, false);
    pass(3s);
  }
  ASSERT_NE(transport.target(), nullptr);
  EXPECT_EQ(*transport.target(), path(wifi));
  EXPECT_TRUE(of<Transport::Silent>().empty());
  ASSERT_EQ(of<Transport::Moved>().size(), 2U);
  EXPECT_EQ(of<Transport::Moved>().back().path, path(wifi));
}

TEST_F(BrowserConnection, AfterSilenceTheWayThatIsCheckedIsUsed) {
  connects();
  pass(20s);
  ASSERT_EQ(transport.target(), nullptr);
  browser.check(mobile, false);
  pass(100ms);
  ASSERT_NE(transport.target(), nullptr);
  EXPECT_EQ(*transport.target(), path(mobile));
  EXPECT_EQ(of<Transport::Heard>().size(), 1U);
  pass(14s);
  EXPECT_EQ(of<Transport::Silent>().size(), 1U) << "it is not asked of the old way any more";
}

TEST_F(BrowserConnection, ACopiedCheckOpensNoOtherWay) {
  connects();
  browser.check(wifi, true);
  const Bytes copied = browser.poll()->bytes;
  arrives(wifi, copied);
  arrives(stranger, copied);
  EXPECT_EQ(*transport.target(), path(wifi));
  EXPECT_FALSE(transport.ice().knows(path(stranger)));
  arrives(wifi, copied);  // sent again, as its answer was lost
  EXPECT_EQ(transport.counters().checks_refused, 1U);
}

// However old: no memory of checks is long enough for a call of hours.
TEST_F(BrowserConnection, AnOldCheckFromElsewhereMovesNothingWhileTheBrowserIsThere) {
  connects();
  const std::vector<Bytes> copied = checks_of_a_while(2500ms);
  const Bytes heard = browser.sealed(1);
  ASSERT_TRUE(takes(wifi, heard));
  arrives(stranger, copied[0]);
  EXPECT_FALSE(takes(stranger, heard)) << "copied, too";
  arrives(stranger, copied[1]);
  EXPECT_EQ(*transport.target(), path(wifi));
  EXPECT_TRUE(takes(wifi, browser.sealed(2)));
  EXPECT_EQ(*transport.target(), path(wifi));
  EXPECT_TRUE(of<Transport::Moved>().empty());
}

TEST_F(BrowserConnection, OldChecksOfABrowserThatIsGoneHaveVoiceForATimeOnly) {
  connects();
  const std::vector<Bytes> copied = checks_of_a_while(100ms);
  pass(10s);
  Duration heard{0};
  for (std::size_t i = 0; i < IceAgent::kMostSeen; ++i) {
    arrives({stranger.ip, static_cast<std::uint16_t>(1'000 + i / 8)}, copied[i]);
    pass(2s);
    if (transport.target() != nullptr) heard = heard + 2s;
  }
  EXPECT_LE(heard, 16s);
  EXPECT_NE(transport.report_target(), nullptr) << "a browser that is back may prove itself";
  browser.check(mobile, true);
  pass(100ms);
  ASSERT_TRUE(takes(mobile, browser.sealed(1)));
  ASSERT_NE(transport.target(), nullptr);
  EXPECT_EQ(*transport.target(), path(mobile));
  pass(14s);
  EXPECT_NE(transport.target(), nullptr);
}

// In no call a browser sends nothing but checks.
TEST_F(BrowserConnection, ABrowserThatSaysNothingMovesWhenItsOldWayIsQuiet) {
  connects();
  for (int i = 0; i < 4; ++i) {
    browser.check(mobile, true);
    pass(2500ms);
  }
  ASSERT_NE(transport.target(), nullptr);
  EXPECT_EQ(*transport.target(), path(mobile));
  EXPECT_TRUE(of<Transport::Silent>().empty());
}

TEST_F(BrowserConnection, ACheckThatComesTwiceKeepsNothingAlive) {
  connects();
  browser.check(wifi, true);
  const Bytes copied = browser.poll()->bytes;
  for (int i = 0; i < 10; ++i) {
    arrives(wifi, copied);
    pass(2s);
  }
  EXPECT_EQ(of<Transport::Silent>().size(), 1U);
  EXPECT_TRUE(of<Transport::Heard>().empty());
}

TEST_F(BrowserConnection, WhoCannotControlIsToldSo) {
  tell(Transport::SetRemote{remote});
  browser.check(wifi, true, false);
  pass(100ms);
  EXPECT_EQ(browser.errors(), std::vector<std::uint16_t>{487});
  EXPECT_FALSE(transport.ice().knows(path(wifi)));
}

TEST_F(BrowserConnection, AttributesThatMustBeUnderstoodAndAreNotAreNamed) {
  stun::Writer w{stun::Class::kRequest, {9}};
  w.text(stun::Type::kUsername, "oursfrag:them").text(static_cast<stun::Type>(0x7abc), "x");
  IceAgent agent{ours};
  const auto bytes = w.integrity(ours.password.reveal()).fingerprint().take();
  const auto answer = agent.check(*stun::Message::parse(bytes), path(wifi), now);
  const auto read = stun::Message::parse(answer.bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->error_code(), 420);
  EXPECT_TRUE(read->is_authentic(ours.password.reveal()));
  EXPECT_EQ(read->find(stun::Type::kUnknownAttributes)->size(), 2U);
  EXPECT_FALSE(answer.authentic);
}

TEST_F(BrowserConnection, WaysAreBoundedAndTheOneInUseIsNeverForgotten) {
  connects();
  for (std::uint16_t i = 0; i < 100; ++i) {
    browser.check({wifi.ip, static_cast<std::uint16_t>(1000 + i)}, false);
    pass(20ms);
  }
  EXPECT_TRUE(transport.ice().knows(path(wifi)));
  EXPECT_FALSE(transport.ice().knows(path({wifi.ip, 1000})));
  EXPECT_TRUE(transport.ice().knows(path({wifi.ip, 1099})));
}

TEST_F(BrowserConnection, AClosedStreamIsNoWayAnyMore) {
  tell(Transport::SetRemote{remote});
  const Path tcp{wifi, here, 5};
  browser.check(wifi, true);
  const auto out = browser.poll();
  tell(Transport::Received{tcp, out->bytes});
  EXPECT_TRUE(transport.ice().knows(tcp));
  EXPECT_FALSE(transport.ice().knows(path(wifi))) << "the same address over UDP is another way";
  tell(Transport::StreamGone{5});
  EXPECT_FALSE(transport.ice().knows(tcp));
}

TEST_F(BrowserConnection, AnotherCertificateInTheSameSessionEndsIt) {
  connects();
  remote.fingerprints = {context.fingerprint()};
  tell(Transport::SetRemote{remote});
  ASSERT_EQ(of<Transport::Ended>().size(), 1U);
  EXPECT_EQ(transport.target(), nullptr);
}

TEST_F(BrowserConnection, GoodbyesAreSaidAndHeard) {
  connects();
  browser.dtls()->close(now);
  const auto notify = browser.dtls()->poll();
  ASSERT_TRUE(notify);
  arrives(wifi, *notify);
  ASSERT_EQ(of<Transport::Ended>().size(), 1U);
  EXPECT_FALSE(of<Transport::Ended>()[0].failed);
  EXPECT_FALSE(takes(wifi, browser.sealed(1)));
}

TEST_F(BrowserConnection, ClosingTellsTheBrowser) {
  connects();
  tell(Transport::Close{});
  pass(100ms);
  EXPECT_EQ(browser.dtls()->state(), DtlsEndpoint::State::kEnded);
  EXPECT_EQ(transport.target(), nullptr);
  EXPECT_EQ(transport.deadline().at, Instant::far_future());
}

}  // namespace
}  // namespace bw::webrtc
