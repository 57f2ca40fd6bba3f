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

ParseError error_of(std::string_view bytes, MessageLimits limits = {}, Message* salvage = nullptr) {
  const auto m = parse(bytes, limits, salvage);
  EXPECT_FALSE(m.has_value()) << bytes;
  return m ? ParseError::kEmpty : m.error();
}

TEST(Message, StartLinesThatAreNone) {
  for (const std::string_view line :
       {"INVITE", "INVITE ", "INVITE sip:a@b", "INVITE sip:a@b SIP/", "INVITE sip:a@b HTTP/1.1",
        "IN,VITE sip:a SIP/2.0", "SIP/2.0", "SIP/2.0 20 OK", "SIP/2.0 099 X", "SIP/2.0 700 X",
        "SIP/2.0 2000 X", "SIP/2.0 200OK", " INVITE sip:a SIP/2.0", "INVITE sip:a\rb SIP/2.0",
        "INVITE  SIP/2.0 "}) {
    EXPECT_EQ(error_of(std::string{line} + "\r\nTo: x\r\n\r\n"), ParseError::kStartLine) << line;
  }
  EXPECT_EQ(error_of("INVITE sip:a SIP/3.0\r\n\r\n"), ParseError::kVersion);
  EXPECT_EQ(error_of("SIP/1.0 200 OK\r\n\r\n"), ParseError::kVersion);
  EXPECT_EQ(error_of("\r\n\r\n"), ParseError::kEmpty);
  EXPECT_EQ(error_of(""), ParseError::kEmpty);
}

TEST(Message, LeadingLineBreaksAndLoneLineFeedsAreForgiven) {
  const auto m = parse("\r\n\nOPTIONS sip:a sip/2.0\nTo: x\n y\n\nbody");
  ASSERT_TRUE(m.has_value());
  EXPECT_EQ(m->get(HeaderName::kTo), "x y");
  EXPECT_EQ(m->body(), "body");
}

TEST(Message, BadHeaderLinesAreErrorsButTheRestIsSalvaged) {
  for (const std::string_view line : {"nocolon", ": novalue", "a b: c", "To\x01: x", "To: a\rb"}) {
    Message salvage;
    const std::string bytes = "OPTIONS sip:a SIP/2.0\r\n" + std::string{line} + "\r\nVia: v\r\n\r\n";
    EXPECT_EQ(error_of(bytes, {}, &salvage), ParseError::kHeaderSyntax) << line;
    EXPECT_EQ(salvage.get(HeaderName::kVia), "v");
  }
  EXPECT_EQ(error_of("OPTIONS sip:a SIP/2.0\r\n folded: x\r\n\r\n"), ParseError::kHeaderSyntax);
  EXPECT_EQ(error_of("OPTIONS sip:a SIP/2.0\r\nTo: x\r\n"), ParseError::kNoHeaderEnd);
  EXPECT_EQ(error_of("OPTIONS sip:a SIP/2.0"), ParseError::kNoHeaderEnd);
}

TEST(Message, EveryLimitHolds) {
  const std::string start = "OPTIONS sip:a SIP/2.0\r\n";
  const MessageLimits small{.message_bytes = 400, .headers = 3, .header_value_bytes = 10, .body_bytes = 5};
  EXPECT_EQ(error_of(start + "a: " + std::string(400, 'x') + "\r\n\r\n", small), ParseError::kTooLarge);
  EXPECT_EQ(error_of(start + "a: 12345678901\r\n\r\n", small), ParseError::kTooLarge);
  EXPECT_TRUE(parse(start + "a: 1234567890\r\n\r\n", small));
  EXPECT_EQ(error_of(start + "a:\r\nb:\r\nc:\r\nd:\r\n\r\n", small), ParseError::kTooManyHeaders);
  EXPECT_TRUE(parse(start + "a:\r\nb:\r\nc:\r\nl: 0\r\n\r\n", small));
  EXPECT_EQ(error_of(start + "\r\n123456", small), ParseError::kTooLarge);
  EXPECT_TRUE(parse(start + "\r\n12345", small));
}

TEST(Message, ContentLengthIsObeyed) {
  const std::string start = "OPTIONS sip:a SIP/2.0\r\n";
  EXPECT_EQ(parse(start + "l: 2\r\n\r\nabcd")->body(), "ab");
  EXPECT_EQ(parse(start + "l: 2\r\nContent-Length: 2\r\n\r\nab")->body(), "ab");
  for (const std::string_view bad :
       {"l: 3\r\n", "l: 1\r\nl: 2\r\n", "l: x\r\n", "l:\r\n", "l: +1\r\n", "l: 1 1\r\n"}) {
    EXPECT_EQ(error_of(start + std::string{bad} + "\r\nab"), ParseError::kContentLength) << bad;
  }
}

TEST(Message, NothingAddedCanForgeAHeader) {
  Message m = Message::request(Method::kInvite, "sip:a@b SIP/2.0\r\nX: y");
  m.add(HeaderName::kSubject, "x\r\nVia: forged");
  m.add("X-Own", "a\nContent-Length: 5");
  m.add("Content-Length", "99");
  const auto again = parse(to_string(m));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->header_count(), 2U);
  EXPECT_EQ(*again, m);
}

TEST(Message, ViewsIntoItselfMayBeAdded) {
  Message m = invite();
  for (int i = 0; i < 50; ++i) m.add(HeaderName::kSubject, *m.get(HeaderName::kFrom));
  m.add("X-Copy", *m.get("X-Own"));
  m.copy(m, HeaderName::kCSeq);
  m.set_body(*m.get(HeaderName::kContentType), m.body());
  EXPECT_EQ(m.get("X-Copy"), m.get("X-Own"));
  EXPECT_EQ(m.elements(HeaderName::kCSeq).size(), 2U);
  EXPECT_EQ(m.body(), "v=0\n");
}

TEST(Message, SetReplacesAllLinesInPlaceOfTheFirst) {
  Message m = invite();
  m.set(HeaderName::kVia, "SIP/2.0/UDP one");
  EXPECT_EQ(m.header(0).value, "SIP/2.0/UDP one");
  EXPECT_EQ(m.elements(HeaderName::kVia).size(), 1U);
  m.remove(HeaderName::kVia);
  m.prepend(HeaderName::kVia, "SIP/2.0/UDP two");
  EXPECT_EQ(m.header(0).id, HeaderName::kVia);
}

TEST(Message, ResponsesTakeTheirMethodFromCSeq) {
  Message m = Message::response(487);
  EXPECT_EQ(m.reason(), "Request Terminated");
  EXPECT_EQ(m.method(), Method::kUnknown);
  m.add(HeaderName::kCSeq, "1 INVITE");
  EXPECT_EQ(m.method(), Method::kInvite);
  EXPECT_TRUE(to_string(m).starts_with("SIP/2.0 487 Request Terminated\r\n"));
}

TEST(Message, DiffersByEachOfItsParts) {
  const Message m = invite();
  const auto changed = [&](auto change) {
    Message copy = m;
    change(copy);
    return copy;
  };
  EXPECT_NE(m, changed([](Message& c) { c.set_request_uri("sip:x"); }));
  EXPECT_NE(m, changed([](Message& c) { c.set(HeaderName::kSubject, "x"); }));
  EXPECT_NE(m, changed([](Message& c) { c.add("X-Other", ""); }));
  EXPECT_NE(m, changed([](Message& c) { c.set_body("application/sdp", "v=1\n"); }));
}

}  // namespace
}  // namespace bw::sip
