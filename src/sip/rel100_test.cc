#include "sip/rel100.h"

#include <gtest/gtest.h>

#include "sip/detail/layer_probe.h"
#include "sip/number.h"
#include "sip/token_list.h"

namespace bw::sip {
namespace {

Message ringing(std::string_view rseq = {}) {
  Message m = make_response(detail::peer_request(Method::kInvite), 180, "us");
  m.add(HeaderName::kContact, "<sip:200@198.51.100.1>");
  if (!rseq.empty()) {
    m.add(HeaderName::kRequire, "100rel");
    m.add(HeaderName::kRSeq, rseq);
  }
  return m;
}

Message prack(std::uint32_t rseq, std::string_view cseq = "1 INVITE") {
  Message m = detail::peer_request(Method::kPrack, "z9hG4bKprack", 2);
  m.add(HeaderName::kRAck, std::to_string(rseq) + " " + std::string{cseq});
  return m;
}

TEST(Reliable, RepeatsAtDoublingIntervalsAndGivesUpAfter64T1) {
  SeededRng rng{1};
  Instant now{1000s};
  const Instant start = now;
  ReliableProvisional reliable;
  reliable.start(ringing(), rng, now);
  std::string times;
  while (reliable.waiting()) {
    now = reliable.deadline().at;
    const auto due = reliable.tick(now);
    times += std::to_string((now - start) / 1ms) + (due == ReliableProvisional::Due::kRepeat ? " " : "!");
    ASSERT_NE(due, ReliableProvisional::Due::kNothing);
  }
  EXPECT_EQ(times, "500 1500 3500 7500 15500 31500 32000!");
  EXPECT_EQ(reliable.deadline().at, Instant::far_future());
}

TEST(Reliable, NumbersFromSomewhereBetween1And2To31AndThenOneByOne) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SeededRng rng{seed};
    ReliableProvisional reliable;
    const Message first = reliable.start(ringing(), rng, Instant{1s});
    const auto rseq = rseq_of(first);
    ASSERT_TRUE(rseq);
    EXPECT_TRUE(lists(first, HeaderName::kRequire, "100rel"));
    EXPECT_TRUE(reliable.acknowledged_by(prack(*rseq)));
    EXPECT_FALSE(reliable.waiting());
    EXPECT_EQ(rseq_of(reliable.start(ringing(), rng, Instant{2s})), *rseq + 1);
  }
}

TEST(Reliable, OnlyTheMatchingPrackEndsIt) {
  SeededRng rng{1};
  ReliableProvisional reliable;
  EXPECT_FALSE(reliable.acknowledged_by(prack(1)));
  const std::uint32_t rseq = *rseq_of(reliable.start(ringing(), rng, Instant{1s}));
  EXPECT_FALSE(reliable.acknowledged_by(prack(rseq + 1)));
  EXPECT_FALSE(reliable.acknowledged_by(prack(rseq, "2 INVITE")));
  EXPECT_FALSE(reliable.acknowledged_by(prack(rseq, "1 UPDATE")));
  EXPECT_FALSE(reliable.acknowledged_by(detail::peer_request(Method::kPrack)));
  EXPECT_TRUE(reliable.acknowledged_by(prack(rseq)));
  EXPECT_FALSE(reliable.acknowledged_by(prack(rseq)));  // §3: a second one gets 481
}

TEST(Reliable, TheCallerTakesThemInOrder) {
  using Verdict = ProvisionalOrder::Verdict;
  ProvisionalOrder order;
  EXPECT_EQ(order.take(ringing()), Verdict::kUnreliable);
  EXPECT_EQ(order.take(ringing("776656")), Verdict::kNew);
  EXPECT_EQ(order.take(ringing("776656")), Verdict::kRepeated);
  EXPECT_EQ(order.take(ringing("776658")), Verdict::kOutOfOrder);
  EXPECT_EQ(order.take(ringing("776657")), Verdict::kNew);
  EXPECT_EQ(order.take(ringing("776658")), Verdict::kNew);
  EXPECT_EQ(order.take(ringing("1")), Verdict::kRepeated);
}

TEST(Reliable, ThePrackNamesWhatItAcknowledges) {
  const Message response = ringing("776656");
  auto dialog = Dialog::as_uac(detail::peer_request(Method::kInvite), response);
  ASSERT_TRUE(dialog);
  const Message message = make_prack(*dialog, response);
  EXPECT_EQ(message.method(), Method::kPrack);
  EXPECT_EQ(message.get(HeaderName::kRAck), "776656 1 INVITE");
  EXPECT_EQ(message.get(HeaderName::kCSeq), "2 PRACK");
  EXPECT_EQ(message.request_uri(), "sip:200@198.51.100.1");
}

TEST(Reliable, SupportAndDemandAreTold) {
  Message invite = detail::peer_request(Method::kInvite);
  EXPECT_FALSE(supports_100rel(invite));
  invite.add(HeaderName::kSupported, "timer, 100rel");
  EXPECT_TRUE(supports_100rel(invite));
  EXPECT_FALSE(requires_100rel(invite));
  invite.add(HeaderName::kRequire, "100rel");
  EXPECT_TRUE(requires_100rel(invite));
}

}  // namespace
}  // namespace bw::sip
