#include "sip/message.h"

#include <gtest/gtest.h>

#include "sip/cseq.h"
#include "sip/name_addr.h"
#include "sip/via.h"

namespace bw::sip {
namespace {

constexpr std::string_view kInvite =
    "INVITE sip:1002@pbx.example.com SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bKabc;rport\r\n"
    "v: SIP/2.0/UDP far.example.com;branch=z9hG4bKone, SIP/2.0/TCP [2001:db8::1]:5070;branch=z9hG4bKtwo\r\n"
    "Max-Forwards: 70\r\n"
    "f: \"Alice, A.\" <sip:1001@pbx.example.com>;tag=88sja8x\r\n"
    "To: <sip:1002@pbx.example.com>\r\n"
    "i: 987asjd97y7atg\r\n"
    "CSeq: 986759 INVITE\r\n"
    "Subject: I know you're there,\r\n"
    "   pick up the phone\r\n"
    "X-Own: value : with, all; sorts\r\n"
    "c: application/sdp\r\n"
    "l: 4\r\n"
    "\r\n"
    "v=0\n"
    "surplus";

Message invite() {
  auto m = parse(kInvite);
  EXPECT_TRUE(m.has_value()) << to_sentence(m.error());
  return std::move(*m);
}

TEST(Message, KeepsEveryHeaderWhateverItsForm) {
  const Message m = invite();
  EXPECT_EQ(m.method(), Method::kInvite);
  EXPECT_EQ(m.request_uri(), "sip:1002@pbx.example.com");
  EXPECT_EQ(m.get(HeaderName::kCallId), "987asjd97y7atg");
  EXPECT_EQ(m.get(HeaderName::kSubject), "I know you're there, pick up the phone");
  EXPECT_EQ(m.get("x-own"), "value : with, all; sorts");
  EXPECT_EQ(m.get("v"), m.get(HeaderName::kVia));
  EXPECT_EQ(m.elements(HeaderName::kVia).size(), 3U);
  EXPECT_EQ(m.body(), "v=0\n");
  EXPECT_FALSE(m.has(HeaderName::kContentLength));
}

TEST(Message, WrittenAndReadAgainItIsTheSame) {
  const Message m = invite();
  const auto again = parse(to_string(m));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(*again, m);
}

TEST(Message, PopsViasOneByOne) {
  Message m = invite();
  m.remove_first_element(HeaderName::kVia);
  EXPECT_EQ(Via::top(m)->host, "far.example.com");
  m.remove_first_element(HeaderName::kVia);
  EXPECT_EQ(Via::top(m)->host, "[2001:db8::1]");
  EXPECT_EQ(Via::top(m)->port, 5070);
  m.remove_first_element(HeaderName::kVia);
  EXPECT_FALSE(m.has(HeaderName::kVia));
}

TEST(Message, SourceIsWrittenIntoTheTopVia) {
  Message m = invite();
  const auto source = Endpoint::parse("198.51.100.3:4321");
  m.replace_first_element(HeaderName::kVia, Via::top(m)->with_source(*source));
  EXPECT_EQ(Via::top(m)->response_address(), source);
  EXPECT_EQ(m.elements(HeaderName::kVia).size(), 3U);
}

}  // namespace
}  // namespace bw::sip
