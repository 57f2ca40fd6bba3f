// The server half of RFC 3261 §17 as tables: every state against every event.
#include <gtest/gtest.h>

#include "sip/detail/layer_probe.h"

namespace bw::sip {
namespace {

using detail::LayerProbe;
using detail::own_request;
using detail::peer_request;
using detail::tcp_flow;
using detail::udp_flow;

enum class At : std::uint8_t { kTrying, kProceeding, kCompleted, kConfirmed, kAccepted };

void bring(LayerProbe& probe, Method method, At at, const Flow& flow) {
  probe.arrives(peer_request(method), flow);
  if (method == Method::kInvite) {
    if (at == At::kProceeding) probe.answers(180);
    if (at == At::kCompleted || at == At::kConfirmed) probe.answers(486);
    if (at == At::kConfirmed) probe.arrives(peer_request(Method::kAck), flow);
    if (at == At::kAccepted) probe.answers(200);
  } else {
    if (at == At::kProceeding) probe.pass(3500ms);
    if (at == At::kCompleted) probe.answers(200);
  }
  probe.words();
}

struct Case {
  At at;
  const char* event;  // a status from the TU, a method from the peer, "acked", "error"
  const char* words;
};

void apply(LayerProbe& probe, Method method, const Case& c, const Flow& flow) {
  const std::string_view event = c.event;
  if (event == "again") {
    probe.arrives(peer_request(method), flow);
  } else if (event == "ACK") {
    probe.arrives(peer_request(Method::kAck), flow);
  } else if (event == "acked") {
    probe.layer.ack_received(probe.last_server);
  } else if (event == "error") {
    probe.in(TransportFailed{flow});
  } else {
    probe.answers(std::stoi(c.event));
  }
}

TEST(InviteServer, EveryStateMeetsEveryEventAsFigure7Says) {
  constexpr Case kCases[] = {
      {At::kProceeding, "again", "tx 180"}, {At::kProceeding, "ACK", ""},
      {At::kProceeding, "183", "tx 183"},   {At::kProceeding, "200", "tx 200"},
      {At::kProceeding, "302", "tx 302"},   {At::kProceeding, "603", "tx 603"},
      {At::kProceeding, "acked", ""},       {At::kProceeding, "error", ""},
      {At::kCompleted, "again", "tx 486"},  {At::kCompleted, "ACK", ""},
      {At::kCompleted, "180", ""},          {At::kCompleted, "200", ""},
      {At::kCompleted, "500", ""},          {At::kCompleted, "acked", ""},
      {At::kCompleted, "error", ""},        {At::kConfirmed, "again", ""},
      {At::kConfirmed, "ACK", ""},          {At::kConfirmed, "180", ""},
      {At::kConfirmed, "200", ""},          {At::kConfirmed, "500", ""},
      {At::kConfirmed, "acked", ""},        {At::kConfirmed, "error", ""},
      {At::kAccepted, "again", ""},         {At::kAccepted, "ACK", "up ACK"},
      {At::kAccepted, "180", ""},           {At::kAccepted, "200", "tx 200"},
      {At::kAccepted, "500", ""},           {At::kAccepted, "acked", ""},
      {At::kAccepted, "error", ""},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(testing::Message() << "state " << static_cast<int>(c.at) << ", event " << c.event);
    LayerProbe probe;
    bring(probe, Method::kInvite, c.at, udp_flow());
    apply(probe, Method::kInvite, c, udp_flow());
    EXPECT_EQ(probe.words(), c.words);
    EXPECT_EQ(probe.layer.server_count(), 1U);
    if (c.at == At::kProceeding) probe.answers(500);  // an INVITE waits for its TU for ever
    probe.pass(64s);
    EXPECT_TRUE(probe.idle());
  }
}

TEST(NonInviteServer, EveryStateMeetsEveryEventAsFigure8AndRfc4320Say) {
  constexpr Case kCases[] = {
      {At::kTrying, "again", ""},     {At::kTrying, "100", ""},
      {At::kTrying, "183", ""},       {At::kTrying, "200", "tx 200"},
      {At::kTrying, "408", ""},       {At::kTrying, "500", "tx 500"},
      {At::kTrying, "error", ""},     {At::kProceeding, "again", "tx 100"},
      {At::kProceeding, "183", ""},   {At::kProceeding, "200", "tx 200"},
      {At::kProceeding, "408", ""},   {At::kProceeding, "500", "tx 500"},
      {At::kProceeding, "error", ""}, {At::kCompleted, "again", "tx 200"},
      {At::kCompleted, "100", ""},    {At::kCompleted, "200", ""},
      {At::kCompleted, "408", ""},    {At::kCompleted, "500", ""},
      {At::kCompleted, "error", ""},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(testing::Message() << "state " << static_cast<int>(c.at) << ", event " << c.event);
    LayerProbe probe;
    bring(probe, Method::kOptions, c.at, udp_flow());
    apply(probe, Method::kOptions, c, udp_flow());
    EXPECT_EQ(probe.words(), c.words);
    EXPECT_EQ(probe.layer.server_count(), 1U);
    probe.pass(64s);
    EXPECT_TRUE(probe.idle());
  }
}

TEST(InviteServer, SaysTryingAfter200MsIfTheTuIsSilent) {
  LayerProbe probe;
  probe.arrives(peer_request(Method::kInvite), udp_flow());
  probe.pass(10s);
  EXPECT_EQ(probe.words(true), "0 up INVITE, 200 tx 100");
  EXPECT_EQ(probe.answered.get(HeaderName::kTo), "<sip:200@example.com>");
  EXPECT_EQ(probe.answered.get(HeaderName::kCSeq), "1 INVITE");
  EXPECT_EQ(probe.answered.get(HeaderName::kCallId), "call-1");
  probe.arrives(peer_request(Method::kInvite), udp_flow());
  EXPECT_EQ(probe.words(), "tx 100");
}

TEST(InviteServer, SaysTryingAtOnceIfTheInviteComesAgainBefore) {
  LayerProbe probe;
  probe.arrives(peer_request(Method::kInvite), udp_flow());
  probe.pass(50ms);
  probe.arrives(peer_request(Method::kInvite), udp_flow());
  probe.pass(10s);
  EXPECT_EQ(probe.words(true), "0 up INVITE, 50 tx 100");
}

TEST(InviteServer, AProvisionalOfTheTuSavesTheTrying) {
  LayerProbe probe;
  probe.arrives(peer_request(Method::kInvite), udp_flow());
  probe.answers(180);
  probe.pass(10s);
  EXPECT_EQ(probe.words(true), "0 up INVITE, 0 tx 180");
}

TEST(InviteServer, RepeatsARefusalUntilItsAckComes) {
  LayerProbe probe;
  probe.arrives(peer_request(Method::kInvite), udp_flow());
  probe.answers(486);
  probe.pass(8s);
  probe.arrives(peer_request(Method::kAck), udp_flow());
  probe.pass(4999ms);
  EXPECT_EQ(probe.words(true), "0 up INVITE, 0 tx 486, 500 tx 486, 1500 tx 486, 3500 tx 486, 7500 tx 486");
  EXPECT_EQ(probe.layer.server_count(), 1U);  // Confirmed until timer I
  probe.pass(1ms);
  EXPECT_TRUE(probe.idle());
}

TEST(InviteServer, WithoutAnAckARefusalEndsWithTimerH) {
  LayerProbe probe;
  probe.arrives(peer_request(Method::kInvite), udp_flow());
  probe.answers(486);
  probe.pass(60s);
  EXPECT_EQ(probe.words(true),
            "0 up INVITE, 0 tx 486, 500 tx 486, 1500 tx 486, 3500 tx 486, 7500 tx 486, 11500 tx 486, "
            "15500 tx 486, 19500 tx 486, 23500 tx 486, 27500 tx 486, 31500 tx 486");
  EXPECT_TRUE(probe.idle());
}

TEST(InviteServer, RepeatsA2xxOnEveryTransportUntilTheTuSawItsAck) {
  for (const Flow& flow : {udp_flow(), tcp_flow()}) {
    LayerProbe probe;
    probe.arrives(peer_request(Method::kInvite), flow);
    probe.answers(200);
    probe.pass(2s);
    probe.arrives(peer_request(Method::kAck, "z9hG4bKack"), flow);  // an ACK to a 2xx has its own branch
    probe.layer.ack_received(probe.last_server);
    EXPECT_EQ(probe.layer.server_count(), is_stream(flow.transport) ? 0U : 1U);
    probe.pass(60s);
    EXPECT_EQ(probe.words(true), "0 up INVITE, 0 tx 200, 500 tx 200, 1500 tx 200, 2000 up ACK");
    EXPECT_TRUE(probe.idle());
  }
}

TEST(InviteServer, TellsOfA2xxThatNobodyAcknowledges) {
  LayerProbe probe;
  probe.arrives(peer_request(Method::kInvite), tcp_flow());
  probe.answers(200);
  probe.pass(60s);
  EXPECT_EQ(probe.words(true),
            "0 up INVITE, 0 tx 200, 500 tx 200, 1500 tx 200, 3500 tx 200, 7500 tx 200, 11500 tx 200, "
            "15500 tx 200, 19500 tx 200, 23500 tx 200, 27500 tx 200, 31500 tx 200, 32000 no ACK");
}

TEST(NonInviteServer, Says100When3500MsPassedAndNothingAfter32S) {
  LayerProbe probe;
  probe.arrives(peer_request(Method::kOptions), udp_flow());
  probe.pass(32s);
  EXPECT_EQ(probe.words(true), "0 up OPTIONS, 3500 tx 100");
  EXPECT_TRUE(probe.idle());
  probe.answers(200);  // RFC 4320 §4.2: the client has long given up
  EXPECT_EQ(probe.words(), "");
}

TEST(NonInviteServer, LingersFor64T1OverUdpAndNotAtAllOnAStream) {
  LayerProbe probe;
  bring(probe, Method::kOptions, At::kCompleted, udp_flow());
  probe.pass(31999ms);
  EXPECT_EQ(probe.layer.server_count(), 1U);
  probe.pass(1ms);
  EXPECT_TRUE(probe.idle());
  bring(probe, Method::kOptions, At::kCompleted, tcp_flow());
  EXPECT_TRUE(probe.idle());
}

TEST(Server, MatchesByBranchSentByAndMethod) {
  LayerProbe probe;
  probe.arrives(peer_request(Method::kOptions), udp_flow());
  Message other_host = peer_request(Method::kOptions, "z9hG4bKpeer1", 2);
  other_host.replace_first_element(HeaderName::kVia, "SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKpeer1");
  probe.arrives(other_host, udp_flow());
  Message other_case = peer_request(Method::kOptions, "z9hG4bKpeer1");
  other_case.replace_first_element(HeaderName::kVia, "SIP / 2.0 / UDP  192.0.2.9:5060 ;branch=z9hG4bKpeer1");
  probe.arrives(other_case, udp_flow());
  probe.arrives(peer_request(Method::kMessage, "z9hG4bKpeer1"), udp_flow());
  EXPECT_EQ(probe.words(), "up OPTIONS, up OPTIONS, up MESSAGE");
  EXPECT_EQ(probe.layer.server_count(), 3U);
}

TEST(Server, MatchesPeersOfRfc2543WithoutAnyBranch) {
  LayerProbe probe;
  probe.arrives(peer_request(Method::kInvite, {}), udp_flow());
  probe.arrives(peer_request(Method::kInvite, {}), udp_flow());
  EXPECT_EQ(probe.words(), "up INVITE, tx 100");
  probe.arrives(peer_request(Method::kInvite, "1"), udp_flow());  // another Via: the same request by two ways
  EXPECT_EQ(probe.words(), "tx 482");
  probe.answers(486);
  probe.arrives(peer_request(Method::kAck, {}), udp_flow());
  probe.pass(10s);
  EXPECT_EQ(probe.words(), "tx 486");
  EXPECT_TRUE(probe.idle());
}

TEST(Server, TheAckOfAnRfc2543PeerToA2xxReachesTheTu) {
  LayerProbe probe;
  probe.arrives(peer_request(Method::kInvite, {}), udp_flow());
  probe.answers(200);
  probe.words();
  probe.arrives(peer_request(Method::kAck, {}), udp_flow());
  EXPECT_EQ(probe.words(), "up ACK");
}

TEST(Cancel, IsAnsweredHereAndToldOnce) {
  LayerProbe probe;
  bring(probe, Method::kInvite, At::kProceeding, udp_flow());
  probe.arrives(peer_request(Method::kCancel), udp_flow());
  EXPECT_EQ(probe.words(), "tx 200, CANCEL of 1");
  EXPECT_EQ(probe.answered.get(HeaderName::kTo), "<sip:200@example.com>;tag=us");  // §9.2: the INVITE's tag
  EXPECT_EQ(probe.answered.get(HeaderName::kCSeq), "1 CANCEL");
  probe.arrives(peer_request(Method::kCancel), udp_flow());  // retransmitted
  EXPECT_EQ(probe.words(), "tx 200");
  probe.answers(487);
  EXPECT_EQ(probe.words(), "tx 487");
  probe.arrives(peer_request(Method::kAck), udp_flow());
  probe.pass(40s);
  EXPECT_EQ(probe.words(), "");
  EXPECT_TRUE(probe.idle());
}

TEST(Cancel, AfterTheFinalResponseChangesNothing) {
  for (const At at : {At::kAccepted, At::kCompleted}) {
    LayerProbe probe;
    bring(probe, Method::kInvite, at, udp_flow());
    probe.arrives(peer_request(Method::kCancel), udp_flow());
    EXPECT_EQ(probe.words(), "tx 200");
  }
}

TEST(Cancel, OfNothingIs481) {
  LayerProbe probe;
  probe.arrives(peer_request(Method::kCancel), udp_flow());
  EXPECT_EQ(probe.words(), "tx 481");
  probe.arrives(peer_request(Method::kCancel), udp_flow());
  EXPECT_EQ(probe.words(), "tx 481");
}

TEST(Cancel, CannotMakeATransactionVanishByComingFromElsewhere) {
  LayerProbe probe;
  bring(probe, Method::kInvite, At::kProceeding, udp_flow());
  Message cancel = peer_request(Method::kCancel);
  cancel.replace_first_element(HeaderName::kVia, "SIP/2.0/UDP 203.0.113.5:5060;branch=z9hG4bKpeer1");
  probe.arrives(cancel, udp_flow("203.0.113.5:5060"));
  EXPECT_EQ(probe.words(), "tx 481");
}

TEST(Server, TheSameRequestByTwoWaysIsMerged) {
  LayerProbe probe;
  probe.arrives(peer_request(Method::kInvite, "z9hG4bKway1"), udp_flow());
  probe.arrives(peer_request(Method::kInvite, "z9hG4bKway2"), udp_flow());
  EXPECT_EQ(probe.words(), "up INVITE, tx 482");
  Message inside = peer_request(Method::kInvite, "z9hG4bKway3");
  inside.set(HeaderName::kTo, "<sip:200@example.com>;tag=us");  // only requests outside dialogs are merged
  probe.arrives(inside, udp_flow());
  EXPECT_EQ(probe.words(), "up INVITE");
  probe.answers(486);
  probe.answers(486, ServerTransactionId{1});
  probe.pass(64s);
  probe.words();
  probe.arrives(peer_request(Method::kInvite, "z9hG4bKway2"), udp_flow());
  EXPECT_EQ(probe.words(), "up INVITE");
}

TEST(Server, ARefusedRequestMayComeAgainWithCredentialsAndTheOldNumber) {
  LayerProbe probe;
  probe.arrives(peer_request(Method::kRegister, "z9hG4bKfirst"), udp_flow());
  probe.answers(401);
  probe.words();
  probe.arrives(peer_request(Method::kRegister, "z9hG4bKsecond"), udp_flow());
  probe.answers(200);
  EXPECT_EQ(probe.words(), "up REGISTER, tx 200");
  probe.arrives(peer_request(Method::kRegister, "z9hG4bKthird"), udp_flow());  // this one was served
  EXPECT_EQ(probe.words(), "tx 482");
}

TEST(Server, BeyondTheLimitRequestsAreRefusedWithoutState) {
  LayerProbe probe{{}, {.server_transactions = 2, .client_transactions = 2}};
  probe.arrives(peer_request(Method::kInvite, "z9hG4bK1", 1), udp_flow());
  probe.arrives(peer_request(Method::kOptions, "z9hG4bK2", 2), udp_flow());
  probe.words();
  probe.arrives(peer_request(Method::kOptions, "z9hG4bK3", 3), udp_flow());
  EXPECT_EQ(probe.words(), "tx 503");
  EXPECT_TRUE(probe.answered.has(HeaderName::kRetryAfter));
  probe.arrives(peer_request(Method::kAck, "z9hG4bK4", 4), udp_flow());
  probe.arrives(peer_request(Method::kCancel, "z9hG4bK1", 1), udp_flow());
  probe.arrives(peer_request(Method::kCancel, "z9hG4bK1", 1), udp_flow());
  EXPECT_EQ(probe.words(), "up ACK, tx 200, CANCEL of 1, tx 200");
  EXPECT_EQ(probe.layer.server_count(), 2U);
}

TEST(Server, ARequestThatNoTransactionCanHoldIsAnswered400) {
  for (const HeaderName missing :
       {HeaderName::kCallId, HeaderName::kFrom, HeaderName::kTo, HeaderName::kCSeq}) {
    LayerProbe probe;
    Message request = peer_request(Method::kInvite);
    request.remove(missing);
    probe.arrives(request, udp_flow());
    EXPECT_EQ(probe.words(), "tx 400") << name_of(missing);
    Message ack = peer_request(Method::kAck);
    ack.remove(missing);
    probe.arrives(ack, udp_flow());
    EXPECT_EQ(probe.words(), "");
  }
  LayerProbe probe;
  Message request = peer_request(Method::kInvite);
  request.set(HeaderName::kCSeq, "1 BYE");
  probe.arrives(request, udp_flow());
  EXPECT_EQ(probe.words(), "tx 400");
  request.remove(HeaderName::kVia);
  probe.arrives(request, udp_flow());
  EXPECT_EQ(probe.words(), "");
  EXPECT_TRUE(probe.idle());
}

TEST(Server, NotesTheSourceInTheViaAndAnswersThere) {
  struct Way {
    const char* via;
    const char* from;
    const char* answer_to;
    const char* marked;
  };
  constexpr Way kWays[] = {
      {"SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKa", "192.0.2.9:6000", "192.0.2.9:5070",
       "SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKa"},
      {"SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa", "192.0.2.9:6000", "192.0.2.9:5060",
       "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa"},
      {"SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKa", "192.0.2.9:6000", "192.0.2.9:5070",
       "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKa;received=192.0.2.9"},
      {"SIP/2.0/UDP 10.0.0.1:5070;rport;branch=z9hG4bKa", "192.0.2.9:6000", "192.0.2.9:6000",
       "SIP/2.0/UDP 10.0.0.1:5070;rport=6000;branch=z9hG4bKa;received=192.0.2.9"},
      {"SIP/2.0/UDP phone.example.com:5070;branch=z9hG4bKa;received=203.0.113.66;maddr=203.0.113.66",
       "192.0.2.9:6000", "192.0.2.9:5070", nullptr},
  };
  for (const Way& way : kWays) {
    SCOPED_TRACE(way.via);
    LayerProbe probe;
    Message request = peer_request(Method::kOptions);
    request.replace_first_element(HeaderName::kVia, way.via);
    probe.arrives(request, udp_flow(way.from));
    if (way.marked != nullptr) EXPECT_EQ(probe.request.first_element(HeaderName::kVia), way.marked);
    probe.answers(200);
    EXPECT_EQ(probe.sent_to.remote.to_string(), way.answer_to);
    EXPECT_EQ(probe.answered.elements(HeaderName::kVia), probe.request.elements(HeaderName::kVia));
  }
}

TEST(Server, OnAStreamAnswersGoBackOnTheSameConnection) {
  LayerProbe probe;
  Message request = peer_request(Method::kOptions);
  request.replace_first_element(HeaderName::kVia, "SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bKa");
  probe.arrives(request, tcp_flow(12));
  probe.answers(200);
  EXPECT_EQ(probe.sent_to, tcp_flow(12));
  EXPECT_EQ(Via::top(probe.request)->received(), IpAddress::parse("192.0.2.9"));
}

TEST(Server, AnAbandonedRequestIsForgottenAndComesAgainAsNew) {
  for (const Method method : {Method::kInvite, Method::kRegister}) {
    LayerProbe probe;
    probe.arrives(peer_request(method), udp_flow());
    probe.words();
    probe.in(AbandonServer{probe.last_server});
    EXPECT_TRUE(probe.idle());
    probe.pass(40s);
    EXPECT_EQ(probe.words(), "");
    const ServerTransactionId old = probe.last_server;
    probe.arrives(peer_request(method), udp_flow());
    EXPECT_EQ(probe.words(), "up " + std::string{name_of(method)});
    probe.answers(200, old);  // an old id never reaches a new transaction
    EXPECT_EQ(probe.words(), "");
    probe.answers(403);
    probe.in(AbandonServer{probe.last_server});  // too late: it was answered
    EXPECT_EQ(probe.layer.server_count(), 1U);
  }
}

TEST(Server, AFinishedTransactionIsSmall) {
  LayerProbe probe;
  constexpr std::size_t kMany = 1000;
  for (std::size_t i = 0; i < kMany; ++i) {
    Message request = peer_request(Method::kOptions, "z9hG4bKbranch" + std::to_string(i),
                                   static_cast<std::uint32_t>(i + 1));
    probe.arrives(request, udp_flow());
    probe.answers(200);
  }
  EXPECT_LT(probe.layer.memory_bytes() / kMany, 1536U);
  RecordProperty("bytes_each", static_cast<int>(probe.layer.memory_bytes() / kMany));
}

}  // namespace
}  // namespace bw::sip
