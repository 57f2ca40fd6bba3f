// What phones really send, carried from leg to leg.
#include "sdp/anchor.h"

#include <gtest/gtest.h>

#include "sdp/offer_answer.h"
#include "sdp/test_leg.h"

namespace bw::sdp {
namespace {

using test::leg;
using test::ours;
using test::phone;
using test::sample;

// RFC 4317 §2.1: audio and video; PCMU is chosen. Video is refused to one side and not shown to the other.
TEST(Anchor, AudioAndVideoOfRfc4317) {
  OfferAnswer a = leg(10'000);
  OfferAnswer b = leg(20'000);
  ASSERT_TRUE(a.remote_offer(sample("rfc4317_2_1_offer")));
  const auto text = b.relay_offer(a);
  ASSERT_TRUE(text);
  const std::string id = test::from_text(*text).origin.session_id;
  EXPECT_EQ(*text, "v=0\r\no=- " + id +
                       " 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"
                       "m=audio 20000 RTP/AVP 0 8 97\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
                       "a=rtpmap:97 iLBC/8000\r\na=sendrecv\r\n");
  ASSERT_TRUE(b.remote_answer(sample("rfc4317_2_1_answer")));
  const auto back = ours(a.relay_answer(b));
  ASSERT_EQ(back.media.size(), 2u);
  EXPECT_EQ(back.media[0].formats, std::vector<std::string>{"0"});
  EXPECT_EQ(back.media[1].type, "video");
  EXPECT_EQ(back.media[1].port, 0);
  EXPECT_EQ(back.media[1].formats, (std::vector<std::string>{"31", "32"}));
  EXPECT_FALSE(a.negotiated()->remote_rtp == std::nullopt);
}

// RFC 4317 §2.4: telephone-event on a section of its own is refused, the voice is taken.
TEST(Anchor, SecondAudioSectionIsRefused) {
  OfferAnswer a = leg(10'000);
  ASSERT_TRUE(a.remote_offer(sample("rfc4317_2_4_offer")));
  const auto d = ours(a.own_answer());
  EXPECT_EQ(d.media.at(0).port, 10'000);
  EXPECT_EQ(d.media.at(0).formats, std::vector<std::string>{"0"});
  EXPECT_EQ(d.media.at(1).port, 0);
}

TEST(Anchor, EveryPhoneCallsEveryPhone) {
  const std::vector<std::string> phones{
      "baresip", "linphone", "yealink", "yealink_srtp", "polycom_two_sections",
      "cisco",   "asterisk", "sipp",    "ipv6",         "rfc4317_2_1_offer"};
  for (const auto& caller : phones) {
    for (const auto& callee : phones) {
      SCOPED_TRACE(caller + " calls " + callee);
      OfferAnswer a = leg(10'000);
      OfferAnswer b = leg(20'000);
      ASSERT_TRUE(a.remote_offer(sample(caller)));
      const auto offer = ours(b.relay_offer(a));
      // The called phone answers what it has in common: written with the machinery of an answer.
      OfferAnswer called = leg(30'000);
      OfferAnswer its_user = leg(1);
      ASSERT_TRUE(its_user.remote_offer(sample(callee)));
      ASSERT_TRUE(called.remote_offer(offer));
      const auto answer = ours(called.relay_answer(its_user));
      ASSERT_TRUE(b.remote_answer(answer));
      const auto back = ours(a.relay_answer(b));
      EXPECT_EQ(back.media.size(), sample(caller).media.size());
      const auto at_a = a.negotiated();
      const auto at_b = b.negotiated();
      ASSERT_TRUE(at_a && at_b);
      EXPECT_TRUE(same_codec(at_a->codec, at_b->codec));
      EXPECT_TRUE(compatible(*at_a, *at_b));
      EXPECT_EQ(at_a->send.has_value(), caller == "yealink_srtp" || caller == "polycom_two_sections");
    }
  }
}

TEST(Anchor, NothingOfThePeersTransportOrPersonLeaks) {
  for (const char* name : {"linphone", "browser", "baresip", "cisco"}) {
    const auto text = to_string(carried(sample(name), 0));
    for (const char* secret : {"192.168.", "candidate", "ice-", "fingerprint", "ssrc:", "rtcp", "setup",
                               "mid:", "group", "Talk", "Cisco-SIPUA", "crypto", "sendrecv"}) {
      EXPECT_EQ(text.find(secret), text.npos) << name << ": " << secret << "\n" << text;
    }
  }
}

TEST(Anchor, UnknownAttributesAndBandwidthAreKeptInTheirOrder) {
  const auto d = carried(
      test::from_text(
          "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nb=CT:99\r\nt=0 0\r\na=X-one:1\r\n"
          "m=audio 5004 RTP/AVP 96\r\nb=TIAS:64000\r\na=X-two\r\na=rtpmap:96 EVS/16000\r\n"
          "a=fmtp:96 br=5.9-24.4\r\na=sendonly\r\na=X-three:\r\na=maxptime:240\r\n"),
      0);
  EXPECT_EQ(d.attributes.list, (std::vector<Attribute>{{"X-one", "1"}}));
  EXPECT_EQ(d.bandwidths.at(0).value, 99u);
  EXPECT_EQ(d.media[0].bandwidths.at(0).type, "TIAS");
  EXPECT_EQ(d.media[0].attributes.list, (std::vector<Attribute>{{"X-two", std::nullopt},
                                                                {"rtpmap", "96 EVS/16000"},
                                                                {"fmtp", "96 br=5.9-24.4"},
                                                                {"X-three", ""},
                                                                {"maxptime", "240"}}));
}

TEST(Anchor, CommonFormatsAreThoseOfTheOfferWhateverTheirNumber) {
  Media section = phone(
                      "m=audio 1 RTP/AVP 97 18 96 0 120\r\na=rtpmap:97 opus/48000/2\r\na=fmtp:97 x\r\n"
                      "a=rtpmap:96 telephone-event/8000\r\n")
                      .media[0];
  const Media offer = phone(
                          "m=audio 1 RTP/AVP 111 101 18 120\r\na=rtpmap:111 OPUS/48000/2\r\n"
                          "a=rtpmap:101 telephone-event/8000\r\na=rtpmap:18 G729/8000\r\n")
                          .media[0];
  EXPECT_TRUE(keep_common(section, offer));
  EXPECT_EQ(section.formats, (std::vector<std::string>{"97", "18", "96", "120"}));
  const Media events = phone("m=audio 1 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000\r\n").media[0];
  EXPECT_FALSE(keep_common(section, events));
  EXPECT_EQ(section.formats, std::vector<std::string>{"96"});
  EXPECT_EQ(section.attributes.list, (std::vector<Attribute>{{"rtpmap", "96 telephone-event/8000"}}));
}

TEST(Anchor, OtherFamilyOfAddressesOnTheOtherLeg) {
  SeededRng rng{1};
  OfferAnswer a{{*IpAddress::parse("2001:db8::1"), 10'000}, rng};
  OfferAnswer b = leg(20'000);
  ASSERT_TRUE(a.remote_offer(sample("ipv6")));
  EXPECT_EQ(ours(b.relay_offer(a)).connection->address_type, "IP4");
  ASSERT_TRUE(b.remote_answer(sample("sipp")));
  const auto back = ours(a.relay_answer(b));
  EXPECT_EQ(back.origin.address_type, "IP6");
  EXPECT_EQ(back.connection, (Connection{"IN", "IP6", "2001:db8::1"}));
  EXPECT_EQ(a.negotiated()->remote_rtp, Endpoint::parse("[2001:db8::21]:6000"));
}

TEST(Anchor, FeedbackProfileIsAnsweredAndNotPassedOn) {
  OfferAnswer a = leg(10'000);
  OfferAnswer b = leg(20'000);
  ASSERT_TRUE(a.remote_offer(sample("linphone")));
  EXPECT_EQ(ours(b.relay_offer(a)).media[0].protocol, "RTP/AVP");
  ASSERT_TRUE(b.remote_answer(sample("sipp")));
  EXPECT_EQ(ours(a.relay_answer(b)).media[0].protocol, "RTP/AVPF");
}

}  // namespace
}  // namespace bw::sdp
