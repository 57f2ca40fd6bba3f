#include "sip/uri.h"

#include <gtest/gtest.h>

#include "sip/host.h"

namespace bw::sip {
namespace {

bool same(std::string_view a, std::string_view b) {
  const auto x = Uri::parse(a);
  const auto y = Uri::parse(b);
  EXPECT_TRUE(x) << a;
  EXPECT_TRUE(y) << b;
  if (!x || !y) return false;
  EXPECT_EQ(equivalent(*x, *y), equivalent(*y, *x)) << a << " and " << b;
  return equivalent(*x, *y);
}

TEST(Uri, EveryPartIsFound) {
  const auto u =
      Uri::parse("sips:alice:secret@[2001:db8::1]:5061;transport=tcp;lr?subject=x&priority=urgent");
  ASSERT_TRUE(u);
  EXPECT_EQ(u->scheme, Scheme::kSips);
  EXPECT_EQ(u->user, "alice");
  EXPECT_EQ(u->password, "secret");
  EXPECT_EQ(u->host, "[2001:db8::1]");
  EXPECT_EQ(u->port, 5061);
  EXPECT_EQ(u->params.get("TRANSPORT"), "tcp");
  EXPECT_TRUE(u->params.has("lr"));
  EXPECT_EQ(u->headers, "subject=x&priority=urgent");
}

TEST(Uri, WrittenAsItWasRead) {
  for (const std::string_view text :
       {"sip:example.com", "sip:alice@example.com", "sip:a;b?c@example.com:5060;x=y?h=v",
        "tel:+1-201-555-0123", "tel:7042;phone-context=example.com", "sips:1001@[::1]:5061",
        "urn:service:sos", "sip:*43%23@pbx", "sip:alice:@example.com"}) {
    const auto u = Uri::parse(text);
    ASSERT_TRUE(u) << text;
    EXPECT_EQ(u->to_string(), text);
  }
}

TEST(Uri, WhatIsNotOneIsRefused) {
  for (const std::string_view text : {"",
                                      "sip:",
                                      "example.com",
                                      ":5060",
                                      "sip:@example.com",
                                      "sip:a@",
                                      "sip:a@b@c",
                                      "sip:a b@c",
                                      "sip:a@b c",
                                      "<sip:a@b>",
                                      "sip:a@b:",
                                      "sip:a@b:0",
                                      "sip:a@b:65536",
                                      "sip:a@b:5060x",
                                      "sip:a%4@b",
                                      "sip:a%zz@b",
                                      "sip:a@1.2.3",
                                      "sip:a@256.1.1.1",
                                      "sip:a@2001:db8::1",
                                      "sip:a@[2001:db8::1",
                                      "sip:a@[1.2.3.4.5]",
                                      "sip:a@b;",
                                      "sip:a@b;;lr",
                                      "sip:a@b;=x",
                                      "sip:a@b?",
                                      "sip:a@b?x",
                                      "sip:a@b?=y",
                                      "sip:a@b?x=y&",
                                      "sip:a@.b",
                                      "sip:a@b..c",
                                      "sip:a\"b@c",
                                      "tel:",
                                      "tel:+1 2",
                                      "1x:y",
                                      "http:",
                                      "http:<x>"}) {
    EXPECT_FALSE(Uri::parse(text)) << text;
  }
  EXPECT_FALSE(Uri::parse(std::string_view("sip:a\0b@c", 9)));
}

TEST(Uri, TooManyParametersAreRefused) {
  std::string most = "sip:a@b";
  for (std::size_t i = 0; i < Params::kMax; ++i) most += ";p";
  EXPECT_TRUE(Uri::parse(most));
  EXPECT_FALSE(Uri::parse(most + ";p"));
  std::string headers = "sip:a@b?h=";
  for (std::size_t i = 1; i < Uri::kMaxHeaders; ++i) headers += "&h=";
  EXPECT_TRUE(Uri::parse(headers));
  EXPECT_FALSE(Uri::parse(headers + "&h="));
}

// The examples of RFC 3261 §19.1.4.
TEST(UriComparison, TheEquivalentExamplesAreEquivalent) {
  EXPECT_TRUE(same("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"));
  EXPECT_TRUE(same("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"));
  EXPECT_TRUE(same("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"));
  EXPECT_TRUE(same("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"));
  EXPECT_TRUE(same("sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                   "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"));
  EXPECT_TRUE(same("sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                   "sip:alice@atlanta.com?priority=urgent&subject=project%20x"));
}

TEST(UriComparison, TheDifferentExamplesAreDifferent) {
  EXPECT_FALSE(same("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"));
  EXPECT_FALSE(same("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"));
  EXPECT_FALSE(same("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"));
  EXPECT_FALSE(same("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"));
  EXPECT_FALSE(same("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"));
  EXPECT_FALSE(same("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"));
  EXPECT_FALSE(same("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"));
}

TEST(UriComparison, SchemeUserPasswordAndReservedEscapesCount) {
  EXPECT_FALSE(same("sip:a@b", "sips:a@b"));
  EXPECT_FALSE(same("sip:b", "sip:a@b"));
  EXPECT_FALSE(same("sip:a:x@b", "sip:a@b"));
  EXPECT_FALSE(same("sip:a:x@b", "sip:a:y@b"));
  EXPECT_FALSE(same("sip:a%3Bb@c", "sip:a;b@c"));
  EXPECT_TRUE(same("sip:a%2Db@c", "sip:a-b@c"));
  EXPECT_TRUE(same("sip:a@[2001:DB8::1]", "sip:a@[2001:db8:0::1]"));
  EXPECT_FALSE(same("sip:a@b;user=phone", "sip:a@b"));
  EXPECT_FALSE(same("sip:a@b;maddr=1.2.3.4", "sip:a@b"));
  EXPECT_FALSE(same("sip:a@b?x=1&y=2", "sip:a@b?x=1"));
}

TEST(UriComparison, TelephoneNumbersIgnoreVisualSeparators) {
  EXPECT_TRUE(same("tel:+1-201-555-0123", "tel:+1(201)5550123"));
  EXPECT_FALSE(same("tel:+12015550123", "tel:12015550123"));
  EXPECT_FALSE(same("tel:7042;phone-context=a.example", "tel:7042;phone-context=b.example"));
  EXPECT_FALSE(same("tel:7042;ext=1", "tel:7042"));
}

TEST(Uri, DecodedUserIsWhatAPersonDialled) {
  EXPECT_EQ(Uri::parse("sip:%2A43%23@pbx")->decoded_user(), "*43#");
  EXPECT_EQ(Uri::parse("sip:*43#@pbx")->decoded_user(), "*43#");
  EXPECT_EQ(Uri::parse("sip:+12125551212;phone-context=x@pbx;user=phone")->decoded_user(), "+12125551212");
  EXPECT_EQ(Uri::parse("sip:alice;day=tuesday@pbx")->decoded_user(), "alice;day=tuesday");
}

TEST(Uri, AddressOfRecordDropsAllButTheAddress) {
  EXPECT_EQ(Uri::parse("sip:%61lice:pw@EXAMPLE.com:5070;transport=tcp?a=b")->address_of_record(),
            "sip:alice@example.com:5070");
  EXPECT_EQ(Uri::parse("tel:+1201;x=y")->address_of_record(), "tel:+1201");
}

TEST(Uri, EscapingRoundTrips) {
  const std::string text = "a b@c:%\xC3\xBC;?";
  EXPECT_EQ(escape_user(text), "a%20b%40c%3A%25%C3%BC;?");
  EXPECT_EQ(unescape(escape_user(text)), text);
  EXPECT_EQ(unescape(escape_param(text)), text);
  EXPECT_EQ(unescape(escape_header(text)), text);
  EXPECT_FALSE(unescape("%4"));
  EXPECT_FALSE(unescape("%4g"));
}

TEST(Params, AreSetReplacedAndRemovedInTheirPlace) {
  const auto p = Params::parse(" ; a = 1 ;flag; b=\"x;y\" ");
  ASSERT_TRUE(p);
  EXPECT_EQ(p->get("B"), "\"x;y\"");
  EXPECT_EQ(p->with("a", "2"), ";a=2;flag;b=\"x;y\"");
  EXPECT_EQ(p->with("flag", "on"), ";a=1;flag=on;b=\"x;y\"");
  EXPECT_EQ(p->with("new", "3"), ";a=1;flag;b=\"x;y\";new=3");
  EXPECT_EQ(p->without("b"), ";a=1;flag");
  EXPECT_EQ(p->with_flag("lr"), ";a=1;flag;b=\"x;y\";lr");
}

TEST(Params, BadOnesAreRefused) {
  for (const std::string_view text :
       {"a=1", ";", ";;a", ";a b", ";=1", ";a=\"x", ";a=\"x\"y", ";a=x y", ";a=x,y", ";a\"=1", "x;a"}) {
    EXPECT_FALSE(Params::parse(text)) << text;
  }
}

TEST(Host, PortRangeAndBracketsAreChecked) {
  EXPECT_EQ(HostPort::parse("[::1]:5060")->port, 5060);
  EXPECT_FALSE(HostPort::parse("[::1]5060"));
  EXPECT_FALSE(HostPort::parse("::1"));
  EXPECT_FALSE(HostPort::parse("a : 5"));
  EXPECT_EQ(HostPort::parse("a : 5", true)->port, 5);
  EXPECT_TRUE(is_host("my_host.example."));
  EXPECT_FALSE(is_host("."));
  EXPECT_FALSE(is_host(std::string(254, 'a')));
}

}  // namespace
}  // namespace bw::sip
