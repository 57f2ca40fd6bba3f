#include "sdp/offer_answer.h"

#include <gtest/gtest.h>

#include "sdp/test_leg.h"

namespace bw::sdp {
namespace {

using Certainty = OfferAnswer::Certainty;
using State = OfferAnswer::State;
using test::leg;
using test::ours;
using test::phone;
using test::sample;

// Two legs with a call of PCMU agreed between their peers.
struct Call {
  OfferAnswer a = leg(10'000);
  OfferAnswer b = leg(20'000);

  Call() {
    EXPECT_TRUE(
        a.remote_offer(phone("m=audio 5004 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n")));
    ours(b.relay_offer(a));
    EXPECT_TRUE(b.remote_answer(
        phone("m=audio 6004 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n", "192.0.2.20")));
    ours(a.relay_answer(b));
  }
};

TEST(OfferAnswer, OfferIsCarriedWithOurAddressAndTheAnswerComesBack) {
  const Call call;
  EXPECT_EQ(call.a.state(), State::kStable);
  EXPECT_EQ(call.b.state(), State::kStable);
  const auto a = call.a.negotiated();
  const auto b = call.b.negotiated();
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->codec.name, "PCMU");
  EXPECT_EQ(a->remote_rtp, Endpoint::parse("192.0.2.9:5004"));
  EXPECT_EQ(a->remote_rtcp, Endpoint::parse("192.0.2.9:5005"));
  EXPECT_EQ(b->remote_rtp, Endpoint::parse("192.0.2.20:6004"));
  EXPECT_EQ(b->telephone_event_send, 101);
  EXPECT_EQ(b->direction, Direction::kSendRecv);
  EXPECT_FALSE(a->send || a->receive || a->rtcp_mux);
  EXPECT_TRUE(compatible(*a, *b));
  const Media& said = call.a.local()->media.at(0);
  EXPECT_EQ(said.port, 10'000);
  EXPECT_EQ(said.formats, (std::vector<std::string>{"0", "101"}));
}

TEST(OfferAnswer, OneOfferAtATimeInEitherDirection) {
  OfferAnswer a = leg(10'000);
  EXPECT_EQ(a.remote_answer(phone("m=audio 1 RTP/AVP 0\r\n")).error(), OfferError::kNoOffer);
  EXPECT_EQ(a.own_answer().error(), OfferError::kNoOffer);
  EXPECT_EQ(a.repeat_offer().error(), OfferError::kNothingAgreed);
  ASSERT_TRUE(a.remote_offer(phone("m=audio 1 RTP/AVP 0\r\n")));
  EXPECT_EQ(a.remote_offer(phone("m=audio 1 RTP/AVP 0\r\n")).error(), OfferError::kOfferPending);
  EXPECT_EQ(a.own_offer().error(), OfferError::kOfferPending);
  EXPECT_EQ(a.relay_answer(leg(1)).error(), OfferError::kNothingAgreed);
  EXPECT_FALSE(a.negotiated());
  ASSERT_TRUE(a.own_answer());
  EXPECT_TRUE(a.negotiated());
  ASSERT_TRUE(a.repeat_offer());
  EXPECT_EQ(a.state(), State::kLocalOffer);
  EXPECT_EQ(a.remote_offer(phone("m=audio 1 RTP/AVP 0\r\n")).error(), OfferError::kOfferPending);
}

TEST(OfferAnswer, FailedOfferLeavesWhatWasAgreedBefore) {
  Call call;
  const auto before = call.b.negotiated();
  ours(call.b.repeat_offer(Direction::kInactive));
  EXPECT_EQ(call.b.negotiated()->direction, Direction::kSendRecv);
  call.b.offer_failed();
  EXPECT_EQ(call.b.state(), State::kStable);
  EXPECT_EQ(call.b.negotiated()->codec, before->codec);
  EXPECT_EQ(call.b.negotiated()->direction, Direction::kSendRecv);
}

// RFC 3264 §8: the version counts contents that were sent, one by one.
TEST(OfferAnswer, VersionGrowsByOneExactlyWhenTheContentChanges) {
  Call call;
  const auto version = [](const SessionDescription& d) { return std::stoi(d.origin.version); };
  const SessionDescription first = *call.b.local();
  const SessionDescription refresh = ours(call.b.repeat_offer());
  EXPECT_EQ(refresh, first);
  call.b.offer_failed();
  const SessionDescription hold = ours(call.b.repeat_offer(Direction::kSendOnly));
  EXPECT_EQ(version(hold), version(first) + 1);
  EXPECT_EQ(hold.origin.session_id, first.origin.session_id);
  call.b.offer_failed();
  // The failed offer was seen by the peer: the old content needs a new number.
  EXPECT_EQ(version(ours(call.b.repeat_offer())), version(first) + 2);
  call.b.offer_failed();
  call.b.move_to(*IpAddress::parse("198.51.100.2"), 20'002);
  const SessionDescription moved = ours(call.b.repeat_offer());
  EXPECT_EQ(version(moved), version(first) + 3);
  EXPECT_EQ(moved.media[0].port, 20'002);
  EXPECT_NE(call.a.local()->origin.session_id, first.origin.session_id);
}

TEST(OfferAnswer, SessionIdFitsThirtyTwoSignedBits) {
  for (std::uint16_t n = 1; n < 200; ++n) {
    OfferAnswer a = leg(n);
    const auto id = std::stoll(ours(a.own_offer()).origin.session_id);
    EXPECT_GT(id, 0);
    EXPECT_LE(id, 0x7fff'ffff);
  }
}

TEST(OfferAnswer, HoldOfEitherFormIsCarriedAsSendonlyAndAnsweredRecvonly) {
  for (const auto& [attribute, address] : {std::pair{"a=sendonly\r\n", "192.0.2.9"}, std::pair{"", "0.0.0.0"},
                                           std::pair{"a=sendrecv\r\n", "0.0.0.0"}}) {
    Call call;
    ASSERT_TRUE(call.a.remote_offer(phone("m=audio 5004 RTP/AVP 0\r\n" + std::string{attribute}, address)));
    EXPECT_TRUE(call.a.remote_holds());
    const auto on = ours(call.b.relay_offer(call.a));
    EXPECT_EQ(direction(on, on.media[0]), Direction::kSendOnly);
    EXPECT_EQ(on.connection->address, "198.51.100.1");
    ASSERT_TRUE(call.b.remote_answer(phone("m=audio 6004 RTP/AVP 0\r\na=recvonly\r\n")));
    const auto back = ours(call.a.relay_answer(call.b));
    EXPECT_EQ(direction(back, back.media[0]), Direction::kRecvOnly);
    EXPECT_EQ(call.a.negotiated()->direction, Direction::kRecvOnly);
    EXPECT_EQ(call.b.negotiated()->direction, Direction::kSendOnly);

    ASSERT_TRUE(call.a.remote_offer(phone("m=audio 5004 RTP/AVP 0\r\n")));
    EXPECT_FALSE(call.a.remote_holds());
    ours(call.a.repeat_answer());
    EXPECT_EQ(call.a.negotiated()->direction, Direction::kSendRecv);
  }
}

TEST(OfferAnswer, AnswersNeverClaimMoreDirectionThanTheOfferGives) {
  const struct {
    const char* offered;
    Direction wanted;
    Direction answered;
  } rows[] = {{"sendonly", Direction::kSendRecv, Direction::kRecvOnly},
              {"sendonly", Direction::kSendOnly, Direction::kInactive},
              {"recvonly", Direction::kSendRecv, Direction::kSendOnly},
              {"inactive", Direction::kSendRecv, Direction::kInactive},
              {"sendrecv", Direction::kRecvOnly, Direction::kRecvOnly}};
  for (const auto& row : rows) {
    OfferAnswer a = leg(10'000);
    ASSERT_TRUE(a.remote_offer(phone("m=audio 5004 RTP/AVP 0\r\na=" + std::string{row.offered} + "\r\n")));
    const auto d = ours(a.own_answer(Certainty::kFinal, row.wanted));
    EXPECT_EQ(direction(d, d.media[0]), row.answered) << row.offered;
    EXPECT_EQ(a.negotiated()->direction, row.answered);
  }
}

TEST(OfferAnswer, EarlyAnswerIsUsedAndReplacedByTheFinalOne) {
  OfferAnswer a = leg(10'000);
  OfferAnswer b = leg(20'000);
  ASSERT_TRUE(a.remote_offer(phone("m=audio 5004 RTP/AVP 0 8\r\n")));
  ours(b.relay_offer(a));
  ASSERT_TRUE(b.remote_answer(phone("m=audio 6004 RTP/AVP 8\r\n"), Certainty::kEarly));
  EXPECT_EQ(b.state(), State::kLocalOffer);
  EXPECT_EQ(b.negotiated()->codec.name, "PCMA");
  ours(a.relay_answer(b, Certainty::kEarly));
  EXPECT_EQ(a.state(), State::kRemoteOffer);
  EXPECT_EQ(a.negotiated()->codec.name, "PCMA");
  EXPECT_EQ(a.remote_audio()->port, 5004);
  ASSERT_TRUE(b.remote_answer(phone("m=audio 6008 RTP/AVP 0\r\n")));
  ours(a.relay_answer(b));
  EXPECT_EQ(a.state(), State::kStable);
  EXPECT_EQ(a.negotiated()->codec.name, "PCMU");
  EXPECT_EQ(b.negotiated()->remote_rtp->port, 6008);
}

TEST(OfferAnswer, LaterOffersMayAddSectionsButNeverLoseOrChangeThem) {
  OfferAnswer a = leg(10'000);
  ASSERT_TRUE(a.remote_offer(sample("rfc4317_2_1_offer")));
  ours(a.own_answer());
  EXPECT_EQ(a.remote_offer(phone("m=audio 5004 RTP/AVP 0\r\n")).error(), OfferError::kMediaRemoved);
  EXPECT_EQ(a.remote_offer(phone("m=video 5004 RTP/AVP 31\r\nm=video 5006 RTP/AVP 31\r\n")).error(),
            OfferError::kMediaChanged);
  EXPECT_EQ(a.state(), State::kStable);
  ASSERT_TRUE(a.remote_offer(
      phone("m=audio 5004 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\nm=application 7 UDP/BFCP *\r\n")));
  const auto d = ours(a.own_answer());
  ASSERT_EQ(d.media.size(), 3u);
  EXPECT_EQ(d.media[0].port, 10'000);
  EXPECT_EQ(d.media[2].port, 0);
  EXPECT_EQ(d.media[2].type, "application");
  EXPECT_EQ(d.media[2].protocol, "UDP/BFCP");
  // Our own offer on this leg keeps the three lines in their places.
  const auto again = ours(a.own_offer());
  ASSERT_EQ(again.media.size(), 3u);
  EXPECT_EQ(again.media[0].port, 10'000);
  EXPECT_EQ(again.media[1].port, 0);
}

TEST(OfferAnswer, AudioKeepsItsPlaceWhereverItStandsOnEachLeg) {
  OfferAnswer a = leg(10'000);
  OfferAnswer b = leg(20'000);
  ASSERT_TRUE(a.remote_offer(phone("m=video 5006 RTP/AVP 31\r\nm=audio 5004 RTP/AVP 0\r\n")));
  EXPECT_EQ(ours(b.relay_offer(a)).media.size(), 1u);
  ASSERT_TRUE(b.remote_answer(phone("m=audio 6004 RTP/AVP 0\r\n")));
  const auto back = ours(a.relay_answer(b));
  ASSERT_EQ(back.media.size(), 2u);
  EXPECT_EQ(back.media[0].port, 0);
  EXPECT_EQ(back.media[1].port, 10'000);
  // The other way round: a re-offer of b must come out at a's second line.
  ASSERT_TRUE(b.remote_offer(phone("m=audio 6004 RTP/AVP 0 8\r\n")));
  const auto on = ours(a.relay_offer(b));
  ASSERT_EQ(on.media.size(), 2u);
  EXPECT_EQ(on.media[1].formats, (std::vector<std::string>{"0", "8"}));
  ASSERT_TRUE(a.remote_answer(phone("m=video 0 RTP/AVP 31\r\nm=audio 5004 RTP/AVP 8\r\n")));
  EXPECT_EQ(ours(b.relay_answer(a)).media[0].formats, std::vector<std::string>{"8"});
  EXPECT_EQ(a.negotiated()->codec.name, "PCMA");
}

TEST(OfferAnswer, StreamSwitchedOffAndOnAgain) {
  Call call;
  ASSERT_TRUE(call.a.remote_offer(phone("m=audio 0 RTP/AVP 0\r\n")));
  EXPECT_EQ(ours(call.b.relay_offer(call.a)).media[0].port, 0);
  ASSERT_TRUE(call.b.remote_answer(phone("m=audio 0 RTP/AVP 0\r\n")));
  EXPECT_EQ(ours(call.a.relay_answer(call.b)).media[0].port, 0);
  EXPECT_FALSE(call.a.negotiated() || call.b.negotiated());
  ASSERT_TRUE(call.a.remote_offer(phone("m=audio 5004 RTP/AVP 0\r\n")));
  EXPECT_EQ(ours(call.b.relay_offer(call.a)).media[0].port, 20'000);
  ASSERT_TRUE(call.b.remote_answer(phone("m=audio 6004 RTP/AVP 0\r\n")));
  ours(call.a.relay_answer(call.b));
  EXPECT_TRUE(call.a.negotiated() && call.b.negotiated());
}

TEST(OfferAnswer, AnswersThatDoNotFitTheOfferAreRefused) {
  const auto answer = [](std::string_view media) {
    OfferAnswer b = leg(20'000);
    ours(b.own_offer());
    return b.remote_answer(phone(media)).error();
  };
  EXPECT_EQ(answer(""), OfferError::kMediaRemoved);
  EXPECT_EQ(answer("m=video 6004 RTP/AVP 0\r\n"), OfferError::kMediaChanged);
  EXPECT_EQ(answer("m=audio 6004 RTP/AVP 3\r\n"), OfferError::kNoCodec);
  EXPECT_EQ(answer("m=audio 6004 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000\r\n"),
            OfferError::kNoCodec);
  EXPECT_EQ(answer("m=audio 6004 RTP/SAVP 0\r\n"), OfferError::kSrtpOff);
  EXPECT_EQ(answer("m=audio 6004 TCP/RTP/AVP 0\r\n"), OfferError::kProtocol);
}

TEST(OfferAnswer, OffersWithoutUsableAudioAreRefusedWithAReason) {
  const auto offer = [](std::string_view media) {
    OfferAnswer a = leg(10'000);
    return a.remote_offer(phone(media)).error();
  };
  EXPECT_EQ(offer(""), OfferError::kNoAudio);
  EXPECT_EQ(offer("m=video 5004 RTP/AVP 31\r\n"), OfferError::kNoAudio);
  EXPECT_EQ(offer("m=audio 5004 TCP/RTP/AVP 0\r\n"), OfferError::kProtocol);
  OfferAnswer browser = leg(10'000);
  EXPECT_EQ(browser.remote_offer(sample("browser")).error(), OfferError::kProtocol);
  OfferAnswer a = leg(10'000);
  ASSERT_TRUE(a.remote_offer(phone("m=audio 5004 RTP/AVP 96\r\na=rtpmap:96 speex/8000\r\n")));
  EXPECT_EQ(a.own_answer().error(), OfferError::kNoCodec);
  const auto refused = ours(a.refusal());
  EXPECT_EQ(refused.media.at(0).port, 0);
  EXPECT_EQ(a.state(), State::kStable);
  EXPECT_FALSE(a.negotiated());
}

TEST(OfferAnswer, OwnAnswerTakesEveryCodecItKnowsWithTheNumbersOfTheOffer) {
  OfferAnswer a = leg(10'000);
  ASSERT_TRUE(a.remote_offer(sample("baresip")));
  const auto d = ours(a.own_answer());
  EXPECT_EQ(d.media[0].formats, (std::vector<std::string>{"96", "9", "0", "8", "101"}));
  const auto n = a.negotiated();
  EXPECT_TRUE(n->codec.is("opus"));
  EXPECT_EQ(n->send_payload, 96);
  EXPECT_EQ(n->telephone_event_receive, 101);
  EXPECT_EQ(n->ptime_ms, 20);
}

TEST(OfferAnswer, NumbersOfEachSideAreKeptApart) {
  OfferAnswer b = leg(20'000);
  ours(b.own_offer());
  // RFC 3264 §5.1: the answerer may use numbers of its own.
  ASSERT_TRUE(b.remote_answer(
      phone("m=audio 6004 RTP/AVP 97 96\r\na=rtpmap:97 PCMA/8000\r\na=rtpmap:96 telephone-event/8000\r\n")));
  const auto n = b.negotiated();
  EXPECT_EQ(n->send_payload, 97);
  EXPECT_EQ(n->receive_payload, 8);
  EXPECT_EQ(n->telephone_event_send, 96);
  EXPECT_EQ(n->telephone_event_receive, 101);
}

TEST(OfferAnswer, TelephoneEventOfTheVoicesClockIsPreferred) {
  OfferAnswer a = leg(10'000);
  ASSERT_TRUE(a.remote_offer(sample("linphone")));
  ours(a.own_answer());
  const auto n = a.negotiated();
  ASSERT_TRUE(n);
  EXPECT_TRUE(n->codec.is("opus"));
  EXPECT_EQ(n->telephone_event_send, 101);
  EXPECT_EQ(n->telephone_event_clock, 48'000u);
  EXPECT_TRUE(n->rtcp_mux);
  EXPECT_EQ(n->remote_rtcp, n->remote_rtp);
  // What was agreed is kept in our next offer to this peer.
  EXPECT_TRUE(has_rtcp_mux(ours(a.repeat_offer()).media[0]));
}

TEST(OfferAnswer, EveryAgreedFormatIsKnownByTheNumbersOfBothSides) {
  OfferAnswer a = leg(10'000);
  OfferAnswer b = leg(10'002);
  ASSERT_TRUE(
      a.remote_offer(phone("m=audio 1 RTP/AVP 111 0 101\r\na=rtpmap:111 opus/48000/2\r\n"
                           "a=fmtp:111 useinbandfec=1\r\na=rtpmap:101 telephone-event/8000\r\n")));
  ours(b.relay_offer(a));
  ASSERT_TRUE(
      b.remote_answer(phone("m=audio 6004 RTP/AVP 96 101\r\na=rtpmap:96 opus/48000/2\r\n"
                            "a=rtpmap:101 telephone-event/8000\r\n")));
  const auto n = b.negotiated();
  ASSERT_TRUE(n);
  const auto numbers = [](const std::vector<Codec>& formats) {
    std::vector<int> out;
    for (const Codec& c : formats) out.push_back(c.payload);
    return out;
  };
  EXPECT_EQ(numbers(n->receive_formats), (std::vector{111, 101}));
  EXPECT_EQ(numbers(n->send_formats), (std::vector{96, 101}));
  EXPECT_EQ(n->receive_formats[0].fmtp, "useinbandfec=1");
}

TEST(Compatible, CodecInCommonOrTwoThatWeKnow) {
  const Codec pcmu{0, "PCMU", 8000, 1, ""};
  const Codec opus{111, "opus", 48'000, 2, ""};
  const Codec g729{18, "G729", 8000, 1, ""};
  const Codec event{101, "telephone-event", 8000, 1, ""};
  const auto with = [](std::vector<Codec> formats) {
    Negotiated n;
    n.send_formats = n.receive_formats = std::move(formats);
    return n;
  };
  EXPECT_TRUE(compatible(with({pcmu, event}), with({opus})));
  EXPECT_TRUE(compatible(with({g729}), with({g729, event})));
  EXPECT_FALSE(compatible(with({g729, event}), with({pcmu, event})));
  EXPECT_TRUE(compatible(with({g729, opus}), with({pcmu})));
}

}  // namespace
}  // namespace bw::sdp
