#include "sip/subscription.h"

#include <gtest/gtest.h>

#include "sip/detail/layer_probe.h"

namespace bw::sip {
namespace {

constexpr Instant kNow{1000s};

Message subscribe(const char* expires, std::uint32_t cseq = 1) {
  Message m = detail::peer_request(Method::kSubscribe, "z9hG4bKsub", cseq);
  m.add(HeaderName::kEvent, "message-summary;id=7");
  m.add(HeaderName::kContact, "<sip:100@192.0.2.9>");
  if (expires != nullptr) m.add(HeaderName::kExpires, expires);
  return m;
}

std::expected<Subscription, Subscription::Refusal> accept(const Message& request, bool pending = false) {
  return Subscription::accept(request, "us", "<sip:200@198.51.100.1>", false, kNow, pending);
}

TEST(Subscription, IsActiveUntilItsTimeIsOut) {
  auto subscription = accept(subscribe("600"));
  ASSERT_TRUE(subscription);
  const Message answer = subscription->make_response(subscribe("600"), kNow);
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.get(HeaderName::kExpires), "600");
  const Message notify = subscription->make_notify("text/plain", "hello", kNow + 100s);
  EXPECT_EQ(notify.method(), Method::kNotify);
  EXPECT_EQ(notify.request_uri(), "sip:100@192.0.2.9");
  EXPECT_EQ(notify.get(HeaderName::kEvent), "message-summary;id=7");
  EXPECT_EQ(notify.get(HeaderName::kSubscriptionState), "active;expires=500");
  EXPECT_EQ(notify.body(), "hello");
  EXPECT_EQ(subscription->deadline().at, kNow + 600s);
  EXPECT_FALSE(subscription->tick(kNow + 599s));
  EXPECT_TRUE(subscription->tick(kNow + 600s));
  EXPECT_FALSE(subscription->tick(kNow + 601s));
  EXPECT_EQ(subscription->make_notify({}, {}, kNow + 600s).get(HeaderName::kSubscriptionState),
            "terminated;reason=timeout");
}

TEST(Subscription, IsProlongedByARefreshAndEndedByZero) {
  auto subscription = accept(subscribe("600"));
  ASSERT_TRUE(subscription);
  EXPECT_TRUE(subscription->refresh(subscribe("900", 2), kNow + 500s));
  EXPECT_EQ(subscription->deadline().at, kNow + 1400s);
  const auto late = subscription->refresh(subscribe("900", 1), kNow + 501s);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().status, 500);  // RFC 3261 §12.2.2
  EXPECT_TRUE(subscription->refresh(subscribe("0", 3), kNow + 600s));
  EXPECT_EQ(subscription->state(), Subscription::State::kTerminated);
  EXPECT_EQ(subscription->make_response(subscribe("0", 3), kNow + 600s).get(HeaderName::kExpires), "0");
  EXPECT_EQ(subscription->refresh(subscribe("900", 4), kNow + 601s).error().status, 481);
}

TEST(Subscription, ZeroFromTheStartIsAFetch) {
  auto subscription = accept(subscribe("0"));
  ASSERT_TRUE(subscription);
  EXPECT_EQ(subscription->state(), Subscription::State::kTerminated);
  EXPECT_EQ(subscription->deadline().at, Instant::far_future());
}

TEST(Subscription, TimesAreBoundedBothWays) {
  const auto brief = accept(subscribe("10"));
  ASSERT_FALSE(brief);
  EXPECT_EQ(brief.error().status, 423);
  Message refusal = Message::response(423);
  Subscription::write_refusal(brief.error(), refusal);
  EXPECT_EQ(refusal.get(HeaderName::kMinExpires), "60");
  EXPECT_EQ(accept(subscribe("999999999"))->deadline().at, kNow + 86'400s);
  EXPECT_EQ(accept(subscribe(nullptr))->deadline().at, kNow + 3600s);
}

TEST(Subscription, WithoutEventItIs489) {
  Message request = subscribe("600");
  request.remove(HeaderName::kEvent);
  EXPECT_EQ(accept(request).error().status, 489);
}

TEST(Subscription, PendingUntilSomebodyAgrees) {
  auto subscription = accept(subscribe("600"), true);
  ASSERT_TRUE(subscription);
  EXPECT_EQ(subscription->make_notify({}, {}, kNow).get(HeaderName::kSubscriptionState),
            "pending;expires=600");
  subscription->agree();
  EXPECT_EQ(subscription->make_notify({}, {}, kNow).get(HeaderName::kSubscriptionState),
            "active;expires=600");
  subscription->end(SubscriptionEnd::kDeactivated);
  subscription->agree();
  EXPECT_EQ(subscription->make_notify({}, {}, kNow).get(HeaderName::kSubscriptionState),
            "terminated;reason=deactivated");
}

TEST(Subscription, AFailedNotifyEndsIt) {
  for (const int status : {200, 202, 401, 407}) {
    auto subscription = accept(subscribe("600"));
    subscription->on_notify_response(status);
    EXPECT_EQ(subscription->state(), Subscription::State::kActive) << status;
  }
  for (const int status : {408, 481, 404, 503}) {
    auto subscription = accept(subscribe("600"));
    subscription->on_notify_response(status);
    EXPECT_EQ(subscription->state(), Subscription::State::kTerminated) << status;
  }
}

TEST(Refer, ProgressIsAStatusLineAndReadsBack) {
  EXPECT_EQ(sipfrag(100), "SIP/2.0 100 Trying\r\n");
  EXPECT_EQ(sipfrag(486, "Busy"), "SIP/2.0 486 Busy\r\n");
  for (int status = 100; status < 700; ++status) EXPECT_EQ(parse_sipfrag(sipfrag(status)), status);
  EXPECT_EQ(parse_sipfrag("SIP/2.0 200"), 200);
  EXPECT_EQ(parse_sipfrag("sip/2.0 200 OK\nContact: x"), 200);
  for (const char* bad : {"", "SIP/2.0", "SIP/2.0 20", "SIP/2.0 2000 OK", "SIP/2.0 099 x", "SIP/2.0 700 x",
                          "HTTP/1.1 200 OK", "SIP/2.0 -20 x"}) {
    EXPECT_FALSE(parse_sipfrag(bad)) << bad;
  }
}

TEST(Refer, NotifiesUntilTheFinalAnswer) {
  Message refer = detail::peer_request(Method::kRefer);
  refer.add(HeaderName::kContact, "<sip:100@192.0.2.9>");
  auto dialog = Dialog::as_uas(refer, "us", "<sip:200@198.51.100.1>", false);
  ASSERT_TRUE(dialog);
  const Message trying = make_refer_notify(*dialog, 100, 60s);
  EXPECT_EQ(trying.get(HeaderName::kEvent), "refer");
  EXPECT_EQ(trying.get(HeaderName::kSubscriptionState), "active;expires=60");
  EXPECT_EQ(trying.get(HeaderName::kContentType), "message/sipfrag;version=2.0");
  const Message done = make_refer_notify(*dialog, 200, 60s, 93809823);
  EXPECT_EQ(done.get(HeaderName::kEvent), "refer;id=93809823");
  EXPECT_EQ(done.get(HeaderName::kSubscriptionState), "terminated;reason=noresource");
  EXPECT_EQ(done.get(HeaderName::kCSeq), "2 NOTIFY");
}

}  // namespace
}  // namespace bw::sip
