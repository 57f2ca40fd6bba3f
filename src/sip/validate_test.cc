#include "sip/validate.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "sip/dialog.h"

namespace bw::sip {
namespace {

Message good(Method method = Method::kInvite) {
  Message m = Message::request(method, "sip:1002@pbx.example.com");
  m.add(HeaderName::kVia, "SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKabc");
  m.add(HeaderName::kMaxForwards, "70");
  m.add(HeaderName::kFrom, "<sip:1001@pbx.example.com>;tag=a");
  m.add(HeaderName::kTo, "<sip:1002@pbx.example.com>");
  m.add(HeaderName::kCallId, "id");
  m.add(HeaderName::kCSeq, "1 " + std::string{name_of(method)});
  m.add(HeaderName::kContact, "<sip:1001@192.0.2.7>");
  return m;
}

// "status why" of the refusal, or "taken".
std::string said_of(const Message& m, ValidationRules rules = {}) {
  const auto r = validate(m, rules);
  return r ? std::to_string(r->status) + " " + std::string{r->why} : "taken";
}

Message with(HeaderName id, std::string_view value, Method method = Method::kInvite) {
  Message m = good(method);
  m.set(id, value);
  return m;
}

TEST(Validate, GoodRequestsOfEveryMethodAreTaken) {
  for (int i = 1; i <= static_cast<int>(Method::kPublish); ++i) {
    Message m = good(static_cast<Method>(i));
    m.add(HeaderName::kReferTo, "<sip:x@y>");
    m.add(HeaderName::kRAck, "1 1 INVITE");
    m.add(HeaderName::kEvent, "dialog");
    EXPECT_EQ(said_of(m), "taken") << m.method_name();
  }
}

TEST(Validate, MissingHeadersAreNamed) {
  const std::array cases = {
      std::pair{HeaderName::kVia, "400 Via is missing"},
      std::pair{HeaderName::kFrom, "400 From is missing"},
      std::pair{HeaderName::kTo, "400 To is missing"},
      std::pair{HeaderName::kCallId, "400 Call-ID is missing"},
      std::pair{HeaderName::kCSeq, "400 CSeq is missing"},
      std::pair{HeaderName::kMaxForwards, "taken"},
      std::pair{HeaderName::kContact, "400 There must be exactly one Contact"},
  };
  for (const auto& [id, expected] : cases) {
    Message m = good();
    m.remove(id);
    EXPECT_EQ(said_of(m), expected);
  }
}

TEST(Validate, DuplicatesOfWhatIsSingleAreRefused) {
  for (const HeaderName id : {HeaderName::kFrom, HeaderName::kTo, HeaderName::kCallId, HeaderName::kCSeq,
                              HeaderName::kMaxForwards}) {
    Message m = good();
    m.add(id, std::string{*m.get(id)});
    EXPECT_EQ(said_of(m), "400 A header that may come once came twice") << name_of(id);
  }
  Message m = good();
  m.add(HeaderName::kVia, "SIP/2.0/UDP other.example");
  EXPECT_EQ(said_of(m), "taken");
  m.add(HeaderName::kContact, "<sip:x@y>");
  EXPECT_EQ(said_of(m), "400 There must be exactly one Contact");
}

TEST(Validate, ADialogIsNotBegunWithMoreRoutesThanItCanHold) {
  Message m = good();
  for (std::size_t i = 0; i < DialogLimits::kRoutes; ++i)
    m.add(HeaderName::kRecordRoute, "<sip:p.example;lr>");
  EXPECT_EQ(said_of(m), "taken");
  EXPECT_TRUE(Dialog::as_uas(m, "tag", "<sip:us@h>", false));
  m.add(HeaderName::kRecordRoute, "<sip:one.example;lr>");
  EXPECT_EQ(said_of(m), "400 There are too many Record-Routes");
  m.remove(HeaderName::kContact);  // one of RFC 2543, which needs neither Contact nor tag, is no way around
  m.set(HeaderName::kFrom, "<sip:1001@h>");
  EXPECT_EQ(said_of(m), "400 There are too many Record-Routes");
}

TEST(Validate, MalformedHeadersAreNamed) {
  EXPECT_EQ(said_of(with(HeaderName::kVia, "UDP host")), "400 Via is malformed");
  EXPECT_EQ(said_of(with(HeaderName::kVia, "SIP/2.0/UDP h;branch=a;branch=b")), "400 Via is malformed");
  EXPECT_EQ(said_of(with(HeaderName::kFrom, "<sip:a@b>;tag=1;tag=2")), "400 From is malformed");
  EXPECT_EQ(said_of(with(HeaderName::kTo, "<sip:a@b>, <sip:c@d>")), "400 To is malformed");
  EXPECT_EQ(said_of(with(HeaderName::kTo, "<nothing>")), "400 To is malformed");
  EXPECT_EQ(said_of(with(HeaderName::kCallId, "a b")), "400 Call-ID is malformed");
  EXPECT_EQ(said_of(with(HeaderName::kCSeq, "x INVITE")), "400 CSeq is malformed");
  EXPECT_EQ(said_of(with(HeaderName::kCSeq, "1 BYE")), "400 The method in CSeq is not that of the request");
  EXPECT_EQ(said_of(with(HeaderName::kMaxForwards, "many")), "400 Max-Forwards is not a number up to 255");
  EXPECT_EQ(said_of(with(HeaderName::kContact, "<sip:a@b>;;")), "400 Contact is malformed");
  EXPECT_EQ(said_of(with(HeaderName::kContact, "*")), "400 Contact is not a SIP URI");
  EXPECT_EQ(said_of(with(HeaderName::kContact, "<tel:+1>")), "400 Contact is not a SIP URI");
  EXPECT_EQ(said_of(with(HeaderName::kRoute, "<sip:a@b>,,")), "400 Route is malformed");
  EXPECT_EQ(said_of(with(HeaderName::kRecordRoute, "<a b>")), "400 Record-Route is malformed");
  EXPECT_EQ(said_of(with(HeaderName::kContentType, "sdp")), "400 Content-Type is malformed");
}

TEST(Validate, RequestUriDecidesFirst) {
  const auto to = [](std::string_view uri) {
    Message m = good();
    m.set_request_uri(uri);
    return said_of(m);
  };
  EXPECT_EQ(to("sip:a b"), "400 The Request-URI is malformed");
  EXPECT_EQ(to("sip:a@b?x=y"), "400 The Request-URI has headers");
  EXPECT_EQ(to("http://x"), "416 The scheme of the Request-URI is not supported");
  EXPECT_EQ(to("tel:+1201"), "taken");
}

TEST(Validate, RequireIsCheckedExceptInAckAndCancel) {
  const std::array<std::string_view, 2> supported = {"100rel", "timer"};
  EXPECT_EQ(said_of(with(HeaderName::kRequire, "100REL"), {supported}), "taken");
  const auto r = validate(with(HeaderName::kRequire, "100rel, x, y"), {supported});
  ASSERT_TRUE(r);
  EXPECT_EQ(r->status, 420);
  EXPECT_EQ(r->header_value, "x, y");
  EXPECT_EQ(said_of(with(HeaderName::kRequire, "x", Method::kAck)), "taken");
  EXPECT_EQ(said_of(with(HeaderName::kRequire, "x", Method::kCancel)), "taken");
}

TEST(Validate, BodiesNobodyCanReadAre415) {
  Message m = good();
  m.set_body("application/sdp", "v=0\r\n");
  EXPECT_EQ(said_of(m), "taken");
  m.set(HeaderName::kContentEncoding, "gzip");
  EXPECT_EQ(validate(m)->header, HeaderName::kAcceptEncoding);
  m.remove(HeaderName::kContentEncoding);
  m.set_body("text/plain", "hello");
  EXPECT_EQ(said_of(m), "415 The body is not a session description");
  m.set(HeaderName::kContentDisposition, "icon;handling=optional");
  EXPECT_EQ(said_of(m), "taken");
  m.set_body("", "hello");
  EXPECT_EQ(said_of(m), "400 There is a body without Content-Type");
  Message text = good(Method::kMessage);
  text.set_body("text/plain", "hello");
  EXPECT_EQ(said_of(text), "taken");
}

TEST(Validate, MethodsHaveTheirNeeds) {
  EXPECT_EQ(said_of(good(Method::kRefer)), "400 Refer-To is missing");
  EXPECT_EQ(said_of(good(Method::kPrack)), "400 RAck is missing");
  EXPECT_EQ(said_of(good(Method::kSubscribe)), "489 Event is missing");
  EXPECT_EQ(said_of(good(Method::kNotify)), "489 Event is missing");
  EXPECT_EQ(said_of(with(HeaderName::kContact, "*", Method::kRegister)), "taken");
}

TEST(Validate, ResponsesNeedOneViaAndAReadableCSeq) {
  Message m = Message::response(200);
  const Message request = good();
  for (const HeaderName id :
       {HeaderName::kVia, HeaderName::kFrom, HeaderName::kTo, HeaderName::kCallId, HeaderName::kCSeq}) {
    m.copy(request, id);
  }
  EXPECT_FALSE(validate_response(m));
  m.set(HeaderName::kCSeq, "1");
  EXPECT_TRUE(validate_response(m));
  m.set(HeaderName::kCSeq, "1 INVITE");
  m.add(HeaderName::kVia, "SIP/2.0/UDP other.example");
  EXPECT_TRUE(validate_response(m));
}

}  // namespace
}  // namespace bw::sip
