#include "sdp/audio.h"

#include <gtest/gtest.h>

namespace bw::sdp {
namespace {

SessionDescription read(std::string_view sections, std::string_view session = "c=IN IP4 192.0.2.1\r\n") {
  std::string text = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n";
  text += session;
  text += "t=0 0\r\n";
  text += sections;
  auto d = parse(text);
  EXPECT_TRUE(d) << text;
  return std::move(*d);
}

TEST(Audio, CodecsOfStaticAndDynamicNumbersInTheOrderOfTheLine) {
  const auto d = read(
      "m=audio 5004 RTP/AVP 9 0 111 0 101 99 x 300 19\r\na=rtpmap:111 opus/48000/2\r\n"
      "a=fmtp:111 useinbandfec=1;  x\r\na=rtpmap:101  telephone-event/8000\r\na=fmtp:101 0-16\r\n");
  const auto list = codecs(d.media[0]);
  ASSERT_EQ(list.size(), 5u);  // 0 twice, 99 without a meaning, x and 300 are no payload numbers
  EXPECT_EQ(list[0], (Codec{9, "G722", 8000, 1, ""}));
  EXPECT_EQ(list[1], (Codec{0, "PCMU", 8000, 1, ""}));
  EXPECT_EQ(list[2], (Codec{111, "opus", 48'000, 2, "useinbandfec=1;  x"}));
  EXPECT_EQ(list[3], (Codec{101, "telephone-event", 8000, 1, "0-16"}));
  EXPECT_EQ(list[4].name, "CN");
  EXPECT_TRUE(list[2].is_voice());
  EXPECT_FALSE(list[3].is_voice());
  EXPECT_FALSE(list[4].is_voice());
}

TEST(Audio, RtpmapOverridesAStaticNumberAndNonsenseHasNoMeaning) {
  const auto d = read(
      "m=audio 5004 RTP/AVP 3 96 97 98\r\na=rtpmap:3 iLBC/8000\r\na=rtpmap:96 x\r\na=rtpmap:97 x/0\r\n"
      "a=rtpmap:98 /8000\r\n");
  const auto list = codecs(d.media[0]);
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].name, "iLBC");
}

TEST(Audio, CodecsAreComparedAsPhonesMeanThem) {
  EXPECT_TRUE(same_codec({0, "pcmu", 8000, 1, ""}, {96, "PCMU", 8000, 1, "x"}));
  EXPECT_TRUE(same_codec({18, "G729A", 8000, 1, ""}, {18, "G729", 8000, 1, ""}));
  EXPECT_TRUE(same_codec({9, "G722", 16'000, 1, ""}, {9, "G722", 8000, 1, ""}));
  EXPECT_FALSE(same_codec({96, "opus", 48'000, 2, ""}, {96, "opus", 48'000, 1, ""}));
  EXPECT_FALSE(same_codec({96, "speex", 16'000, 1, ""}, {96, "speex", 8000, 1, ""}));
}

TEST(Audio, DirectionOfTheSectionGoesBeforeThatOfTheSession) {
  const auto d = read("a=recvonly\r\nm=audio 1 RTP/AVP 0\r\na=sendonly\r\nm=audio 1 RTP/AVP 0\r\n");
  EXPECT_EQ(direction(d, d.media[0]), Direction::kSendOnly);
  EXPECT_EQ(direction(d, d.media[1]), Direction::kRecvOnly);
  const auto silent = read("m=audio 1 RTP/AVP 0\r\n");
  EXPECT_EQ(direction(silent, silent.media[0]), Direction::kSendRecv);
}

TEST(Audio, HoldIsKnownInEachOfItsForms) {
  const auto held = [](std::string_view attribute, std::string_view address) {
    std::string section =
        "m=audio 5004 RTP/AVP 0\r\nc=" + std::string{address} + "\r\na=" + std::string{attribute};
    const auto d = read(section + "\r\n");
    return is_hold(d, d.media[0]);
  };
  EXPECT_FALSE(held("sendrecv", "IN IP4 192.0.2.1"));
  EXPECT_FALSE(held("recvonly", "IN IP4 192.0.2.1"));
  EXPECT_TRUE(held("sendonly", "IN IP4 192.0.2.1"));
  EXPECT_TRUE(held("inactive", "IN IP4 192.0.2.1"));
  EXPECT_TRUE(held("sendrecv", "IN IP4 0.0.0.0"));
  EXPECT_TRUE(held("x", "IN IP6 ::"));
  const auto old = read("m=audio 5004 RTP/AVP 0\r\n", "c=IN IP4 0.0.0.0\r\n");
  EXPECT_EQ(effective_direction(old, old.media[0]), Direction::kSendOnly);
  EXPECT_FALSE(rtp_endpoint(old, old.media[0]));
}

TEST(Audio, AddressesOfSessionAndSectionAndRtcp) {
  const auto d = read(
      "m=audio 5004 RTP/AVP 0\r\nm=audio 5006 RTP/AVP 0\r\nc=IN IP6 2001:db8::7\r\na=rtcp:5011\r\n"
      "m=audio 5008 RTP/AVP 0\r\na=rtcp:53020 IN IP4 126.16.64.4\r\nm=audio 65535 RTP/AVP 0\r\n"
      "m=audio 5010 RTP/AVP 0\r\nc=IN IP4 phone.example.com\r\nm=audio 5004 RTP/AVP 0\r\na=rtcp:0\r\n");
  EXPECT_EQ(rtp_endpoint(d, d.media[0]), Endpoint::parse("192.0.2.1:5004"));
  EXPECT_EQ(rtcp_endpoint(d, d.media[0]), Endpoint::parse("192.0.2.1:5005"));
  EXPECT_EQ(rtp_endpoint(d, d.media[1]), Endpoint::parse("[2001:db8::7]:5006"));
  EXPECT_EQ(rtcp_endpoint(d, d.media[1]), Endpoint::parse("[2001:db8::7]:5011"));
  EXPECT_EQ(rtcp_endpoint(d, d.media[2]), Endpoint::parse("126.16.64.4:53020"));
  EXPECT_FALSE(rtcp_endpoint(d, d.media[3]));
  EXPECT_FALSE(rtp_endpoint(d, d.media[4]));
  EXPECT_EQ(rtcp_endpoint(d, d.media[5]), Endpoint::parse("192.0.2.1:5005"));
}

TEST(Audio, PacketTimeIsReadWhereItIsOne) {
  const auto time = [](std::string_view value) {
    const auto d = read("m=audio 5004 RTP/AVP 0\r\na=ptime:" + std::string{value} + "\r\n");
    return ptime(d.media[0]);
  };
  EXPECT_EQ(time("20"), 20);
  EXPECT_EQ(time(" 30 "), 30);
  EXPECT_EQ(time("22.5"), 22);
  EXPECT_FALSE(time("0"));
  EXPECT_FALSE(time("9999"));
  EXPECT_FALSE(time("x"));
}

TEST(Audio, ProfilesAreTakenApart) {
  EXPECT_TRUE(profile("RTP/AVP").rtp);
  EXPECT_TRUE(profile("RTP/SAVPF").secure && profile("RTP/SAVPF").feedback);
  EXPECT_TRUE(profile("UDP/TLS/RTP/SAVPF").dtls && profile("UDP/TLS/RTP/SAVPF").rtp);
  EXPECT_FALSE(profile("RTP/SAVP").dtls);
  EXPECT_FALSE(profile("udptl").rtp);
  EXPECT_FALSE(profile("TCP/RTP/AVP").rtp);
}

}  // namespace
}  // namespace bw::sdp
