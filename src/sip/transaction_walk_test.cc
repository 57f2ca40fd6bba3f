// Two transaction layers talk over a link that loses, doubles, delays and reorders. Whatever happens, each
// side keeps its promises, and after a quiet time nothing is left.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "sip/detail/layer_probe.h"

namespace bw::sip {
namespace {

struct Script {
  std::uint64_t seed = 1;
  unsigned loss_percent = 20;
  unsigned twice_percent = 10;
  Transport transport = Transport::kUdp;
};

// The user of one layer: answers what comes as chance will have it, and remembers what it was promised.
class Party {
 public:
  Party(Rng& rng, std::string_view address, Transport transport)
      : rng_(rng), layer(rng), local(*Endpoint::parse(address)), transport_(transport) {}

  void call(Method method, const Endpoint& to, Instant now) {
    const std::uint64_t id = ++last_id_;
    Message request = Message::request(method, "sip:x@example.com");
    request.add(HeaderName::kMaxForwards, "70");
    request.add(HeaderName::kFrom, "<sip:a@example.com>;tag=" + rng_.token(8));
    request.add(HeaderName::kTo, "<sip:x@example.com>");
    request.add(HeaderName::kCallId, rng_.token(12));
    request.add(HeaderName::kCSeq, "1 " + std::string{name_of(method)});
    open_[id] = method;
    sent_.insert(id);
    layer.handle(SendRequest{ClientTransactionId{id}, flow(to), std::move(request), {}}, now);
  }
  void cancel_something(Instant now) {
    for (const auto& [id, method] : open_) {
      if (method != Method::kInvite || cancelled_.contains(id)) continue;
      cancelled_.insert(id);
      const std::uint64_t own = ++last_id_;
      layer.handle(CancelRequest{ClientTransactionId{id}, ClientTransactionId{own}, {}}, now);
      return;
    }
  }
  // Answers one waiting request, or one INVITE that rings.
  void answer_something(Instant now) {
    if (waiting_.empty()) return;
    auto it = waiting_.begin();
    std::advance(it, static_cast<std::ptrdiff_t>(rng_.below(waiting_.size())));
    auto& [id, waiting] = *it;
    const bool invite = waiting.method() == Method::kInvite;
    const int status = invite && rng_.below(2) == 0 ? 180 : rng_.below(2) == 0 ? 200 : 486;
    layer.handle(SendResponse{ServerTransactionId{id}, make_response(waiting, status, "t")}, now);
    if (status < 200) return;
    if (invite && status == 200) unacknowledged_[id] = call_id(waiting);
    waiting_.erase(it);
  }

  void heard(const TransactionLayer::Output& output, Instant now) {
    std::visit(
        Overloaded{[](const Transmit&) {}, [&](const RequestReceived& o) { on_request(o, now); },
                   [&](const CancelReceived& o) {
                     const auto found = waiting_.find(o.invite.value);
                     if (found == waiting_.end()) return;
                     layer.handle(SendResponse{o.invite, make_response(found->second, 487, "t")}, now);
                     waiting_.erase(found);
                   },
                   [&](const ResponseReceived& o) { on_response(o, now); }, [](const StrayResponse&) {},
                   [&](const RequestFailed& o) {
                     if (!sent_.contains(o.id.value)) return;  // of a CANCEL
                     EXPECT_EQ(open_.erase(o.id.value), 1U) << "a second end for " << o.id.value;
                   },
                   [&](const AckMissing& o) {
                     EXPECT_EQ(unacknowledged_.erase(o.id.value), 1U) << "acknowledged, yet missed";
                   }},
        output);
  }
  Flow flow(const Endpoint& to) const {
    const ConnectionId connection{transport_ == Transport::kUdp ? 0U : 1U};
    return {transport_, connection, local, to};
  }
  std::size_t open() const { return open_.size(); }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  static std::string call_id(const Message& m) { return std::string{*m.get(HeaderName::kCallId)}; }

  void on_request(const RequestReceived& o, Instant now) {
    if (o.request.method() == Method::kAck) {
      EXPECT_FALSE(o.id);
      for (auto it = unacknowledged_.begin(); it != unacknowledged_.end(); ++it) {
        if (it->second != call_id(o.request)) continue;
        layer.ack_received(ServerTransactionId{it->first});
        unacknowledged_.erase(it);
        return;
      }
      return;
    }
    EXPECT_TRUE(o.id);
    // A last retransmission may come when the server has forgotten (timer J counts from the answer, §17.2.2).
    const auto [seen, first] = seen_.emplace(call_id(o.request), now);
    EXPECT_TRUE(first || now - seen->second >= 32s) << "a retransmission reached the TU";
    waiting_.emplace(o.id.value, o.request);
  }
  void on_response(const ResponseReceived& o, Instant now) {
    const bool invite = o.response.method() == Method::kInvite;
    if (invite && o.response.status() / 100 == 2) {
      Message ack = Message::request(Method::kAck, "sip:x@example.com");
      for (const HeaderName id : {HeaderName::kFrom, HeaderName::kTo, HeaderName::kCallId}) {
        ack.copy(o.response, id);
      }
      ack.add(HeaderName::kCSeq, "1 ACK");
      layer.handle(
          SendStateless{{o.flow.transport, o.flow.connection, local, o.flow.remote}, std::move(ack), {}},
          now);
      open_.erase(o.id.value);  // each retransmission of a 2xx is told
      return;
    }
    if (o.response.status() < 200 || !sent_.contains(o.id.value)) return;
    EXPECT_EQ(open_.erase(o.id.value), 1U) << "a second end for " << o.id.value;
  }

  Rng& rng_;

 public:
  TransactionLayer layer;
  const Endpoint local;

 private:
  const Transport transport_;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, Method> open_;  // requests without an end
  std::set<std::uint64_t> sent_;
  std::set<std::uint64_t> cancelled_;
  std::map<std::string, Instant> seen_;
  std::map<std::uint64_t, Message> waiting_;
  std::map<std::uint64_t, std::string> unacknowledged_;
};

class Link {
 public:
  explicit Link(const Script& script)
      : script_(script),
        rng_(script.seed),
        a_(rng_, "192.0.2.1:5060", script.transport),
        b_(rng_, "192.0.2.2:5060", script.transport) {}

  void walk(int steps) {
    for (int i = 0; i < steps; ++i) {
      Party& party = rng_.below(2) == 0 ? a_ : b_;
      Party& other = &party == &a_ ? b_ : a_;
      switch (rng_.below(8)) {
        case 0:
        case 1:
          party.call(Method::kInvite, other.local, now_);
          break;
        case 2:
        case 3:
          party.call(Method::kOptions, other.local, now_);
          break;
        case 4:
          party.cancel_something(now_);
          break;
        default:
          party.answer_something(now_);
      }
      pass(Duration{rng_.below(2'000'000'000)});
    }
  }
  // Everything that is still open is answered, then time heals all.
  void rest() {
    // An INVITE that was lost so far may still arrive for 32 s.
    for (int i = 0; i < 4000; ++i) {
      a_.answer_something(now_);
      b_.answer_something(now_);
      pass(10ms);
    }
    pass(400s);
    for (const Party* party : {&a_, &b_}) {
      EXPECT_EQ(party->open(), 0U) << "a request without an end";
      EXPECT_EQ(party->layer.client_count(), 0U);
      EXPECT_EQ(party->layer.server_count(), 0U);
      EXPECT_EQ(party->layer.deadline().at, Instant::far_future());
    }
  }

 private:
  void pass(Duration span) {
    const Instant until = now_ + span;
    for (;;) {
      drain(a_);
      drain(b_);
      Instant next = std::min(a_.layer.deadline().at, b_.layer.deadline().at);
      if (!wire_.empty()) next = std::min(next, wire_.begin()->first);
      if (next > until) break;
      now_ = next;
      if (!wire_.empty() && wire_.begin()->first <= now_) {
        deliver();
      } else {
        a_.layer.handle(Tick{}, now_);
        b_.layer.handle(Tick{}, now_);
      }
    }
    now_ = until;
  }
  void drain(Party& party) {
    while (const auto output = party.layer.poll()) {
      if (const auto* transmit = std::get_if<Transmit>(&*output)) {
        send(*transmit);
      } else {
        party.heard(*output, now_);
      }
    }
  }
  void send(const Transmit& transmit) {
    const bool datagrams = script_.transport == Transport::kUdp;
    if (datagrams && rng_.below(100) < script_.loss_percent) return;
    const unsigned copies = datagrams && rng_.below(100) < script_.twice_percent ? 2 : 1;
    for (unsigned i = 0; i < copies; ++i) {
      const Duration delay = datagrams ? Duration{rng_.below(700'000'000)} : 30ms;
      wire_.emplace(now_ + delay, transmit);
    }
  }
  void deliver() {
    const Transmit transmit = wire_.begin()->second;
    wire_.erase(wire_.begin());
    Party& to = transmit.to.remote == a_.local ? a_ : b_;
    auto message = parse(*transmit.bytes);
    ASSERT_TRUE(message);
    const Flow flow = to.flow(&to == &a_ ? b_.local : a_.local);
    to.layer.handle(MessageArrived{flow, std::move(*message)}, now_);
  }

  Script script_;
  SeededRng rng_;
  Instant now_{1000s};
  Party a_;
  Party b_;
  std::multimap<Instant, Transmit> wire_;
};

TEST(TransactionWalk, NothingIsLeftAndNothingIsToldTwiceOnALossyLink) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Link link{{.seed = seed, .loss_percent = static_cast<unsigned>(seed % 5 * 15)}};
    link.walk(60);
    link.rest();
    if (testing::Test::HasFailure()) return;
  }
}

TEST(TransactionWalk, NothingIsLeftOnAStream) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Link link{{.seed = seed, .transport = Transport::kTcp}};
    link.walk(60);
    link.rest();
    if (testing::Test::HasFailure()) return;
  }
}

TEST(TransactionWalk, NothingIsLeftWhenNothingArrives) {
  Link link{{.seed = 3, .loss_percent = 100}};
  link.walk(50);
  link.rest();
}

}  // namespace
}  // namespace bw::sip
