// Legs whose peers have no codec in common: what each is offered and answered.
#include <algorithm>

#include "sdp/test_leg.h"

namespace bw::sdp::test {
namespace {

OfferAnswer transcoding_leg(std::uint16_t port) {
  SeededRng rng{port};
  return OfferAnswer{{.address = *IpAddress::parse("198.51.100.1"), .port = port, .transcodes = true}, rng};
}

using Formats = std::vector<std::string>;

class Between : public ::testing::Test {
 protected:
  // What the second phone is offered, and what the first is answered when the second answers so.
  Media offered_after(std::string_view offer) {
    EXPECT_TRUE(a.remote_offer(phone(offer)));
    return ours(b.relay_offer(a)).media.at(0);
  }
  Media answered_after(std::string_view answer) {
    EXPECT_TRUE(b.remote_answer(phone(answer, "192.0.2.20")));
    return ours(a.relay_answer(b)).media.at(0);
  }
  OfferAnswer a = transcoding_leg(10'000);
  OfferAnswer b = transcoding_leg(10'002);
};

constexpr auto kEvents = "a=rtpmap:101 telephone-event/8000\r\n";

TEST_F(Between, OfferKeepsWhatThePhoneSaidAndAddsWhatWeKnow) {
  const Media offered = offered_after(std::string{"m=audio 5004 RTP/AVP 8 0 101\r\n"} + kEvents);
  EXPECT_EQ(offered.formats, (Formats{"8", "0", "101", "111", "9", "110"}));
  const auto all = codecs(offered);
  EXPECT_TRUE(all[3].is("opus") && all[4].is("G722"));
  EXPECT_TRUE(all[5].is_telephone_event() && all[5].clock_rate == 48'000);
}

TEST_F(Between, CommonCodecIsAnsweredAloneAndNothingIsTranscoded) {
  offered_after(std::string{"m=audio 5004 RTP/AVP 8 0 101\r\n"} + kEvents);
  const Media answered = answered_after(std::string{"m=audio 6004 RTP/AVP 9 0 101\r\n"} + kEvents);
  EXPECT_EQ(answered.formats, (Formats{"0", "101"}));
}

TEST_F(Between, WithoutCommonCodecTheBestSoundIsAnswered) {
  offered_after(
      "m=audio 5004 RTP/AVP 3 97 0 98 99\r\na=rtpmap:97 opus/48000/2\r\n"
      "a=rtpmap:98 telephone-event/8000\r\na=rtpmap:99 telephone-event/48000\r\n");
  const Media answered = answered_after("m=audio 6004 RTP/AVP 9\r\n");
  EXPECT_EQ(answered.formats, (Formats{"97", "99"}));
  EXPECT_TRUE(a.negotiated()->codec.is("opus"));
  EXPECT_TRUE(b.negotiated()->codec.is("G722"));
  EXPECT_TRUE(compatible(*a.negotiated(), *b.negotiated()));
}

TEST_F(Between, PcmuAndG722Meet) {
  offered_after("m=audio 5004 RTP/AVP 0\r\n");
  EXPECT_EQ(answered_after("m=audio 6004 RTP/AVP 9\r\n").formats, Formats{"0"});
}

TEST_F(Between, WhatCannotBeDecodedIsNotPromised) {
  EXPECT_EQ(offered_after("m=audio 5004 RTP/AVP 18\r\n").formats, Formats{"18"});
  OfferAnswer c = transcoding_leg(10'004);
  OfferAnswer d = transcoding_leg(10'006);
  ASSERT_TRUE(c.remote_offer(phone("m=audio 5004 RTP/AVP 18 0\r\n")));
  ours(d.relay_offer(c));
  ASSERT_TRUE(d.remote_answer(phone("m=audio 6004 RTP/AVP 18\r\n")));
  EXPECT_EQ(ours(c.relay_answer(d)).media.at(0).formats, Formats{"18"});
}

TEST_F(Between, NumberKeepsItsMeaningOnALeg) {
  // 111 is somebody else's: opus gets another number, and keeps it.
  const Media first = offered_after("m=audio 5004 RTP/AVP 0 111\r\na=rtpmap:111 telephone-event/8000\r\n");
  EXPECT_EQ(first.formats, (Formats{"0", "111", "96", "9", "8", "110"}));
  answered_after("m=audio 6004 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n");
  OfferAnswer c = transcoding_leg(10'004);
  ASSERT_TRUE(c.remote_offer(phone("m=audio 5004 RTP/AVP 8\r\n")));
  const auto again = codecs(ours(b.relay_offer(c)).media.at(0));
  const auto opus = std::ranges::find_if(again, [](const Codec& x) { return x.is("opus"); });
  ASSERT_NE(opus, again.end());
  EXPECT_EQ(opus->payload, 96);
}

TEST_F(Between, HeldAndRefusedStayAsTheyAre) {
  const Media offered = offered_after("m=audio 5004 RTP/AVP 0\r\na=sendonly\r\n");
  EXPECT_TRUE(offered.attributes.has("sendonly"));
  OfferAnswer c = transcoding_leg(10'004);
  ASSERT_TRUE(c.remote_offer(phone("m=audio 0 RTP/AVP 0\r\n")));
  OfferAnswer d = transcoding_leg(10'006);
  EXPECT_EQ(ours(d.relay_offer(c)).media.at(0).port, 0);
}

TEST(LegWithoutTranscoding, OffersOnlyWhatWasSaid) {
  OfferAnswer a = leg(10'000);
  OfferAnswer b = leg(10'002);
  ASSERT_TRUE(a.remote_offer(phone("m=audio 5004 RTP/AVP 0\r\n")));
  EXPECT_EQ(ours(b.relay_offer(a)).media.at(0).formats, Formats{"0"});
}

}  // namespace
}  // namespace bw::sdp::test
