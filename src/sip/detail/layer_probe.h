// For the tests of the transaction layer: one layer, a clock moved by hand, and a log of what came out as
// short words with the milliseconds at which it came ("0 tx INVITE, 500 tx INVITE").
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "sip/dialog.h"
#include "sip/transaction.h"
#include "sip/via.h"

namespace bw::sip::detail {

inline Flow udp_flow(std::string_view remote = "192.0.2.9:5060") {
  return {Transport::kUdp, {}, *Endpoint::parse("198.51.100.1:5060"), *Endpoint::parse(remote)};
}
inline Flow tcp_flow(std::uint64_t connection = 7) {
  return {Transport::kTcp, ConnectionId{connection}, *Endpoint::parse("198.51.100.1:5060"),
          *Endpoint::parse("192.0.2.9:40000")};
}

// A request of a peer as it leaves that peer.
inline Message peer_request(Method method, std::string_view branch = "z9hG4bKpeer1", std::uint32_t cseq = 1) {
  Message m = Message::request(method, "sip:200@198.51.100.1");
  std::string via = "SIP/2.0/UDP 192.0.2.9:5060";
  if (!branch.empty()) via.append(";branch=").append(branch);
  m.add(HeaderName::kVia, via);
  m.add(HeaderName::kMaxForwards, "70");
  m.add(HeaderName::kFrom, "<sip:100@example.com>;tag=caller");
  m.add(HeaderName::kTo, "<sip:200@example.com>");
  m.add(HeaderName::kCallId, "call-1");
  m.add(HeaderName::kCSeq, std::to_string(cseq) + " " + std::string{name_of(method)});
  return m;
}

// A request of ours, without Via.
inline Message own_request(Method method, std::uint32_t cseq = 1) {
  Message m = peer_request(method, {}, cseq);
  m.remove(HeaderName::kVia);
  return m;
}

class LayerProbe {
 public:
  explicit LayerProbe(TransactionTimers timers = {}, TransactionLimits limits = {})
      : layer(rng_, timers, limits) {}

  void in(TransactionLayer::Input input) {
    layer.handle(std::move(input), now);
    drain();
  }
  void arrives(Message message, const Flow& flow) { in(MessageArrived{flow, std::move(message)}); }
  void sends(Message message, const Flow& flow, std::uint64_t id = 1) {
    in(SendRequest{ClientTransactionId{id}, flow, std::move(message), {}});
  }
  void answers(int status, ServerTransactionId id) {
    in(SendResponse{id, make_response(request, status, "us")});
  }
  void answers(int status) { answers(status, last_server); }
  // A response of the peer to what we sent last (or to `sent`).
  Message reply(int status) const { return reply(status, sent); }
  static Message reply(int status, const Message& to) { return make_response(to, status, "peer"); }

  // Time passes; timers fire at their own moment.
  void pass(Duration span) {
    const Instant until = now + span;
    while (layer.deadline().at <= until) {
      now = layer.deadline().at;
      in(Tick{});
    }
    now = until;
  }

  // What came out since the last call; with the times if `timed`.
  std::string words(bool timed = false) {
    std::string all;
    for (const auto& [at, word] : log_) {
      if (!all.empty()) all += ", ";
      if (timed) all += std::to_string((at - start_) / 1ms) + " ";
      all += word;
    }
    log_.clear();
    return all;
  }
  // Times are counted from here.
  void restart_clock() { start_ = now; }
  bool idle() const { return layer.server_count() == 0 && layer.client_count() == 0; }

 private:
  SeededRng rng_{1};

 public:
  TransactionLayer layer;
  Instant now{1000s};
  Message sent = Message::request(Method::kOptions, "sip:x");     // the last request we transmitted
  Message answered = Message::response(100);                      // the last response we transmitted
  Message request = Message::request(Method::kOptions, "sip:x");  // the last request passed up
  Message response = Message::response(100);                      // the last response passed up
  Flow sent_to;
  ServerTransactionId last_server;

 private:
  void drain() {
    while (auto output = layer.poll()) {
      std::string word = std::visit(
          Overloaded{
              [&](Transmit& out) { return transmitted(out); },
              [&](RequestReceived& out) { return received(out); },
              [&](CancelReceived& out) { return "CANCEL of " + std::to_string(out.invite.value); },
              [&](ResponseReceived& out) { return answered_by(out); },
              [&](StrayResponse& out) { return "stray " + std::to_string(out.response.status()); },
              [&](RequestFailed& out) {
                return std::string{out.why == ClientFailure::kTimeout ? "timeout" : "transport failure"};
              },
              [&](AckMissing&) { return std::string{"no ACK"}; },
          },
          *output);
      log_.emplace_back(now, std::move(word));
    }
  }
  std::string transmitted(const Transmit& out) {
    sent_to = out.to;
    auto message = parse(*out.bytes);
    if (!message) return "tx garbage";
    if (message->is_request()) {
      sent = std::move(*message);
      return "tx " + std::string{sent.method_name()};
    }
    answered = std::move(*message);
    return "tx " + std::to_string(answered.status());
  }
  std::string received(RequestReceived& out) {
    std::string word = "up " + std::string{out.request.method_name()};
    if (out.id) {
      last_server = out.id;
      request = std::move(out.request);
    }
    return word;
  }
  std::string answered_by(ResponseReceived& out) {
    response = std::move(out.response);
    return "up " + std::to_string(response.status());
  }

  Instant start_ = now;
  std::vector<std::pair<Instant, std::string>> log_;
};

}  // namespace bw::sip::detail
