#include "webrtc/description.h"

#include <gtest/gtest.h>

#include "sdp/audio.h"
#include "webrtc/candidate.h"

namespace bw::webrtc {
namespace {

constexpr std::string_view kPrint =
    "sha-256 01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F:FF";

// Chromium's, with a data channel it wants beside its audio.
std::string chromium(std::string_view setup = "actpass") {
  return "v=0\r\no=- 4611686018427387904 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
         "a=extmap-allow-mixed\r\na=msid-semantic: WMS s\r\n"
         "m=audio 50000 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\nc=IN IP4 192.0.2.7\r\n"
         "a=rtcp:9 IN IP4 0.0.0.0\r\na=candidate:1 1 udp 2113937151 192.0.2.7 50000 typ host generation 0\r\n"
         "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\na=ice-options:trickle\r\n"
         "a=fingerprint:" +
         std::string(kPrint) + "\r\na=setup:" + std::string(setup) +
         "\r\na=mid:0\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=sendrecv\r\n"
         "a=msid:s t\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 "
         "transport-cc\r\n"
         "a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"
         "a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\n"
         "a=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n"
         "a=ssrc:1 cname:x\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n"
         "a=mid:1\r\na=sctp-port:5000\r\n";
}

sdp::SessionDescription read(std::string_view text) {
  return sdp::parse(text).value();
}

OwnParameters ours() {
  return {{"ourU", Secret<std::string>{"our-password-of-22-char"}},
          std::string(kPrint),
          {*IpAddress::parse("198.51.100.1"), *IpAddress::parse("2001:db8::1")},
          10'000};
}

TEST(Description, UndressedABrowsersOfferIsThatOfAPlainPhone) {
  const auto undressed = undress(read(chromium()), Kind::kOffer);
  ASSERT_TRUE(undressed) << to_sentence(undressed.error());
  EXPECT_EQ("EsAw", undressed->remote.ice.ufrag);
  EXPECT_EQ(kPrint, to_string(undressed->remote.fingerprints.at(0)));
  EXPECT_EQ(DtlsRole::kServer, undressed->remote.our_role);
  const sdp::SessionDescription& plain = undressed->plain;
  ASSERT_EQ(1U, plain.media.size());
  EXPECT_EQ("RTP/AVP", plain.media[0].protocol);
  const std::vector<std::string> formats{"111", "9", "0", "8", "110", "126"};
  EXPECT_EQ(formats, plain.media[0].formats) << "neither redundancy nor comfort noise";
  EXPECT_EQ("minptime=10;useinbandfec=1", sdp::codecs(plain.media[0])[0].fmtp);
  EXPECT_FALSE(sdp::is_hold(plain, plain.media[0]));
  EXPECT_FALSE(sdp::rtp_endpoint(plain, plain.media[0])) << "where it is, ICE finds out";
  for (const char* name : {"candidate", "ice-pwd", "fingerprint", "ssrc", "rtcp-fb", "extmap"})
    EXPECT_FALSE(plain.media[0].attributes.has(name)) << name;
}

TEST(Description, AnAnswerHasOurConnectionAndRefusesTheRest) {
  const auto offer = read(chromium());
  const auto plain = undress(offer, Kind::kOffer)->plain;
  const auto answer = read(dress_answer(plain, offer, DtlsRole::kServer, ours()));
  ASSERT_EQ(2U, answer.media.size());
  const sdp::Media& audio = answer.media[0];
  EXPECT_EQ("UDP/TLS/RTP/SAVPF", audio.protocol);
  EXPECT_EQ("passive", audio.attributes.find("setup")->text());
  EXPECT_EQ("ourU", audio.attributes.find("ice-ufrag")->text());
  EXPECT_EQ("BUNDLE 0", answer.attributes.find("group")->text()) << "what is refused is no part of it";
  EXPECT_TRUE(answer.attributes.has("ice-lite"));
  EXPECT_TRUE(sdp::has_rtcp_mux(audio));
  EXPECT_EQ(0, answer.media[1].port);
  EXPECT_EQ("1", answer.media[1].attributes.find("mid")->text());
  std::vector<Candidate> candidates;
  for (const auto& a : audio.attributes.list) {
    if (a.name == "candidate") candidates.push_back(*Candidate::parse(a.text()));
  }
  ASSERT_EQ(4U, candidates.size()) << "two addresses, UDP and TCP";
  EXPECT_EQ("198.51.100.1", candidates[0].address);
  EXPECT_GT(candidates[0].priority, candidates[1].priority);
  EXPECT_EQ("passive", candidates[2].tcp_type);
  EXPECT_EQ(10'000, candidates[3].port);
  // What we say can be read by the same rules.
  const auto back = undress(answer, Kind::kAnswer);
  ASSERT_TRUE(back);
  EXPECT_EQ(DtlsRole::kClient, back->remote.our_role) << "whoever reads passive becomes active";
  EXPECT_EQ(plain.media[0].formats, back->plain.media[0].formats);
}

TEST(Description, AnOfferInsideASessionKeepsItsSections) {
  const auto before = read(chromium());
  const auto plain = undress(before, Kind::kOffer)->plain;
  const auto offer = read(dress_offer(plain, &before, ours()));
  ASSERT_EQ(2U, offer.media.size());
  EXPECT_EQ("actpass", offer.media[0].attributes.find("setup")->text());
  EXPECT_EQ("0", offer.media[0].attributes.find("mid")->text());
  EXPECT_EQ(0, offer.media[1].port);
}

TEST(Description, WhatIsNoBrowsersDescriptionIsRefusedWithItsReason) {
  const auto with = [](std::string from, std::string to) {
    std::string text = chromium();
    for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
    const auto taken = undress(read(text), Kind::kOffer);
    return taken ? std::nullopt : std::optional{taken.error()};
  };
  EXPECT_EQ(DescriptionError::kNoDtls, with("UDP/TLS/RTP/SAVPF", "RTP/AVP"));
  EXPECT_EQ(DescriptionError::kNoIce, with("a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1", "a=ice-pwd:short"));
  EXPECT_EQ(DescriptionError::kNoFingerprint, with("sha-256", "sha-1"));
  EXPECT_EQ(DescriptionError::kNoRtcpMux, with("a=rtcp-mux\r\n", ""));
  EXPECT_EQ(DescriptionError::kNoAudio, with("m=audio 50000", "m=audio 0"));
  EXPECT_EQ(DescriptionError::kSetup, with("setup:actpass", "setup:holdconn"));
  EXPECT_EQ(DescriptionError::kSetup, undress(read(chromium("actpass")), Kind::kAnswer).error());
}

TEST(Candidate, IsReadWithWhatIsInFrontAndBehindAndWrittenAgain) {
  const std::string text = "candidate:842163049 1 tcp 1677729535 3f1c.local 46154 typ host tcptype active";
  const auto c = Candidate::parse("a=" + text + " generation 0 network-cost 999");
  ASSERT_TRUE(c);
  EXPECT_EQ("3f1c.local", c->address);
  EXPECT_EQ("active", c->tcp_type);
  EXPECT_EQ(text, c->to_string());
  for (const char* bad : {"", "candidate:", "candidate:1 1 udp x 192.0.2.1 5 typ host",
                          "candidate:1 1 udp 5 192.0.2.1 70000 typ host",
                          "candidate:1 1 udp 5 192.0.2.1 5 host", "candidate:1 0 udp 5 192.0.2.1 5 typ host"})
    EXPECT_FALSE(Candidate::parse(bad)) << bad;
}

}  // namespace
}  // namespace bw::webrtc
