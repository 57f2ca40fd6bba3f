// Who may redirect or disturb a call, and who may not (RTPbleed, SRTP, garbage).
#include "media/plane_fixture.h"

namespace bw::media {
namespace {

class Strangers : public Plane {};
class LatePhones : public Plane {};
class Reinvite : public Plane {};
class Secured : public Plane {};
class Garbage : public Plane {};

TEST_F(Strangers, InTheMiddleOfACallNeitherRedirectNorDisturb) {
  call();
  talks(kAlicePort, alice, alices, 10);
  talks(kBobPort, bob, bobs, 10);
  EXPECT_EQ(talks(kAlicePort, stranger, strangers, 50).passed, 0);
  EXPECT_EQ(arrives(kBobPort, bob, bobs.next()).value().to, alice);
  EXPECT_EQ(relay.quality(kAlice)->packets_refused, 50U);
  EXPECT_EQ(relay.quality(kAlice)->packets_received, 10U);
  EXPECT_EQ(relay.quality(kAlice)->packets_lost, 0U);
}

TEST_F(Strangers, WithTheRightSsrcAndSequenceAreStillStrangers) {
  call();
  talks(kAlicePort, alice, alices, 10);
  Voice mimic = alices;
  EXPECT_EQ(talks(kAlicePort, stranger, mimic, 50).passed, 0);
  EXPECT_EQ(arrives(kBobPort, bob, bobs.next()).value().to, alice);
}

TEST_F(Strangers, WhoRaceToACallsStartLoseToTheSignalledAddress) {
  call();
  talks(kAlicePort, stranger, strangers, 10);  // nobody vouches for them, but nobody else is there
  EXPECT_EQ(arrives(kBobPort, bob, bobs.next()).value().to, stranger) << "a guess, while the window is open";
  EXPECT_TRUE(arrives(kAlicePort, alice, alices.next()));
  EXPECT_EQ(arrives(kBobPort, bob, bobs.next()).value().to, alice);
  EXPECT_EQ(talks(kAlicePort, stranger, strangers, 50).passed, 0);
}

TEST_F(Strangers, NeverHearACallWhoseSipAddressSpeaksForTheRealPeer) {
  call();
  SetPeer behind_nat = peer(kAlice, at("10.0.0.5:4000"));
  behind_nat.sip_source = IpAddress::parse("192.0.2.1");
  tell(behind_nat);
  Voice& theirs = strangers;
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(arrives(kAlicePort, stranger, theirs.next()));
    EXPECT_NE(arrives(kBobPort, bob, bobs.next()).value().to, stranger);
    pass(20ms);
  }
  EXPECT_GE(talks(kAlicePort, alice, alices, 3).passed, 2) << "two in a row from the SIP address are enough";
  EXPECT_EQ(arrives(kBobPort, bob, bobs.next()).value().to, alice);
  EXPECT_EQ(talks(kAlicePort, stranger, theirs, 20).passed, 0);
}

TEST_F(Strangers, WhoFloodWhileTheRealPeerTalksInterruptEachOtherAndNobodyIsLearned) {
  tell(OpenLeg{kAlice, {0, kAlicePort}});
  tell(OpenLeg{kBob, {0, kBobPort}});
  tell(peer(kAlice, at("10.0.0.5:4000")));
  tell(peer(kBob, bob));
  tell(Connect{kAlice, kBob});
  for (int i = 0; i < 100; ++i) {
    arrives(kAlicePort, alice, alices.next());
    for (int flood = 0; flood < 20; ++flood) {
      EXPECT_FALSE(arrives(kAlicePort, stranger, strangers.next()));
      pass(1ms);
    }
    EXPECT_EQ(arrives(kBobPort, bob, bobs.next()).value().to, at("10.0.0.5:4000"));
  }
}

TEST_F(Strangers, AreToldOfOnceWhenThePhonesOwnVoiceComesFromElsewhere) {
  call();
  SetPeer signed_in = peer(kAlice, at("192.0.2.5:4000"));
  signed_in.sip_source = IpAddress::parse("192.0.2.5");
  tell(signed_in);
  const Endpoint elsewhere = at("192.0.2.6:4000");
  EXPECT_EQ(talks(kAlicePort, elsewhere, alices, 24).passed, 0);
  EXPECT_TRUE(events_of<StrangersRefused>().empty()) << "a few packets are no news";
  EXPECT_EQ(talks(kAlicePort, elsewhere, alices, 100).passed, 0);
  const auto told = events_of<StrangersRefused>();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].leg, kAlice);
  EXPECT_EQ(told[0].from, elsewhere);
  EXPECT_EQ(told[0].expected, at("192.0.2.5:4000"));
  EXPECT_FALSE(told[0].heard);
  EXPECT_EQ(relay.counters().refused, 124U);
}

TEST_F(Strangers, AreNotToldOfWhileTheirPacketsMayStillBeThePhones) {
  call();
  tell(peer(kAlice, at("10.0.0.5:4000")));  // who signs in is not known: it is learned within the window
  talks(kAlicePort, alice, alices, 100);
  EXPECT_TRUE(events_of<StrangersRefused>().empty());
}

TEST_F(Strangers, OnTheHostOfTheServerAreThePhoneIfThatLivesThereToo) {
  const auto home = [] {
    SetPeer set = peer(kAlice, at("192.0.2.5:4000"));
    set.sip_source = IpAddress::parse("192.0.2.5");
    set.same_host = {*IpAddress::parse("192.0.2.5"), *IpAddress::parse("192.0.2.6")};
    return set;
  };
  for (const char* from : {"192.0.2.6:4000", "127.0.0.1:9000"}) {
    call();
    tell(home());
    EXPECT_EQ(talks(kAlicePort, at(from), alices, 10).passed, 6) << from << ": five in a row";
    EXPECT_EQ(arrives(kBobPort, bob, bobs.next()).value().to, at(from));
    EXPECT_TRUE(arrives(kAlicePort, at("192.0.2.5:4000"), alices.next())) << "what was signalled is better";
    EXPECT_EQ(arrives(kBobPort, bob, bobs.next()).value().to, at("192.0.2.5:4000"));
    EXPECT_EQ(talks(kAlicePort, at("192.0.2.7:4000"), strangers, 30).passed, 0) << "another host";
    tell(CloseLeg{kAlice});
    tell(CloseLeg{kBob});
    pass(3s);
  }
}

TEST_F(Strangers, FiguresOfALegAreToldWhileItTalks) {
  call();
  talks(kAlicePort, alice, alices, 100);
  const auto told = events_of<LegFigures>();
  ASSERT_GE(told.size(), 1U) << "within two seconds";
  EXPECT_EQ(told[0].leg, kAlice) << "nothing came from Bob";
  EXPECT_GT(told[0].quality.packets_received, 20U);
  EXPECT_GT(told[0].quality.mos.value_or(0), 4);
  talks(kAlicePort, alice, alices, 500);
  EXPECT_GE(events_of<LegFigures>().size(), told.size() + 1);
  tell(CloseLeg{kAlice});
  const auto last = events_of<LegFigures>().size();
  pass(20s);
  EXPECT_EQ(events_of<LegFigures>().size(), last);
}

TEST_F(Strangers, WithABurstOfPacketsAreNotAStream) {
  call();
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(arrives(kAlicePort, stranger, strangers.next()));
}

TEST_F(Strangers, WithJumpingNumbersAreNotAStream) {
  call();
  for (int i = 0; i < 100; ++i) {
    strangers.sequence = static_cast<std::uint16_t>(strangers.sequence + 1000);
    EXPECT_FALSE(arrives(kAlicePort, stranger, strangers.next()));
    pass(20ms);
  }
}

TEST_F(Strangers, CannotSendReportsIntoACall) {
  call();
  talks(kAlicePort, alice, alices, 5);
  Bytes rr(128);
  rr.resize(rtp::write_report({0xbad, std::nullopt, {}, "x"}, rr));
  EXPECT_FALSE(arrives(kAlicePort + 1, stranger, rr));
  EXPECT_FALSE(arrives(kAlicePort, stranger, rr));
  EXPECT_TRUE(arrives(kAlicePort + 1, at("192.0.2.1:61000"), rr)) << "the address of the voice, other port";
  EXPECT_FALSE(arrives(kAlicePort + 1, at("192.0.2.1:61001"), rr)) << "held after the first one";
  EXPECT_TRUE(arrives(kAlicePort + 1, at("192.0.2.1:4001"), rr)) << "the signalled one is always right";
}

TEST_F(LatePhones, BehindANatAreLearnedAfterAFewPacketsInARow) {
  call();
  const Endpoint outside = at("192.0.2.200:31000");
  pass(3s);
  const auto heard = talks(kAlicePort, outside, alices, 10);
  EXPECT_EQ(heard.passed, 6) << "the fifth in a row is believed";
  EXPECT_EQ(arrives(kBobPort, bob, bobs.next()).value().to, outside);
}

TEST_F(LatePhones, AreNotLearnedAnyMoreWhenTheWindowIsClosed) {
  call();
  pass(5s);
  EXPECT_EQ(talks(kAlicePort, at("192.0.2.200:31000"), alices, 100).passed, 0);
  EXPECT_EQ(talks(kAlicePort, alice, alices, 1).passed, 1) << "the signalled address always is";
}

TEST_F(LatePhones, OfACallThatRangForAMinuteStillHaveTheirWindowWhenItIsAnswered) {
  tell(OpenLeg{kAlice, {0, kAlicePort}});
  tell(peer(kAlice, at("10.0.0.5:4000")));
  pass(60s);
  tell(OpenLeg{kBob, {0, kBobPort}});
  tell(peer(kBob, bob));
  tell(Connect{kAlice, kBob});
  EXPECT_EQ(talks(kAlicePort, alice, alices, 10).passed, 6);
}

TEST_F(LatePhones, OnASecondNatAddressAreLearnedOnceTheSipAddressStayedSilent) {
  call();
  SetPeer behind_nat = peer(kAlice, at("10.0.0.5:4000"));
  behind_nat.sip_source = IpAddress::parse("192.0.2.1");
  tell(behind_nat);
  const Endpoint pool = at("192.0.2.77:31000");
  EXPECT_EQ(talks(kAlicePort, pool, alices, 100).passed, 0);
  EXPECT_GT(talks(kAlicePort, pool, alices, 100).passed, 0);
}

TEST_F(LatePhones, OnceVouchedForAreNotMovedByALatePacketFromTheirPrivateAddress) {
  call();
  SetPeer behind_nat = peer(kAlice, at("10.0.0.5:4000"));
  behind_nat.sip_source = alice.ip;
  tell(behind_nat);
  talks(kAlicePort, alice, alices, 10);
  pass(6s);
  EXPECT_FALSE(arrives(kAlicePort, at("10.0.0.5:4000"), strangers.next()));
  EXPECT_EQ(arrives(kBobPort, bob, bobs.next()).value().to, alice);
}

TEST_F(Strangers, NeverHearASilentPhoneThatIsNotBehindANat) {
  call();
  SetPeer direct = peer(kAlice, at("192.0.2.1:4444"));
  direct.sip_source = IpAddress::parse("192.0.2.1");
  tell(direct);
  EXPECT_EQ(talks(kAlicePort, stranger, strangers, 500).passed, 0);
  EXPECT_EQ(arrives(kBobPort, bob, bobs.next()).value().to, at("192.0.2.1:4444"));
}

TEST_F(Strangers, WhoWereTakenForASilentPhoneGiveWayWheneverItSpeaks) {
  call();
  talks(kAlicePort, stranger, strangers, 10);
  pass(60s);
  EXPECT_TRUE(arrives(kAlicePort, alice, alices.next()));
  EXPECT_EQ(arrives(kBobPort, bob, bobs.next()).value().to, alice);
  EXPECT_EQ(talks(kAlicePort, stranger, strangers, 50).passed, 0);
}

TEST_F(Reinvite, WithANewAddressStartsAfresh) {
  call();
  talks(kAlicePort, alice, alices, 10);
  pass(60s);
  const Endpoint moved = at("192.0.2.50:4400");
  tell(peer(kAlice, moved));
  EXPECT_EQ(arrives(kBobPort, bob, bobs.next()).value().to, moved) << "at once, before it spoke";
  EXPECT_FALSE(arrives(kAlicePort, alice, alices.next())) << "the old address is a stranger now";
  EXPECT_TRUE(arrives(kAlicePort, moved, alices.next()));
}

TEST_F(Reinvite, WithTheSameAddressKeepsWhatWasLearnedAndOpensNoWindow) {
  call();
  const Endpoint outside = at("192.0.2.200:31000");
  talks(kAlicePort, outside, alices, 10);
  pass(60s);
  tell(peer(kAlice, alice));
  EXPECT_EQ(arrives(kBobPort, bob, bobs.next()).value().to, outside);
  EXPECT_EQ(talks(kAlicePort, stranger, strangers, 50).passed, 0);
  EXPECT_TRUE(arrives(kAlicePort, outside, alices.next()));
}

struct Cipher {
  explicit Cipher(const SrtpKey& key, rtp::SrtpSession::Role role)
      : session(rtp::SrtpSession::make(role,
                                       key.suite == SrtpSuite::kAeadAes128Gcm
                                           ? rtp::SrtpSuite::kAeadAes128Gcm
                                           : rtp::SrtpSuite::kAesCm128HmacSha1_80,
                                       key.master.reveal())
                    .value()) {}
  Bytes lock(Bytes bytes) {
    const auto size = bytes.size();
    bytes.resize(size + kTailRoom);
    bytes.resize(session.protect_rtp(bytes, size).value());
    return bytes;
  }
  std::optional<Bytes> unlock(Bytes bytes) {
    const auto size = session.unprotect_rtp(bytes, bytes.size());
    if (!size) return std::nullopt;
    bytes.resize(*size);
    return bytes;
  }
  rtp::SrtpSession session;
};

constexpr auto kLocks = rtp::SrtpSession::Role::kSend;
constexpr auto kUnlocks = rtp::SrtpSession::Role::kReceive;

SetPeer secure(SetPeer command, const SrtpKey& theirs, const SrtpKey& ours) {
  command.receive = theirs;
  command.send = ours;
  return command;
}

TEST_F(Secured, APhoneWithSrtpTalksWithOneWithout) {
  for (const auto suite : {SrtpSuite::kAesCm128HmacSha1_80, SrtpSuite::kAeadAes128Gcm}) {
    call();
    const auto theirs = key_of('a', suite);
    const auto ours = key_of('b', suite);
    tell(secure(peer(kAlice, alice), theirs, ours));
    Cipher lock{theirs, kLocks};
    Cipher unlock{ours, kUnlocks};
    const Bytes said = alices.next();
    auto sent = arrives(kAlicePort, alice, lock.lock(said));
    ASSERT_TRUE(sent);
    EXPECT_EQ(Bytes(sent->bytes.begin() + 12, sent->bytes.end()), Bytes(said.begin() + 12, said.end()));
    const Bytes answer = bobs.next();
    sent = arrives(kBobPort, bob, answer);
    ASSERT_TRUE(sent);
    EXPECT_NE(sent->bytes.size(), answer.size());
    const auto heard = unlock.unlock(sent->bytes);
    ASSERT_TRUE(heard);
    EXPECT_EQ(Bytes(heard->begin() + 12, heard->end()), Bytes(answer.begin() + 12, answer.end()));
    tell(CloseLeg{kAlice});
    tell(CloseLeg{kBob});
  }
}

TEST_F(Secured, NothingInTheClearPassesAndNothingLeavesWithKeysThatDoNotFit) {
  call();
  tell(secure(peer(kAlice, alice), key_of('a'), key_of('b')));
  EXPECT_FALSE(arrives(kAlicePort, alice, alices.next()));
  EXPECT_EQ(relay.quality(kAlice)->packets_refused, 1U);
  SrtpKey short_key = key_of('c');
  short_key.master = Secret{std::string("short")};
  tell(secure(peer(kAlice, alice), key_of('a'), short_key));
  EXPECT_FALSE(arrives(kBobPort, bob, bobs.next()));
}

TEST_F(Secured, AReinviteWithTheSameKeysKeepsTheReplayList) {
  call();
  const auto keys = secure(peer(kAlice, alice), key_of('a'), key_of('b'));
  tell(keys);
  Cipher lock{key_of('a'), kLocks};
  const Bytes recorded = lock.lock(alices.next());
  EXPECT_TRUE(arrives(kAlicePort, alice, recorded));
  tell(keys);
  EXPECT_FALSE(arrives(kAlicePort, alice, recorded)) << "a recording played again";
  EXPECT_TRUE(arrives(kAlicePort, alice, lock.lock(alices.next())));
}

TEST_F(Secured, AnAuthenticPacketNamesItsSourceAtOnceAndAForgedOneFromTheSignalledAddressDoesNot) {
  call();
  tell(secure(peer(kAlice, at("10.0.0.5:4000")), key_of('a'), key_of('b')));
  Cipher lock{key_of('a'), kLocks};
  EXPECT_FALSE(arrives(kAlicePort, at("10.0.0.5:4000"), Cipher{key_of('x'), kLocks}.lock(strangers.next())));
  EXPECT_TRUE(arrives(kAlicePort, alice, lock.lock(alices.next())));
  EXPECT_EQ(arrives(kBobPort, bob, bobs.next()).value().to, alice);
}

TEST_F(Secured, APeerThatChangesItsSsrcForeverIsStopped) {
  call();
  tell(secure(peer(kAlice, alice), key_of('a'), key_of('b')));
  int passed = 0;
  for (std::uint32_t ssrc = 1; ssrc <= 1000; ++ssrc) {
    Voice voice{.ssrc = ssrc};
    passed += arrives(kBobPort, bob, voice.next()) ? 1 : 0;
  }
  EXPECT_EQ(passed, 32);
}

TEST_F(Garbage, IsDroppedAndCounted) {
  call();
  const std::vector<Bytes> garbage{{},
                                   {0x80},
                                   Bytes(11, 0x80),
                                   Bytes(172, 0x00),
                                   Bytes(172, 0x40),
                                   Bytes(172, 0xff),
                                   Bytes{0x8f, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}};
  for (const Bytes& bytes : garbage) {
    EXPECT_FALSE(arrives(kAlicePort, alice, bytes));
    EXPECT_FALSE(arrives(kAlicePort + 1, alice, bytes));
  }
  const auto q = relay.quality(kAlice);
  EXPECT_EQ(q->packets_received, 0U);
  EXPECT_EQ(relay.counters().malformed + q->packets_refused, 2 * garbage.size());
  EXPECT_FALSE(arrives(9'000, alice, alices.next()));
  EXPECT_FALSE(arrives(10'100, alice, alices.next()));
  EXPECT_EQ(relay.counters().no_leg, 2U);
}

}  // namespace
}  // namespace bw::media
