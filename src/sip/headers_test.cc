// The typed headers: what each reads, refuses and writes.
#include <gtest/gtest.h>

#include <string>

#include "sip/auth_header.h"
#include "sip/contact.h"
#include "sip/cseq.h"
#include "sip/event.h"
#include "sip/flow.h"
#include "sip/grammar.h"
#include "sip/media_type.h"
#include "sip/name_addr.h"
#include "sip/number.h"
#include "sip/rack.h"
#include "sip/reason.h"
#include "sip/replaces.h"
#include "sip/retry_after.h"
#include "sip/session_expires.h"
#include "sip/status.h"
#include "sip/token_list.h"
#include "sip/via.h"

namespace bw::sip {
namespace {

TEST(HeaderName, LongCompactAndAnyCaseAreTheSame) {
  for (std::size_t i = 1; i < kHeaderNameCount; ++i) {
    const auto id = static_cast<HeaderName>(i);
    std::string name{name_of(id)};
    EXPECT_EQ(header_name_from(name), id) << name;
    for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    EXPECT_EQ(header_name_from(name), id) << name;
    if (const char c = compact_form(id)) EXPECT_EQ(header_name_from(std::string(1, c)), id);
  }
  EXPECT_EQ(header_name_from("v"), HeaderName::kVia);
  EXPECT_EQ(header_name_from("X"), HeaderName::kSessionExpires);
  EXPECT_EQ(header_name_from("z"), HeaderName::kUnknown);
  EXPECT_EQ(header_name_from("Vib"), HeaderName::kUnknown);
  EXPECT_EQ(header_name_from(""), HeaderName::kUnknown);
}

TEST(Method, CaseMatters) {
  for (int i = 1; i <= static_cast<int>(Method::kPublish); ++i) {
    EXPECT_EQ(method_from(name_of(static_cast<Method>(i))), static_cast<Method>(i));
  }
  EXPECT_EQ(method_from("invite"), Method::kUnknown);
  EXPECT_EQ(method_from(""), Method::kUnknown);
}

TEST(Flow, TokensOfTransports) {
  EXPECT_EQ(via_token(Transport::kWss), "WSS");
  EXPECT_EQ(uri_token(Transport::kUdp), "udp");
}

TEST(Status, UnknownCodesSpeakForTheirClass) {
  EXPECT_EQ(reason_phrase(486), "Busy Here");
  EXPECT_EQ(reason_phrase(499), "Bad Request");
  EXPECT_EQ(reason_phrase(299), "OK");
  EXPECT_EQ(reason_phrase(700), "");
}

TEST(NameAddr, QuotedTokenAndBareForms) {
  const auto quoted = NameAddr::parse(R"("A \"B\" <x>, C" <sip:a@b;lr>;tag=1;x="y;z")");
  ASSERT_TRUE(quoted);
  EXPECT_EQ(quoted->display_name(), "A \"B\" <x>, C");
  EXPECT_EQ(quoted->uri, "sip:a@b;lr");
  EXPECT_EQ(quoted->tag(), "1");
  const auto tokens = NameAddr::parse("Alice  Example <sip:a@b>");
  EXPECT_EQ(tokens->display_name(), "Alice  Example");
  EXPECT_EQ(NameAddr::parse("J\xC3\xBCrgen <sip:a@b>")->display_name(), "J\xC3\xBCrgen");
  const auto bare = NameAddr::parse("sip:a@b;tag=2");
  EXPECT_EQ(bare->uri, "sip:a@b");
  EXPECT_EQ(bare->tag(), "2");
}

TEST(NameAddr, MalformedOnesAreRefused) {
  for (const std::string_view text :
       {"", "\"A <sip:a@b>", "\"A\" sip:a@b", "\"A\"", "<sip:a@b", "<>", "A, B <sip:a@b>", "<sip:a@b> x",
        "<sip:a@b>;;", "sip:a@b?x=y", "sip:a@b;tag=1 2", "A <sip:a@b>;tag=\"x", "A@B <sip:a@b>"}) {
    EXPECT_FALSE(NameAddr::parse(text)) << text;
  }
}

TEST(NameAddr, TagsAreSetAndRemoved) {
  EXPECT_EQ(with_tag("sip:a@b", "t"), "<sip:a@b>;tag=t");
  EXPECT_EQ(with_tag("\"A\" <sip:a@b>;tag=old;x=1", "t"), "\"A\" <sip:a@b>;tag=t;x=1");
  EXPECT_EQ(without_tag("A <sip:a@b>;tag=old"), "A <sip:a@b>");
  EXPECT_EQ(tag_of("<sip:a@b>"), "");
  EXPECT_EQ(make_name_addr("A \"x\" \\", "sip:a@b", ";q=1"), R"("A \"x\" \\" <sip:a@b>;q=1)");
  EXPECT_EQ(NameAddr::parse(make_name_addr("A \"x\" \\", "sip:a@b"))->display_name(), "A \"x\" \\");
}

TEST(Via, ResponseGoesToReceivedAndRport) {
  const auto at = [](std::string_view text) { return Via::parse(text)->response_address(); };
  EXPECT_EQ(at("SIP/2.0/UDP 192.0.2.1"), Endpoint::parse("192.0.2.1:5060"));
  EXPECT_EQ(at("SIP/2.0/TLS 192.0.2.1"), Endpoint::parse("192.0.2.1:5061"));
  EXPECT_EQ(at("SIP/2.0/UDP a.example:5080;received=192.0.2.9"), Endpoint::parse("192.0.2.9:5080"));
  EXPECT_EQ(at("SIP/2.0/UDP a.example:5080;received=192.0.2.9;rport=99"), Endpoint::parse("192.0.2.9:99"));
  EXPECT_EQ(at("SIP/2.0/UDP a.example"), std::nullopt);
}

TEST(Via, SourceReplacesWhatTheSenderClaimed) {
  const Endpoint source = *Endpoint::parse("198.51.100.3:4321");
  const auto rewritten = [&](std::string_view text) { return Via::parse(text)->with_source(source); };
  EXPECT_EQ(rewritten("SIP/2.0/UDP 198.51.100.3;branch=b"), "SIP/2.0/UDP 198.51.100.3;branch=b");
  EXPECT_EQ(rewritten("SIP/2.0/UDP 10.0.0.1;branch=b"),
            "SIP/2.0/UDP 10.0.0.1;branch=b;received=198.51.100.3");
  EXPECT_EQ(rewritten("SIP/2.0/UDP 198.51.100.3;rport;branch=b"),
            "SIP/2.0/UDP 198.51.100.3;rport=4321;branch=b;received=198.51.100.3");
  EXPECT_EQ(rewritten("SIP/2.0/UDP 198.51.100.3;received=6.6.6.6"), "SIP/2.0/UDP 198.51.100.3");
  EXPECT_EQ(make_via(Transport::kTcp, "192.0.2.1:5060", "z9hG4bKx"),
            "SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bKx;rport");
}

TEST(Via, MalformedOnesAreRefused) {
  for (const std::string_view text :
       {"", "SIP/2.0 host", "SIP/2.0/UDP", "SIP/2.0/UDP ", "SIP/2.0/UDP host:x", "SIP/2.0/UDP host;;",
        "/2.0/UDP h", "SIP/2.0/UDP [::1", "SIP/2.0/U DP host x", "SIP/2.0/UDP h, SIP/2.0/UDP i"}) {
    EXPECT_FALSE(Via::parse(text)) << text;
  }
}

TEST(CSeq, NumberIsBelowTwoToThe31) {
  EXPECT_EQ(CSeq::parse("0009  INVITE")->number, 9U);
  EXPECT_EQ(CSeq::parse("2147483647 X")->method_name, "X");
  for (const std::string_view text :
       {"2147483648 ACK", "-1 ACK", "1ACK", "1", "1 ", "ACK 1", "1 A B", "99999999999 A"}) {
    EXPECT_FALSE(CSeq::parse(text)) << text;
  }
  EXPECT_EQ(CSeq::of(7, Method::kBye).to_string(), "7 BYE");
}

TEST(Contact, ParametersOfRegistration) {
  const auto c = Contact::parse(
      "<sip:a@b;ob>;expires=60;q=0.75;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\";reg-"
      "id=1");
  ASSERT_TRUE(c);
  EXPECT_EQ(c->expires(), 60U);
  EXPECT_EQ(c->q(), 750);
  EXPECT_EQ(c->instance(), "urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF");
  EXPECT_EQ(c->reg_id(), 1U);
  EXPECT_TRUE(Contact::parse(" * ")->wildcard);
  EXPECT_EQ(Contact::parse("<sip:a@b>;expires=99999999999")->expires(), UINT32_MAX);
  EXPECT_EQ(Contact::parse("<sip:a@b>;expires=-1")->expires(), std::nullopt);
  EXPECT_EQ(Contact::parse("<sip:a@b>;reg-id=0")->reg_id(), std::nullopt);
}

TEST(Contact, QvalueHasThreeDecimals) {
  EXPECT_EQ(parse_qvalue("0.333"), 333);
  EXPECT_EQ(parse_qvalue("1.000"), 1000);
  EXPECT_EQ(parse_qvalue("0."), 0);
  for (const std::string_view text : {"", "2", "1.001", "0.1234", ".5", "0,5", "-1"})
    EXPECT_FALSE(parse_qvalue(text)) << text;
}

TEST(AuthHeader, CredentialsOfAPhone) {
  const auto c = Credentials::parse(
      "Digest username=\"1001\",realm=\"pbx, main\" , nonce=\"a=b<c\", uri=\"sip:x@y;z\", response=\"00\","
      "algorithm=MD5, cnonce=\"q\\\"q\", qop=auth, nc=0000000a, other=1");
  ASSERT_TRUE(c);
  EXPECT_EQ(c->realm, "pbx, main");
  EXPECT_EQ(c->nonce, "a=b<c");
  EXPECT_EQ(c->cnonce, "q\\\"q");
  EXPECT_EQ(c->nonce_count(), 10U);
  EXPECT_EQ(Credentials::parse(c->to_string()), c);
}

TEST(AuthHeader, AmbiguousOrIncompleteCredentialsAreRefused) {
  EXPECT_FALSE(Credentials::parse(R"(Digest username="a", nonce="n", uri="sip:x", response="r", nc=0\)"));
  const std::string good = "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:a\", response=\"x\"";
  EXPECT_TRUE(Credentials::parse(good));
  for (const std::string_view extra :
       {", username=\"v\"", ", nonce=\"m\"", ", x", ", =1", ", a=\"b", ", a=b c"}) {
    EXPECT_FALSE(Credentials::parse(good + std::string{extra})) << extra;
  }
  EXPECT_FALSE(Credentials::parse("Basic QWxhZGRpbg=="));
  EXPECT_FALSE(Credentials::parse("Digest username=\"u\", realm=\"r\""));
  std::string many = good;
  for (int i = 0; i < 40; ++i) many += ", p" + std::to_string(i) + "=1";
  EXPECT_FALSE(Credentials::parse(many));
  EXPECT_EQ(Credentials::parse(good + ", nc=1")->nonce_count(), std::nullopt);
  EXPECT_EQ(Credentials::parse(good + ", nc=0000000g")->nonce_count(), std::nullopt);
}

TEST(AuthHeader, ChallengeIsWrittenTheWayPhonesExpect) {
  const Challenge c{.realm = "pbx",
                    .domain = {},
                    .nonce = "n",
                    .opaque = {},
                    .algorithm = "MD5",
                    .qop = "auth",
                    .stale = "true"};
  EXPECT_EQ(c.to_string(), "Digest realm=\"pbx\", nonce=\"n\", stale=true, algorithm=MD5, qop=\"auth\"");
  EXPECT_EQ(Challenge::parse(c.to_string()), c);
  const std::string all_quoted = "Digest realm=\"r\", nonce=\"n\", algorithm=\"MD5, x\", qop=auth";
  EXPECT_EQ(Challenge::parse(Challenge::parse(all_quoted)->to_string()), Challenge::parse(all_quoted));
  EXPECT_TRUE(c.is_stale());
  EXPECT_TRUE(Challenge::parse("Digest realm=\"\", nonce=\"n\", qop=\"auth-int,auth\"")->offers_qop("auth"));
  EXPECT_FALSE(Challenge::parse("Digest realm=\"x\""));
}

TEST(SessionExpires, RefresherIsUnderstood) {
  EXPECT_EQ(SessionExpires::parse("1800;refresher=uas"), (SessionExpires{1800, Refresher::kUas}));
  EXPECT_EQ(SessionExpires::parse("90 ; x=y"), (SessionExpires{90, Refresher::kUnspecified}));
  EXPECT_FALSE(SessionExpires::parse("1800;refresher=me"));
  EXPECT_FALSE(SessionExpires::parse("soon"));
  EXPECT_EQ((SessionExpires{90, Refresher::kUac}).to_string(), "90;refresher=uac");
  EXPECT_EQ(parse_min_se("120"), 120U);
}

TEST(Replaces, NeedsEachTagOnce) {
  const auto r = Replaces::parse("a@b ; from-tag=f;to-tag=t ;early-only");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->to_string(), "a@b;to-tag=t;from-tag=f;early-only");
  EXPECT_EQ(Replaces::parse_target_dialog("x;local-tag=l;remote-tag=r")->to_tag, "r");
  for (const std::string_view text :
       {"a@b;to-tag=t", "a@b;from-tag=f", ";to-tag=t;from-tag=f", "a b;to-tag=t;from-tag=f",
        "a@;to-tag=t;from-tag=f", "a;to-tag=t;to-tag=u;from-tag=f", "a;to-tag=\"t\";from-tag=f",
        "a@b@c;to-tag=t;from-tag=f"}) {
    EXPECT_FALSE(Replaces::parse(text)) << text;
  }
}

TEST(Reason, OfOneProtocolAmongSeveral) {
  Message m = Message::request(Method::kBye, "sip:a@b");
  m.add(HeaderName::kReason,
        "Q.850;cause=16;text=\"Normal, clearing\", SIP;cause=200;text=\"Call completed elsewhere\"");
  EXPECT_EQ(Reason::of(m, "sip")->cause, 200);
  EXPECT_EQ(Reason::of(m, "Q.850")->plain_text(), "Normal, clearing");
  EXPECT_FALSE(Reason::of(m, "X"));
  EXPECT_EQ(make_reason("SIP", 200, "a \"b\""), "SIP;cause=200;text=\"a \\\"b\\\"\"");
  EXPECT_FALSE(Reason::parse("SIP;cause=x"));
}

TEST(Event, PackageAndIdMakeASubscription) {
  const auto a = Event::parse("dialog;id=7;x=1");
  EXPECT_TRUE(a->same_as(*Event::parse("dialog;id=7")));
  EXPECT_FALSE(a->same_as(*Event::parse("dialog")));
  EXPECT_FALSE(Event::parse(""));
  EXPECT_FALSE(Event::parse("a b"));
}

TEST(SubscriptionState, ParametersAreRead) {
  const auto s = SubscriptionState::parse("Terminated;reason=timeout;retry-after=5");
  EXPECT_TRUE(s->is("terminated"));
  EXPECT_EQ(s->reason, "timeout");
  EXPECT_EQ(s->retry_after, 5U);
  EXPECT_EQ((SubscriptionState{"active", {}, 60, {}}).to_string(), "active;expires=60");
}

TEST(RetryAfter, CommentIsSkipped) {
  EXPECT_EQ(RetryAfter::parse("120 (in a (long) \\) meeting);duration=3600"), (RetryAfter{120, 3600}));
  EXPECT_EQ(RetryAfter::parse("949302838503028349304023988")->seconds, UINT32_MAX);
  EXPECT_FALSE(RetryAfter::parse("120 (never ends"));
  EXPECT_FALSE(RetryAfter::parse("(x)"));
}

TEST(TokenList, LinesAndCommasAreOneList) {
  Message m = Message::request(Method::kInvite, "sip:a@b");
  m.add("k", "timer ,");
  m.add("Supported", "100REL,replaces");
  m.add("Allow", "INVITE, ack");
  m.add("Privacy", "header;ID");
  EXPECT_TRUE(lists(m, HeaderName::kSupported, "100rel"));
  EXPECT_FALSE(lists(m, HeaderName::kSupported, "outbound"));
  EXPECT_TRUE(allows(m, Method::kInvite));
  EXPECT_FALSE(allows(m, Method::kAck));
  EXPECT_TRUE(wants_privacy(m, "id"));
  EXPECT_FALSE(wants_privacy(m, "user"));
}

TEST(MediaType, RangesAndBodies) {
  Message m = Message::request(Method::kInvite, "sip:a@b");
  EXPECT_TRUE(accepts(m, "application", "sdp"));
  m.set(HeaderName::kAccept, "text/plain;q=0.5, application/*");
  EXPECT_TRUE(accepts(m, "application", "sdp"));
  EXPECT_FALSE(accepts(m, "audio", "wav"));
  m.set_body("Application/SDP ; charset=utf-8", "v=0\r\n");
  EXPECT_TRUE(has_body_of(m, "application", "sdp"));
  EXPECT_FALSE(MediaType::parse("application"));
}

TEST(Numbers, OfAMessage) {
  Message m = Message::request(Method::kRegister, "sip:b");
  m.add(HeaderName::kMaxForwards, "256");
  m.add(HeaderName::kExpires, "3600");
  m.add(HeaderName::kRSeq, "0");
  EXPECT_EQ(max_forwards_of(m), std::nullopt);
  EXPECT_EQ(seconds_of(m, HeaderName::kExpires), 3600U);
  EXPECT_EQ(rseq_of(m), std::nullopt);
  EXPECT_EQ(RAck::parse("776656 1 INVITE")->cseq.method, Method::kInvite);
  EXPECT_FALSE(RAck::parse("0 1 INVITE"));
}

TEST(Grammar, QuotingRoundTrips) {
  for (const std::string_view text : {"", "a", "\"", "\\", "a\\\"b,c<d>"})
    EXPECT_EQ(unquote(quote(text)), text);
  EXPECT_EQ(unquote("plain"), "plain");
  std::string_view rest = " , a, \"b,c\" <x,y>;z , <d";
  EXPECT_EQ(next_element(rest), "a");
  EXPECT_EQ(next_element(rest), "\"b,c\" <x,y>;z");
  EXPECT_EQ(next_element(rest), "<d");
  EXPECT_EQ(next_element(rest), "");
}

}  // namespace
}  // namespace bw::sip
