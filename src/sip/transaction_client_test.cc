// The client half of RFC 3261 §17 as tables: every state against every event.
#include <gtest/gtest.h>

#include "sip/cseq.h"
#include "sip/detail/layer_probe.h"

namespace bw::sip {
namespace {

using detail::LayerProbe;
using detail::own_request;
using detail::peer_request;
using detail::tcp_flow;
using detail::udp_flow;

enum class At : std::uint8_t { kCalling, kTrying, kProceeding, kCompleted, kAccepted };

// Brings request 1 into a state and forgets what it took.
void bring(LayerProbe& probe, Method method, At at, const Flow& flow) {
  probe.sends(own_request(method), flow);
  if (at == At::kProceeding) probe.arrives(probe.reply(180), flow);
  if (at == At::kCompleted) {
    const Message request = probe.sent;
    probe.arrives(LayerProbe::reply(486, request), flow);
    probe.sent = request;
  }
  if (at == At::kAccepted) probe.arrives(probe.reply(200), flow);
  probe.words();
}

struct Case {
  At at;
  const char* event;  // a status, or "lost" (connection), "error" (transport), "abandon"
  const char* words;  // what comes out at once
  bool lives;         // whether the transaction is still there
};

void apply(LayerProbe& probe, const Case& c, const Flow& flow) {
  const std::string_view event = c.event;
  if (event == "lost" || event == "error") {
    probe.in(TransportFailed{flow});
  } else if (event == "abandon") {
    probe.in(AbandonClient{ClientTransactionId{1}});
  } else {
    probe.arrives(probe.reply(std::stoi(c.event)), flow);
  }
}

TEST(InviteClient, EveryStateMeetsEveryEventAsFigure5Says) {
  constexpr Case kCases[] = {
      {At::kCalling, "100", "up 100", true},
      {At::kCalling, "180", "up 180", true},
      {At::kCalling, "200", "up 200", true},
      {At::kCalling, "302", "tx ACK, up 302", true},
      {At::kCalling, "486", "tx ACK, up 486", true},
      {At::kCalling, "603", "tx ACK, up 603", true},
      {At::kCalling, "error", "transport failure", false},
      {At::kCalling, "abandon", "", true},
      {At::kProceeding, "100", "up 100", true},
      {At::kProceeding, "183", "up 183", true},
      {At::kProceeding, "200", "up 200", true},
      {At::kProceeding, "486", "tx ACK, up 486", true},
      {At::kProceeding, "error", "", true},
      {At::kProceeding, "abandon", "", true},
      {At::kCompleted, "180", "", true},
      {At::kCompleted, "200", "stray 200", true},
      {At::kCompleted, "486", "tx ACK", true},
      {At::kCompleted, "error", "", false},
      {At::kCompleted, "abandon", "", true},
      {At::kAccepted, "180", "", true},
      {At::kAccepted, "200", "up 200", true},
      {At::kAccepted, "486", "", true},
      {At::kAccepted, "error", "", true},
      {At::kAccepted, "abandon", "", true},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(testing::Message() << "state " << static_cast<int>(c.at) << ", event " << c.event);
    LayerProbe probe;
    bring(probe, Method::kInvite, c.at, udp_flow());
    apply(probe, c, udp_flow());
    EXPECT_EQ(probe.words(), c.words);
    EXPECT_EQ(probe.layer.client_count(), c.lives ? 1U : 0U);
    probe.pass(400s);
    EXPECT_TRUE(probe.idle());
  }
}

TEST(InviteClient, OnAStreamALostConnectionEndsWhatWaitsForAnAnswer) {
  constexpr Case kCases[] = {
      {At::kCalling, "lost", "transport failure", false},
      {At::kProceeding, "lost", "transport failure", false},
      {At::kAccepted, "lost", "", true},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(static_cast<int>(c.at));
    LayerProbe probe;
    bring(probe, Method::kInvite, c.at, tcp_flow());
    apply(probe, c, tcp_flow());
    EXPECT_EQ(probe.words(), c.words);
    EXPECT_EQ(probe.layer.client_count(), c.lives ? 1U : 0U);
  }
}

TEST(NonInviteClient, EveryStateMeetsEveryEventAsFigure6Says) {
  constexpr Case kCases[] = {
      {At::kTrying, "100", "up 100", true},
      {At::kTrying, "200", "up 200", true},
      {At::kTrying, "404", "up 404", true},
      {At::kTrying, "error", "transport failure", false},
      {At::kTrying, "abandon", "", false},
      {At::kProceeding, "183", "up 183", true},
      {At::kProceeding, "200", "up 200", true},
      {At::kProceeding, "500", "up 500", true},
      {At::kProceeding, "error", "transport failure", false},
      {At::kProceeding, "abandon", "", false},
      {At::kCompleted, "100", "", true},
      {At::kCompleted, "200", "", true},
      {At::kCompleted, "486", "", true},
      {At::kCompleted, "error", "", true},
      {At::kCompleted, "abandon", "", true},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(testing::Message() << "state " << static_cast<int>(c.at) << ", event " << c.event);
    LayerProbe probe;
    bring(probe, Method::kOptions, c.at, udp_flow());
    apply(probe, c, udp_flow());
    EXPECT_EQ(probe.words(), c.words);
    EXPECT_EQ(probe.layer.client_count(), c.lives ? 1U : 0U);
    probe.pass(64s);
    EXPECT_TRUE(probe.idle());
  }
}

TEST(InviteClient, RetransmitsAtDoublingIntervalsUntilTimerB) {
  LayerProbe probe;
  probe.sends(own_request(Method::kInvite), udp_flow());
  probe.pass(60s);
  EXPECT_EQ(probe.words(true),
            "0 tx INVITE, 500 tx INVITE, 1500 tx INVITE, 3500 tx INVITE, 7500 tx INVITE, 15500 tx INVITE, "
            "31500 tx INVITE, 32000 timeout");
  EXPECT_TRUE(probe.idle());
}

TEST(InviteClient, OnAStreamSendsOnceAndTimesOutAlike) {
  LayerProbe probe;
  probe.sends(own_request(Method::kInvite), tcp_flow());
  probe.pass(60s);
  EXPECT_EQ(probe.words(true), "0 tx INVITE, 32000 timeout");
}

TEST(NonInviteClient, RetransmitsUpToEveryT2UntilTimerF) {
  LayerProbe probe;
  probe.sends(own_request(Method::kOptions), udp_flow());
  probe.pass(60s);
  EXPECT_EQ(probe.words(true),
            "0 tx OPTIONS, 500 tx OPTIONS, 1500 tx OPTIONS, 3500 tx OPTIONS, 7500 tx OPTIONS, "
            "11500 tx OPTIONS, 15500 tx OPTIONS, 19500 tx OPTIONS, 23500 tx OPTIONS, 27500 tx OPTIONS, "
            "31500 tx OPTIONS, 32000 timeout");
}

TEST(NonInviteClient, InProceedingRetransmitsEveryT2) {
  LayerProbe probe;
  probe.sends(own_request(Method::kOptions), udp_flow());
  probe.pass(100ms);
  probe.arrives(probe.reply(100), udp_flow());
  probe.pass(60s);
  // §17.1.2.2: the running timer E is not touched; only its next interval is T2.
  EXPECT_EQ(probe.words(true),
            "0 tx OPTIONS, 100 up 100, 500 tx OPTIONS, 4500 tx OPTIONS, 8500 tx OPTIONS, 12500 tx OPTIONS, "
            "16500 tx OPTIONS, 20500 tx OPTIONS, 24500 tx OPTIONS, 28500 tx OPTIONS, 32000 timeout");
}

TEST(InviteClient, EndsFromCompletedAfterTimerDAndFromAcceptedAfterTimerM) {
  LayerProbe probe;
  bring(probe, Method::kInvite, At::kCompleted, udp_flow());
  probe.pass(31999ms);
  EXPECT_EQ(probe.layer.client_count(), 1U);
  probe.pass(1ms);
  EXPECT_TRUE(probe.idle());

  LayerProbe accepted;
  bring(accepted, Method::kInvite, At::kAccepted, tcp_flow());  // M runs on streams as well
  accepted.pass(31999ms);
  EXPECT_EQ(accepted.layer.client_count(), 1U);
  accepted.pass(1ms);
  EXPECT_TRUE(accepted.idle());
}

TEST(Client, OnAStreamCompletedEndsAtOnce) {
  LayerProbe probe;
  bring(probe, Method::kInvite, At::kCompleted, tcp_flow());
  EXPECT_TRUE(probe.idle());
  bring(probe, Method::kOptions, At::kCompleted, tcp_flow());
  EXPECT_TRUE(probe.idle());
  EXPECT_FALSE(probe.layer.deadline().at < Instant::far_future());
}

TEST(NonInviteClient, EndsFromCompletedAfterTimerK) {
  LayerProbe probe;
  bring(probe, Method::kOptions, At::kCompleted, udp_flow());
  probe.pass(4999ms);
  EXPECT_EQ(probe.layer.client_count(), 1U);
  probe.pass(1ms);
  EXPECT_TRUE(probe.idle());
}

TEST(InviteClient, AckOfARefusalIsMadeAsSection17113Says) {
  LayerProbe probe;
  Message invite = own_request(Method::kInvite, 4711);
  invite.add(HeaderName::kRoute, "<sip:proxy1.example.com;lr>, <sip:proxy2.example.com;lr>");
  invite.set_body("application/sdp", "v=0\r\n");
  probe.sends(invite, udp_flow());
  const Message sent = probe.sent;
  probe.arrives(probe.reply(486), udp_flow());
  const Message& ack = probe.sent;
  EXPECT_EQ(ack.method(), Method::kAck);
  EXPECT_EQ(ack.request_uri(), sent.request_uri());
  EXPECT_EQ(ack.elements(HeaderName::kVia), sent.elements(HeaderName::kVia));
  EXPECT_EQ(ack.elements(HeaderName::kVia).size(), 1U);
  EXPECT_EQ(ack.elements(HeaderName::kRoute), sent.elements(HeaderName::kRoute));
  EXPECT_EQ(ack.get(HeaderName::kFrom), sent.get(HeaderName::kFrom));
  EXPECT_EQ(ack.get(HeaderName::kCallId), sent.get(HeaderName::kCallId));
  EXPECT_EQ(ack.get(HeaderName::kTo), "<sip:200@example.com>;tag=peer");
  EXPECT_EQ(ack.get(HeaderName::kCSeq), "4711 ACK");
  EXPECT_TRUE(ack.body().empty());
}

TEST(InviteClient, TimerCGivesUpAndCancelsWhatRangTooLong) {
  LayerProbe probe;
  bring(probe, Method::kInvite, At::kProceeding, udp_flow());
  probe.pass(179s);
  EXPECT_EQ(probe.words(), "");
  const Message invite = probe.sent;
  probe.arrives(LayerProbe::reply(180, invite), udp_flow());  // §16.7 step 2: starts timer C again
  probe.pass(179s);
  EXPECT_EQ(probe.words(), "up 180");
  probe.arrives(LayerProbe::reply(100, invite), udp_flow());  // a 100 does not
  probe.pass(1s);
  EXPECT_EQ(probe.words(), "up 100, timeout, tx CANCEL");
  probe.arrives(probe.reply(200), udp_flow());  // to the CANCEL nobody asked for
  EXPECT_EQ(probe.words(), "");
  probe.arrives(LayerProbe::reply(200, invite), udp_flow());
  EXPECT_EQ(probe.words(), "stray 200");
  probe.pass(64s);
  EXPECT_TRUE(probe.idle());
}

TEST(Cancel, WaitsForTheFirstProvisionalResponse) {
  LayerProbe probe;
  probe.sends(own_request(Method::kInvite, 9), udp_flow());
  const Message invite = probe.sent;
  probe.in(CancelRequest{ClientTransactionId{1}, ClientTransactionId{2}, "SIP;cause=200;text=\"elsewhere\""});
  EXPECT_EQ(probe.words(), "tx INVITE");
  probe.arrives(LayerProbe::reply(100, invite), udp_flow());
  EXPECT_EQ(probe.words(), "up 100, tx CANCEL");
  EXPECT_EQ(probe.sent.elements(HeaderName::kVia), invite.elements(HeaderName::kVia));
  EXPECT_EQ(probe.sent.get(HeaderName::kTo), invite.get(HeaderName::kTo));
  EXPECT_EQ(probe.sent.get(HeaderName::kFrom), invite.get(HeaderName::kFrom));
  EXPECT_EQ(probe.sent.get(HeaderName::kCSeq), "9 CANCEL");
  EXPECT_EQ(probe.sent.get(HeaderName::kReason), "SIP;cause=200;text=\"elsewhere\"");
  // Both have the same branch; the method in CSeq tells their answers apart (§17.1.3).
  probe.arrives(probe.reply(200), udp_flow());
  EXPECT_EQ(probe.words(), "up 200");
  EXPECT_EQ(probe.response.method(), Method::kCancel);
  probe.arrives(LayerProbe::reply(487, invite), udp_flow());
  EXPECT_EQ(probe.words(), "tx ACK, up 487");
}

TEST(Cancel, AFinalResponseThatIsQuickerMakesItPointless) {
  LayerProbe probe;
  probe.sends(own_request(Method::kInvite), udp_flow());
  probe.in(CancelRequest{ClientTransactionId{1}, ClientTransactionId{2}, {}});
  probe.arrives(probe.reply(200), udp_flow());
  EXPECT_EQ(probe.words(), "tx INVITE, up 200");
  EXPECT_EQ(probe.layer.client_count(), 1U);
}

TEST(Cancel, CrossingA200LeavesTheAnsweredCallToTheTu) {
  LayerProbe probe;
  bring(probe, Method::kInvite, At::kProceeding, udp_flow());
  const Message invite = probe.sent;
  probe.in(CancelRequest{ClientTransactionId{1}, ClientTransactionId{2}, {}});
  const Message cancel = probe.sent;
  probe.arrives(LayerProbe::reply(200, invite), udp_flow());
  probe.arrives(LayerProbe::reply(481, cancel), udp_flow());
  EXPECT_EQ(probe.words(), "tx CANCEL, up 200, up 481");
}

TEST(Cancel, WithoutAnyAnswerTheInviteFailsAfter64T1) {
  LayerProbe probe;
  bring(probe, Method::kInvite, At::kProceeding, tcp_flow());
  const Message invite = probe.sent;
  probe.restart_clock();
  probe.in(CancelRequest{ClientTransactionId{1}, ClientTransactionId{2}, {}});
  probe.in(CancelRequest{ClientTransactionId{1}, ClientTransactionId{3}, {}});  // once is enough
  const Message cancel = probe.sent;
  probe.arrives(LayerProbe::reply(200, cancel), tcp_flow());
  probe.pass(10s);
  probe.arrives(LayerProbe::reply(180, invite), tcp_flow());  // must not prolong it
  probe.pass(200s);
  EXPECT_EQ(probe.words(true), "0 tx CANCEL, 0 up 200, 10000 up 180, 32000 timeout");
  EXPECT_TRUE(probe.idle());
}

TEST(Abandon, KeepsAcknowledgingButSaysNothing) {
  LayerProbe probe;
  bring(probe, Method::kInvite, At::kCalling, udp_flow());
  probe.in(AbandonClient{ClientTransactionId{1}});
  probe.pass(10s);
  EXPECT_EQ(probe.words(), "");
  probe.arrives(probe.reply(180), udp_flow());
  const Message invite = probe.sent;
  probe.arrives(LayerProbe::reply(486, invite), udp_flow());
  probe.arrives(LayerProbe::reply(486, invite), udp_flow());
  EXPECT_EQ(probe.words(), "tx ACK, tx ACK");
  probe.pass(32s);
  EXPECT_TRUE(probe.idle());
}

TEST(Abandon, A2xxThatStillComesIsAStray) {
  LayerProbe probe;
  bring(probe, Method::kInvite, At::kProceeding, udp_flow());
  probe.in(AbandonClient{ClientTransactionId{1}});
  probe.arrives(probe.reply(200), udp_flow());
  EXPECT_EQ(probe.words(), "stray 200");
}

TEST(Client, ResponsesMatchByBranchAndCSeqMethod) {
  LayerProbe probe;
  probe.sends(own_request(Method::kOptions), udp_flow());
  Message foreign = probe.reply(200);
  foreign.replace_first_element(HeaderName::kVia, "SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKforeign");
  probe.arrives(foreign, udp_flow());
  Message invite_answer = probe.reply(200);
  invite_answer.set(HeaderName::kCSeq, "1 INVITE");
  probe.arrives(invite_answer, udp_flow());
  Message no_via = probe.reply(200);
  no_via.remove(HeaderName::kVia);
  probe.arrives(no_via, udp_flow());
  EXPECT_EQ(probe.words(), "tx OPTIONS");
  probe.arrives(probe.reply(200), udp_flow());
  EXPECT_EQ(probe.words(), "up 200");
}

TEST(Client, A2xxToNoInviteOfOursIsAStrayAndAnythingElseIsDropped) {
  LayerProbe probe;
  const Message invite = peer_request(Method::kInvite);
  for (const int status : {100, 180, 200, 404}) probe.arrives(LayerProbe::reply(status, invite), udp_flow());
  probe.arrives(LayerProbe::reply(200, peer_request(Method::kBye)), udp_flow());
  EXPECT_EQ(probe.words(), "stray 200");
}

TEST(Client, ATransportErrorTouchesOnlyTheFlowThatFailed) {
  LayerProbe probe;
  probe.sends(own_request(Method::kOptions), udp_flow("192.0.2.9:5060"), 1);
  probe.sends(own_request(Method::kOptions), udp_flow("192.0.2.9:5062"), 2);
  probe.sends(own_request(Method::kOptions), tcp_flow(7), 3);
  probe.sends(own_request(Method::kOptions), tcp_flow(8), 4);
  probe.sends(own_request(Method::kOptions), udp_flow("192.0.2.9:5060"), 5);
  probe.words();
  probe.in(TransportFailed{udp_flow("192.0.2.9:5060")});
  EXPECT_EQ(probe.words(), "transport failure, transport failure");
  EXPECT_EQ(probe.layer.client_count(), 3U);
  probe.in(TransportFailed{tcp_flow(8)});
  EXPECT_EQ(probe.words(), "transport failure");
  probe.in(TransportFailed{tcp_flow(8)});
  EXPECT_EQ(probe.words(), "");
  EXPECT_EQ(probe.layer.client_count(), 2U);
}

TEST(Client, BeyondTheLimitARequestFailsAtOnce) {
  LayerProbe probe{{}, {.server_transactions = 1, .client_transactions = 1}};
  probe.sends(own_request(Method::kOptions), udp_flow(), 1);
  probe.sends(own_request(Method::kOptions), udp_flow(), 2);
  EXPECT_EQ(probe.words(), "tx OPTIONS, transport failure");
}

TEST(Client, OwnViaNamesTheFlowOrTheGivenSentBy) {
  LayerProbe probe;
  probe.in(
      SendRequest{ClientTransactionId{1}, udp_flow(), own_request(Method::kOptions), "pbx.example.com:5070"});
  auto via = Via::top(probe.sent);
  ASSERT_TRUE(via);
  EXPECT_EQ(via->host, "pbx.example.com");
  EXPECT_EQ(via->port, 5070);
  EXPECT_TRUE(via->has_magic_branch());
  EXPECT_TRUE(via->params.has("rport"));
  const std::string first{via->branch()};
  probe.in(SendStateless{tcp_flow(), own_request(Method::kAck), {}});
  via = Via::top(probe.sent);
  EXPECT_EQ(via->transport, "TCP");
  EXPECT_EQ(via->host, "198.51.100.1");
  EXPECT_FALSE(via->params.has("rport"));
  EXPECT_NE(via->branch(), first);
  EXPECT_EQ(probe.layer.client_count(), 1U);
}

}  // namespace
}  // namespace bw::sip
