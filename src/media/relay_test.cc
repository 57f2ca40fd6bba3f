#include "media/relay.h"

#include <algorithm>

#include "media/plane_fixture.h"

namespace bw::media {
namespace {

class Relaying : public Plane {};
class Learning : public Plane {};
class Closing : public Plane {};

TEST_F(Relaying, PacketsGoFromEachPeerToTheOtherUnchangedButForTheFirstMarker) {
  call();
  const Bytes first = alices.next();
  auto sent = arrives(kAlicePort, alice, first);
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->local_port, kBobPort);
  EXPECT_EQ(sent->to, bob);
  EXPECT_TRUE(sent->header().marker);
  const Bytes second = alices.next();
  sent = arrives(kAlicePort, alice, second);
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->bytes, second);
  sent = arrives(kBobPort, bob, bobs.next());
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->local_port, kAlicePort);
  EXPECT_EQ(sent->to, alice);
}

TEST_F(Relaying, AnIpv6PeerTalksWithAnIpv4Peer) {
  call();
  const Endpoint six = at("[2001:db8::7]:7000");
  tell(peer(kBob, six));
  EXPECT_EQ(arrives(kAlicePort, alice, alices.next()).value().to, six);
  EXPECT_EQ(arrives(kBobPort, six, bobs.next()).value().to, alice);
}

TEST_F(Relaying, AHeldLegIsCountedAndReachesNobody) {
  call();
  tell(Disconnect{kAlice});
  EXPECT_FALSE(arrives(kAlicePort, alice, alices.next()));
  EXPECT_FALSE(arrives(kBobPort, bob, bobs.next()));
  EXPECT_EQ(relay.quality(kAlice)->packets_received, 1U);
  EXPECT_EQ(relay.quality(kAlice)->packets_refused, 0U);
}

TEST_F(Relaying, ATransferLeavesTheOldPartnerAloneAndMarksTheNewStream) {
  call();
  talks(kAlicePort, alice, alices, 3);
  const MediaLegId carol{3};
  const Endpoint carols_phone = at("192.0.2.9:9000");
  tell(OpenLeg{carol, {0, 10'004}});
  tell(peer(carol, carols_phone));
  tell(Connect{carol, kAlice});
  const auto sent = arrives(kAlicePort, alice, alices.next());
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->to, carols_phone);
  EXPECT_TRUE(sent->header().marker) << "Carol's jitter buffer hears of a new talker";
  EXPECT_FALSE(arrives(kBobPort, bob, bobs.next())) << "Bob has left the conversation";
  EXPECT_EQ(arrives(10'004, carols_phone, Voice{.ssrc = 0xca401}.next()).value().to, alice);
}

TEST_F(Relaying, ConnectingAgainWhatIsConnectedChangesNothing) {
  call();
  talks(kAlicePort, alice, alices, 1);
  tell(Connect{kBob, kAlice});
  EXPECT_FALSE(arrives(kAlicePort, alice, alices.next())->header().marker);
}

TEST_F(Relaying, AnEchoComesBackUnderAnotherSsrc) {
  tell(OpenLeg{kAlice, {0, kAlicePort}});
  tell(peer(kAlice, alice));
  tell(Echo{kAlice});
  const Bytes said = alices.next();
  const auto heard = arrives(kAlicePort, alice, said);
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->to, alice);
  EXPECT_NE(heard->header().ssrc, alices.ssrc) << "or the phone sees a collision with itself";
  EXPECT_EQ(Bytes(heard->bytes.begin() + 12, heard->bytes.end()), Bytes(said.begin() + 12, said.end()));
}

TEST_F(Relaying, APeerOnHoldWithoutAnAddressGetsNothing) {
  call();
  tell(peer(kBob, at("0.0.0.0:5000")));
  EXPECT_FALSE(arrives(kAlicePort, alice, alices.next()));
  EXPECT_FALSE(arrives(kBobPort, bob, bobs.next()));
  tell(peer(kBob, bob));
  EXPECT_TRUE(arrives(kAlicePort, alice, alices.next()));
  EXPECT_TRUE(arrives(kBobPort, bob, bobs.next()));
}

TEST_F(Relaying, TheFirstPacketIsToldOnce) {
  call();
  talks(kAlicePort, alice, alices, 5);
  const auto started = events_of<MediaStarted>();
  ASSERT_EQ(started.size(), 1U);
  EXPECT_EQ(started[0].leg, kAlice);
  EXPECT_EQ(started[0].from, alice);
}

TEST_F(Relaying, AKeyPressIsOneDigitWhateverIsRepeatedAndIsStillPassedOn) {
  call();
  SetPeer with_digits = peer(kAlice, alice);
  with_digits.telephone_event = 101;
  tell(with_digits);
  int passed = 0;
  for (int i = 1; i <= 8; ++i) {
    Bytes packet(rtp::kHeaderBytes, 0);
    rtp::write_header({i == 1, 101, ++alices.sequence, alices.timestamp, alices.ssrc}, packet);
    const bool end = i > 5;
    const int duration = 160 * std::min(i, 6);
    packet.insert(packet.end(),
                  {5, static_cast<std::uint8_t>(end ? 0x8a : 0x0a), static_cast<std::uint8_t>(duration >> 8),
                   static_cast<std::uint8_t>(duration)});
    passed += arrives(kAlicePort, alice, packet) ? 1 : 0;
    pass(20ms);
  }
  EXPECT_EQ(passed, 8);
  pass(2s);
  const auto digits = events_of<DigitPressed>();
  ASSERT_EQ(digits.size(), 1U);
  EXPECT_EQ(digits[0].leg, kAlice);
  EXPECT_EQ(digits[0].digit, '5');
  EXPECT_EQ(digits[0].duration_ms, 120U);
}

TEST_F(Relaying, ADigitWhoseEndsAreAllLostIsReportedAfterAMoment) {
  call();
  SetPeer with_digits = peer(kAlice, alice);
  with_digits.telephone_event = 101;
  tell(with_digits);
  Bytes packet(rtp::kHeaderBytes, 0);
  rtp::write_header({true, 101, ++alices.sequence, alices.timestamp, alices.ssrc}, packet);
  packet.insert(packet.end(), {11, 0x0a, 0x01, 0x40});
  arrives(kAlicePort, alice, packet);
  EXPECT_TRUE(events_of<DigitPressed>().empty());
  pass(1s);
  ASSERT_EQ(events_of<DigitPressed>().size(), 1U);
  EXPECT_EQ(events_of<DigitPressed>()[0].digit, '#');
}

TEST_F(Relaying, WhoSendsMoreThanAPhoneCanIsNotPassedOnAndIsHeardAgainAfterwards) {
  call();
  constexpr int kHeldBackByTheNetwork = 250;  // five seconds of voice at once are no flood
  for (int i = 0; i < kHeldBackByTheNetwork; ++i) {
    ASSERT_TRUE(arrives(kAlicePort, alice, alices.next())) << i;
  }
  int passed = 0;
  for (int i = 0; i < 20'000; ++i) {
    passed += arrives(kAlicePort, alice, alices.next()) ? 1 : 0;
    if (i % 20 == 0) pass(1ms);
  }
  EXPECT_LE(passed, 250 + 500);
  EXPECT_EQ(relay.quality(kAlice)->packets_refused, 20'000U - static_cast<unsigned>(passed));
  EXPECT_TRUE(arrives(kBobPort, bob, bobs.next())) << "the other side has a pace of its own";
  pass(1s);
  EXPECT_EQ(talks(kAlicePort, alice, alices, 50).passed, 50);
}

TEST_F(Relaying, AFloodOfReportsIsNotPassedOn) {
  call();
  talks(kAlicePort, alice, alices, 1);
  rtp::OwnReport report;
  report.ssrc = alices.ssrc;
  report.cname = "alice";
  Bytes bytes(200);
  bytes.resize(rtp::write_report(report, bytes));
  const Endpoint from{alice.ip, static_cast<std::uint16_t>(alice.port + 1)};
  int passed = 0;
  for (int i = 0; i < 5'000; ++i) passed += arrives(kAlicePort + 1, from, bytes) ? 1 : 0;
  EXPECT_GE(passed, 400);
  EXPECT_LE(passed, 500);
}

TEST_F(Relaying, SilenceIsToldOnceAndWatchedAgainWhenThePeerIsBack) {
  call();
  tell(WatchSilence{kAlice, 8s});
  pass(5s);
  talks(kAlicePort, alice, alices, 10);
  pass(7s);
  EXPECT_TRUE(events_of<LegSilent>().empty());
  pass(2s);
  ASSERT_EQ(events_of<LegSilent>().size(), 1U);
  EXPECT_EQ(events_of<LegSilent>()[0].leg, kAlice);
  EXPECT_GE(events_of<LegSilent>()[0].silent_for, 8s);
  pass(60s);
  EXPECT_EQ(events_of<LegSilent>().size(), 1U);
  talks(kAlicePort, alice, alices, 1);
  pass(9s);
  EXPECT_EQ(events_of<LegSilent>().size(), 2U);
  tell(WatchSilence{kAlice, 0s});
  talks(kAlicePort, alice, alices, 1);
  pass(60s);
  EXPECT_EQ(events_of<LegSilent>().size(), 2U);
}

Bytes report(std::uint32_t ssrc, const std::optional<rtp::SenderInfo>& sender,
             const std::vector<rtp::ReportBlock>& blocks) {
  Bytes bytes(512);
  bytes.resize(rtp::write_report({ssrc, sender, blocks, "a@b"}, bytes));
  return bytes;
}

TEST_F(Relaying, ReportsAreRelayedAndTheRoundTripIsReadFromThem) {
  call();
  talks(kAlicePort, alice, alices, 1);
  talks(kBobPort, bob, bobs, 1);
  const auto ntp = rtp::NtpTime::of(now);
  const auto from_alice = report(alices.ssrc, rtp::SenderInfo{ntp, alices.timestamp, 1, 160}, {});
  auto sent = arrives(kAlicePort + 1, at("192.0.2.1:4001"), from_alice);
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->local_port, kBobPort + 1);
  EXPECT_EQ(sent->to, at("198.51.100.2:5001"));
  EXPECT_EQ(sent->bytes, from_alice);
  pass(1s + 42ms);  // Bob answers a second after he got it
  rtp::ReportBlock block;
  block.ssrc = alices.ssrc;
  block.last_sr = ntp.middle();
  block.delay_since_sr = 65'536;
  EXPECT_TRUE(arrives(kBobPort + 1, at("198.51.100.2:5001"), report(bobs.ssrc, std::nullopt, {block})));
  ASSERT_TRUE(relay.quality(kBob)->round_trip_ms);
  EXPECT_NEAR(*relay.quality(kBob)->round_trip_ms, 42.0, 0.1);
  EXPECT_FALSE(relay.quality(kAlice)->round_trip_ms);
}

TEST_F(Relaying, APeerWhosePartnerSendsNoReportsGetsOursAndItsAnswerGivesTheRoundTrip) {
  call();
  for (int i = 0; i < 550; ++i) {
    arrives(kAlicePort, alice, alices.next());
    talks(kBobPort, bob, bobs, 1);
  }
  ASSERT_EQ(reports.size(), 2U) << "one to each, after ten seconds without any";
  const auto to_bob = std::ranges::find(reports, kBobPort + 1, &Sent::local_port);
  ASSERT_NE(to_bob, reports.end());
  EXPECT_EQ(to_bob->to, at("198.51.100.2:5001"));
  auto reader = rtp::RtcpReader::open(to_bob->bytes);
  ASSERT_TRUE(reader);
  const auto sr = reader->next();
  ASSERT_TRUE(sr && sr->sender_info());
  EXPECT_EQ(sr->sender_ssrc(), alices.ssrc);
  EXPECT_NEAR(sr->sender_info()->packets, 501, 2);
  ASSERT_EQ(sr->report_count(), 1U);
  EXPECT_EQ(sr->report(0).ssrc, bobs.ssrc);
  EXPECT_EQ(sr->report(0).lost, 0);

  rtp::ReportBlock block;
  block.ssrc = alices.ssrc;
  block.last_sr = sr->sender_info()->ntp.middle();
  block.delay_since_sr = 65'536 / 4;
  const auto answered = Instant{now};
  arrives(kBobPort + 1, at("198.51.100.2:5001"), report(bobs.ssrc, std::nullopt, {block}));
  EXPECT_EQ(now, answered);
  ASSERT_TRUE(relay.quality(kBob)->round_trip_ms);
  EXPECT_GT(*relay.quality(kBob)->round_trip_ms, 0);
  EXPECT_LT(*relay.quality(kBob)->round_trip_ms, 1'000);
  pass(60s);
  const std::size_t told = reports.size();
  pass(60s);
  EXPECT_EQ(reports.size(), told) << "nothing moves, nothing to report";
}

TEST_F(Relaying, FiftyLegsThatStartedTogetherAllGetTheirReports) {
  for (std::uint64_t i = 0; i < 50; ++i) {
    const Endpoint phone{alice.ip, static_cast<std::uint16_t>(4'000 + 2 * i)};
    tell(OpenLeg{MediaLegId{i + 1}, {0, static_cast<std::uint16_t>(kAlicePort + 2 * i)}});
    tell(peer(MediaLegId{i + 1}, phone));
    arrives(static_cast<std::uint16_t>(kAlicePort + 2 * i), phone, alices.next());
  }
  pass(11s);
  EXPECT_EQ(reports.size(), 50U);
}

TEST_F(Relaying, ReportsThatThePartnerSendsAreNotJoinedByOurs) {
  call();
  for (int i = 0; i < 1'500; ++i) {
    talks(kAlicePort, alice, alices, 1);
    if (i % 250 != 0) continue;
    const rtp::SenderInfo info{rtp::NtpTime::of(now), alices.timestamp, 1, 160};
    EXPECT_TRUE(arrives(kAlicePort + 1, at("192.0.2.1:4001"), report(alices.ssrc, info, {})));
  }
  for (const Sent& r : reports) EXPECT_NE(r.local_port, kBobPort + 1);
}

TEST_F(Relaying, AMuxedPeerGetsReportsOnItsRtpPortAndAPlainOneOnItsOwn) {
  call();
  SetPeer muxed = peer(kBob, bob);
  muxed.peer.rtcp = bob;
  muxed.rtcp_mux = true;
  tell(muxed);
  const auto rr = report(bobs.ssrc, std::nullopt, {});
  auto sent = arrives(kAlicePort + 1, at("192.0.2.1:4001"), rr);
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->local_port, kBobPort);
  EXPECT_EQ(sent->to, bob);
  sent = arrives(kBobPort, bob, rr);
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->local_port, kAlicePort + 1);
  EXPECT_EQ(sent->to, at("192.0.2.1:4001"));
}

TEST_F(Closing, TheFinalFiguresTellWhatWasLost) {
  call();
  for (int i = 0; i < 100; ++i) {
    const Bytes packet = alices.next();
    if (i % 10 != 5) arrives(kAlicePort, alice, packet);
    pass(20ms);
  }
  tell(CloseLeg{kAlice});
  const auto closed = events_of<LegClosed>();
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(closed[0].leg, kAlice);
  const Quality& q = closed[0].quality;
  EXPECT_EQ(q.packets_received, 90U);
  EXPECT_EQ(q.packets_lost, 10U);
  EXPECT_EQ(q.packets_sent, 0U);
  EXPECT_LT(q.jitter_ms, 1.0);
  ASSERT_TRUE(q.mos);
  EXPECT_GT(*q.mos, 1.0);
  EXPECT_LT(*q.mos, 4.0) << "a tenth of the words is missing";
  EXPECT_EQ(relay.quality(kBob)->packets_sent, 90U);
}

TEST_F(Closing, ALegThatHeardNothingHasNoScore) {
  call();
  tell(CloseLeg{kBob});
  ASSERT_EQ(events_of<LegClosed>().size(), 1U);
  EXPECT_FALSE(events_of<LegClosed>()[0].quality.mos);
}

TEST_F(Closing, FiguresGoOnWhenThePeerChangesItsSsrc) {
  call();
  talks(kAlicePort, alice, alices, 10);
  Voice again{.ssrc = 0xa2};
  talks(kAlicePort, alice, again, 10);
  EXPECT_EQ(relay.quality(kAlice)->packets_received, 20U);
  EXPECT_EQ(relay.quality(kAlice)->packets_lost, 0U);
}

TEST_F(Closing, ThePortRestsBeforeItComesBackAndLatePacketsReachNobody) {
  call();
  talks(kAlicePort, alice, alices, 1);
  tell(CloseLeg{kAlice});
  tell(CloseLeg{kBob});
  EXPECT_EQ(relay.legs(), 0U);
  EXPECT_FALSE(arrives(kAlicePort, alice, alices.next()));
  EXPECT_EQ(relay.counters().no_leg, 1U);
  pass(1900ms);
  EXPECT_TRUE(events_of<PortsOpened>().empty());
  pass(200ms);
  const auto rested = events_of<PortsOpened>();
  ASSERT_EQ(rested.size(), 1U);
  ASSERT_EQ(rested[0].ports.size(), 2U);
  EXPECT_EQ(rested[0].ports[0].rtp, kAlicePort);
  EXPECT_EQ(relay.deadline().at, Instant::far_future());
  tell(OpenLeg{MediaLegId{9}, rested[0].ports[0]});
  EXPECT_EQ(relay.legs(), 1U);
}

TEST_F(Closing, ThePartnerOfAClosedLegStaysOpenAndCommandsForTheDeadAreIgnored) {
  call();
  tell(WatchSilence{kAlice, 1s});
  tell(CloseLeg{kAlice});
  EXPECT_FALSE(arrives(kBobPort, bob, bobs.next()));
  EXPECT_EQ(relay.quality(kBob)->packets_received, 1U);
  tell(peer(kAlice, alice));
  tell(Connect{kAlice, kBob});
  tell(Echo{kAlice});
  tell(WatchSilence{kAlice, 1s});
  tell(Disconnect{kAlice});
  tell(CloseLeg{kAlice});
  pass(10s);
  EXPECT_EQ(events_of<LegClosed>().size(), 1U);
  EXPECT_TRUE(events_of<LegSilent>().empty());
}

}  // namespace
}  // namespace bw::media
