#include "sip/dialog.h"

#include <gtest/gtest.h>

#include "sip/name_addr.h"

namespace bw::sip {
namespace {

Message invite() {
  Message m = Message::request(Method::kInvite, "sip:bob@biloxi.example.com");
  m.add(HeaderName::kVia, "SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1");
  m.add(HeaderName::kFrom, "\"Alice; the\" <sip:alice@atlanta.example.com>;tag=a1");
  m.add(HeaderName::kTo, "Bob <sip:bob@biloxi.example.com>");
  m.add(HeaderName::kCallId, "a84b4c76e66710");
  m.add(HeaderName::kCSeq, "314159 INVITE");
  m.add(HeaderName::kContact, "<sip:alice@192.0.2.9>");
  return m;
}

Message answer(const Message& request, int status) {
  Message m = make_response(request, status, "b1");
  m.add(HeaderName::kContact, "<sip:bob@192.0.2.4;transport=tcp>");
  return m;
}

TEST(Response, CopiesWhatSection826Names) {
  Message request = invite();
  request.prepend(HeaderName::kVia, "SIP/2.0/TCP proxy.example.com;branch=z9hG4bK2");
  request.add(HeaderName::kTimestamp, "54");
  const Message trying = make_response(request, 100, {});
  EXPECT_EQ(trying.elements(HeaderName::kVia), request.elements(HeaderName::kVia));
  EXPECT_EQ(trying.get(HeaderName::kFrom), request.get(HeaderName::kFrom));
  EXPECT_EQ(trying.get(HeaderName::kTo), request.get(HeaderName::kTo));
  EXPECT_EQ(trying.get(HeaderName::kCSeq), "314159 INVITE");
  EXPECT_EQ(trying.get(HeaderName::kTimestamp), "54");
  EXPECT_EQ(tag_of(*make_response(request, 404, "x").get(HeaderName::kTo)), "x");
  request.set(HeaderName::kTo, "<sip:bob@biloxi.example.com>;tag=known");
  EXPECT_EQ(tag_of(*make_response(request, 404, "x").get(HeaderName::kTo)), "known");
  EXPECT_EQ(make_response(request, 404, "x").reason(), "Not Found");
  EXPECT_EQ(make_response(request, 404, "x", "Gone Fishing").reason(), "Gone Fishing");
}

TEST(Dialog, OfTheCallerTakesItsStateFromRequestAndResponse) {
  const Message request = invite();
  Message ok = answer(request, 200);
  ok.add(HeaderName::kRecordRoute, "<sip:p3.example.com;lr>, <sip:p2.example.com;lr>");
  ok.add(HeaderName::kRecordRoute, "<sip:p1.example.com;lr>");
  auto dialog = Dialog::as_uac(request, ok);
  ASSERT_TRUE(dialog);
  EXPECT_EQ(dialog->call_id(), "a84b4c76e66710");
  EXPECT_EQ(dialog->local_tag(), "a1");
  EXPECT_EQ(dialog->remote_tag(), "b1");
  EXPECT_EQ(dialog->remote_target(), "sip:bob@192.0.2.4;transport=tcp");
  EXPECT_EQ(dialog->next_hop(), "sip:p1.example.com;lr");
  const Message bye = dialog->make_request(Method::kBye);
  EXPECT_EQ(bye.request_uri(), "sip:bob@192.0.2.4;transport=tcp");
  EXPECT_EQ(bye.elements(HeaderName::kRoute),
            (std::vector<std::string_view>{"<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>",
                                           "<sip:p3.example.com;lr>"}));
  EXPECT_EQ(bye.get(HeaderName::kCSeq), "314160 BYE");
  EXPECT_EQ(bye.get(HeaderName::kFrom), "\"Alice; the\" <sip:alice@atlanta.example.com>;tag=a1");
  EXPECT_EQ(bye.get(HeaderName::kTo), "Bob <sip:bob@biloxi.example.com>;tag=b1");
  EXPECT_EQ(bye.get(HeaderName::kMaxForwards), "70");
  EXPECT_FALSE(bye.has(HeaderName::kVia));
  EXPECT_FALSE(bye.has(HeaderName::kContact));
  EXPECT_EQ(dialog->make_request(Method::kInvite).get(HeaderName::kContact), "<sip:alice@192.0.2.9>");
}

TEST(Dialog, OfTheCalledTakesTheRouteInOrder) {
  Message request = invite();
  request.add(HeaderName::kRecordRoute, "<sip:p1.example.com;lr>");
  request.add(HeaderName::kRecordRoute, "<sip:p2.example.com;lr>");
  auto dialog = Dialog::as_uas(request, "us", "<sip:bob@198.51.100.1>", false);
  ASSERT_TRUE(dialog);
  EXPECT_EQ(dialog->local_tag(), "us");
  EXPECT_EQ(dialog->remote_tag(), "a1");
  EXPECT_EQ(dialog->remote_target(), "sip:alice@192.0.2.9");
  const Message bye = dialog->make_request(Method::kBye);
  EXPECT_EQ(bye.elements(HeaderName::kRoute),
            (std::vector<std::string_view>{"<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>"}));
  EXPECT_EQ(bye.get(HeaderName::kFrom), "Bob <sip:bob@biloxi.example.com>;tag=us");
}

TEST(Dialog, ItsResponsesCarryContactAndRouteOnlyWhereADialogIsMade) {
  Message request = invite();
  request.add(HeaderName::kRecordRoute, "<sip:p1.example.com;lr>, <sip:p2.example.com;lr>");
  const auto dialog = Dialog::as_uas(request, "us", "<sip:bob@198.51.100.1>", false);
  ASSERT_TRUE(dialog);
  for (const int status : {180, 183, 200}) {
    const Message response = dialog->make_response(request, status);
    EXPECT_EQ(response.elements(HeaderName::kRecordRoute), request.elements(HeaderName::kRecordRoute));
    EXPECT_EQ(response.get(HeaderName::kContact), "<sip:bob@198.51.100.1>");
    EXPECT_EQ(tag_of(*response.get(HeaderName::kTo)), "us");
  }
  for (const int status : {100, 302, 486}) {
    const Message response = dialog->make_response(request, status);
    EXPECT_FALSE(response.has(HeaderName::kRecordRoute)) << status;
    EXPECT_FALSE(response.has(HeaderName::kContact)) << status;
  }
}

TEST(Dialog, AStrictRouterFindsItselfInTheRequestUri) {
  const Message request = invite();
  Message ok = answer(request, 200);
  ok.add(HeaderName::kRecordRoute, "<sip:p2.example.com;lr>");
  ok.add(HeaderName::kRecordRoute, "<sip:p1.example.com;method=INVITE?Subject=x>");
  auto dialog = Dialog::as_uac(request, ok);
  ASSERT_TRUE(dialog);
  const Message bye = dialog->make_request(Method::kBye);
  EXPECT_EQ(bye.request_uri(), "sip:p1.example.com");
  EXPECT_EQ(bye.elements(HeaderName::kRoute),
            (std::vector<std::string_view>{"<sip:p2.example.com;lr>", "<sip:bob@192.0.2.4;transport=tcp>"}));
}

TEST(Dialog, TheAckBearsTheNumberOfItsInvite) {
  auto dialog = Dialog::as_uac(invite(), answer(invite(), 200));
  ASSERT_TRUE(dialog);
  dialog->make_request(Method::kInfo);
  const Message ack = dialog->make_ack(314159);
  EXPECT_EQ(ack.get(HeaderName::kCSeq), "314159 ACK");
  EXPECT_EQ(ack.request_uri(), "sip:bob@192.0.2.4;transport=tcp");
  EXPECT_EQ(tag_of(*ack.get(HeaderName::kTo)), "b1");
}

TEST(Dialog, EarlyBecomesConfirmedWithTheRouteOfThe2xx) {
  const Message request = invite();
  Message ringing = answer(request, 180);
  ringing.add(HeaderName::kRecordRoute, "<sip:early.example.com;lr>");
  auto dialog = Dialog::as_uac(request, ringing);
  ASSERT_TRUE(dialog);
  Message ok = make_response(request, 200, "b1");
  ok.add(HeaderName::kContact, "<sip:bob@203.0.113.4>");
  ok.add(HeaderName::kRecordRoute, "<sip:p2.example.com;lr>, <sip:p1.example.com;lr>");
  EXPECT_TRUE(dialog->matches(ok));
  dialog->refresh_route_set(ok);
  dialog->refresh_target(ok);
  EXPECT_EQ(dialog->next_hop(), "sip:p1.example.com;lr");
  EXPECT_EQ(dialog->remote_target(), "sip:bob@203.0.113.4");
  EXPECT_FALSE(dialog->matches(make_response(request, 200, "fork")));
}

TEST(Dialog, OnlyTargetRefreshesMoveTheTarget) {
  auto dialog = Dialog::as_uas(invite(), "us", "<sip:bob@198.51.100.1>", false);
  ASSERT_TRUE(dialog);
  Message info = Message::request(Method::kInfo, "sip:bob@198.51.100.1");
  info.add(HeaderName::kContact, "<sip:alice@elsewhere.example.com>");
  dialog->refresh_target(info);
  EXPECT_EQ(dialog->remote_target(), "sip:alice@192.0.2.9");
  Message update = Message::request(Method::kUpdate, "sip:bob@198.51.100.1");
  dialog->refresh_target(update);  // without a Contact nothing moves
  EXPECT_EQ(dialog->remote_target(), "sip:alice@192.0.2.9");
  update.add(HeaderName::kContact, "<sip:alice@elsewhere.example.com>");
  dialog->refresh_target(update);
  EXPECT_EQ(dialog->remote_target(), "sip:alice@elsewhere.example.com");
  Message refusal = make_response(invite(), 488, "us");
  refusal.add(HeaderName::kContact, "<sip:no@example.com>");
  dialog->refresh_target(refusal);
  EXPECT_EQ(dialog->remote_target(), "sip:alice@elsewhere.example.com");
}

TEST(Dialog, SequenceNumbersOfThePeerOnlyGrow) {
  auto dialog = Dialog::as_uas(invite(), "us", "<sip:bob@198.51.100.1>", false);
  ASSERT_TRUE(dialog);
  const auto with_cseq = [](const char* value, Method method) {
    Message m = Message::request(method, "sip:bob@198.51.100.1");
    m.add(HeaderName::kCSeq, value);
    return m;
  };
  EXPECT_TRUE(dialog->accept(with_cseq("314159 ACK", Method::kAck)));
  EXPECT_TRUE(dialog->accept(with_cseq("314165 INFO", Method::kInfo)));  // gaps are allowed
  EXPECT_TRUE(dialog->accept(with_cseq("314165 INFO", Method::kInfo)));  // §12.2.2 refuses lower ones only
  const auto late = dialog->accept(with_cseq("314164 BYE", Method::kBye));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error(), DialogError::kOutOfOrder);
  EXPECT_TRUE(dialog->accept(with_cseq("314166 BYE", Method::kBye)));
}

TEST(Dialog, MatchesByCallIdAndBothTags) {
  const auto dialog = Dialog::as_uas(invite(), "us", "<sip:bob@198.51.100.1>", false);
  ASSERT_TRUE(dialog);
  Message bye = Message::request(Method::kBye, "sip:bob@198.51.100.1");
  bye.add(HeaderName::kFrom, "<sip:alice@atlanta.example.com>;tag=a1");
  bye.add(HeaderName::kTo, "<sip:bob@biloxi.example.com>;tag=us");
  bye.add(HeaderName::kCallId, "a84b4c76e66710");
  EXPECT_TRUE(dialog->matches(bye));
  for (const auto& [id, value] : {std::pair{HeaderName::kFrom, "<sip:alice@atlanta.example.com>;tag=a2"},
                                  std::pair{HeaderName::kTo, "<sip:bob@biloxi.example.com>"},
                                  std::pair{HeaderName::kCallId, "other"}}) {
    Message other = bye;
    other.set(id, value);
    EXPECT_FALSE(dialog->matches(other)) << value;
  }
}

TEST(Dialog, NeedsATagAndABoundedRoute) {
  const Message request = invite();
  EXPECT_EQ(Dialog::as_uac(request, make_response(request, 180, {})).error(), DialogError::kNoTag);
  EXPECT_EQ(Dialog::as_uac(request, make_response(request, 100, "b1")).error(), DialogError::kNoTag);
  EXPECT_EQ(Dialog::as_uac(request, make_response(request, 404, "b1")).error(), DialogError::kNoTag);
  Message long_way = invite();
  for (std::size_t i = 0; i <= DialogLimits::kRoutes; ++i) {
    long_way.add(HeaderName::kRecordRoute, "<sip:p.example.com;lr>");
  }
  EXPECT_EQ(Dialog::as_uas(long_way, "us", "<sip:x@y>", false).error(), DialogError::kTooManyRoutes);
}

TEST(Dialog, APeerWithoutFromTagIsStillADialog) {
  Message request = invite();
  request.set(HeaderName::kFrom, "<sip:alice@atlanta.example.com>");
  auto dialog = Dialog::as_uas(request, "us", "<sip:bob@198.51.100.1>", false);
  ASSERT_TRUE(dialog);
  EXPECT_EQ(dialog->make_request(Method::kBye).get(HeaderName::kTo), "<sip:alice@atlanta.example.com>");
}

}  // namespace
}  // namespace bw::sip
