// The way of messages between a phone's transaction layer and the network.
#include <fmt/format.h>

#include "testkit/detail/pending.h"
#include "testkit/phone_digest.h"
#include "testkit/phone_text.h"
#include "testkit/stage.h"

namespace bw::testkit {
void Phone::on_datagram(Endpoint local, Endpoint remote, const Bytes& bytes) {
  if (!on_) return;
  if (local.port != endpoint().port) return on_media(local, *bytes);
  arrived({sip::Transport::kUdp, {}, local, remote}, bytes);
}

void Phone::on_stream(sip::ConnectionId id, Endpoint local, Endpoint remote, const Bytes& bytes) {
  if (on_) arrived({habits_.transport, id, local, remote}, bytes);
}

void Phone::on_stream_closed(sip::ConnectionId id, Endpoint local, Endpoint remote) {
  if (!on_ || id != connection_) return;
  connection_ = {};
  registered_ = false;
  layer_->handle(sip::TransportFailed{{habits_.transport, id, local, remote}}, stage_.now());
  drain();
  later(2s, [this] { registers(); });
}

void Phone::arrived(const sip::Flow& flow, const Bytes& bytes) {
  auto message = sip::parse(*bytes);
  if (!message) return;
  layer_->handle(sip::MessageArrived{flow, std::move(*message)}, stage_.now());
  drain();
}

Deadline Phone::deadline() const {
  return on_ ? layer_->deadline() : Deadline::never();
}

void Phone::wake() {
  layer_->handle(Tick{}, stage_.now());
  drain();
}

void Phone::drain() {
  while (auto out = layer_->poll()) {
    std::visit(Overloaded{
                   [&](const sip::Transmit& t) { transmit(t); },
                   [&](const sip::RequestReceived& in) { on_request(in); },
                   [&](const sip::CancelReceived& in) { on_cancel(in); },
                   [&](const sip::ResponseReceived& in) { on_response(in); },
                   [&](const sip::StrayResponse& in) { on_stray(in); },
                   [&](const sip::RequestFailed& in) { on_failure(in); },
                   [&](const sip::AckMissing& in) {
                     for (const auto& l : lines_) {
                       if (l->is_over() || (l->server != in.id && l->theirs != in.id)) continue;
                       l->state = LineState::kUp;
                       send_bye(*l);
                     }
                   },
               },
               *out);
  }
}

void Phone::transmit(const sip::Transmit& out) {
  if (!sip::is_stream(out.to.transport)) {
    stage_.network().send(endpoint(), out.to.remote, out.bytes);
    return;
  }
  const auto id = out.to.connection ? out.to.connection : connection_;
  stage_.network().send_stream(id, endpoint(), out.bytes);
}

sip::Flow Phone::flow_to_server() {
  sip::Flow flow{habits_.transport, {}, endpoint(), server_};
  if (sip::is_stream(habits_.transport)) {
    if (!connection_) connection_ = stage_.network().connect(endpoint(), server_);
    flow.connection = connection_;
  }
  return flow;
}

sip::Flow Phone::flow_of(const Line& line) const {
  sip::Flow flow = line.flow;
  if (sip::is_stream(flow.transport)) {
    flow.connection = connection_;
    return flow;
  }
  if (line.dialog) {
    if (const auto next = endpoint_of(line.dialog->next_hop())) flow.remote = *next;
  }
  return flow;
}

sip::ClientTransactionId Phone::send(sip::Message request, const sip::Flow& to, std::uint32_t line,
                                     bool again) {
  const sip::ClientTransactionId id{++next_transaction_};
  pending_[id.value] = std::make_unique<Pending>(Pending{request, to, line, again});
  layer_->handle(sip::SendRequest{id, to, std::move(request), {}}, stage_.now());
  drain();
  return id;
}

void Phone::send_inside(Line& line, sip::Message request) {
  send(std::move(request), flow_of(line), line.id);
}

void Phone::respond(sip::ServerTransactionId id, sip::Message response) {
  layer_->handle(sip::SendResponse{id, std::move(response)}, stage_.now());
  drain();
}

void Phone::on_response(const sip::ResponseReceived& in) {
  const auto it = pending_.find(in.id.value);
  if (it == pending_.end()) return;
  const sip::Message& response = in.response;
  const Pending p = *it->second;
  const bool invite = p.request.method() == sip::Method::kInvite;
  // An INVITE stays known: its 2xx may come again, from this or from another branch (RFC 3261 §13.2.2.4).
  if (response.status() >= 200 && !(invite && response.status() < 300)) pending_.erase(it);
  if ((response.status() == 401 || response.status() == 407) && authenticate(in.id, p, response)) return;
  if (p.request.method() == sip::Method::kRegister) {
    if (response.status() >= 200) on_register_response(response);
    return;
  }
  Line* line = line_with(p.line);
  if (line == nullptr) return;
  if (invite && response.status() / 100 == 2 && repeat_ack(*line, response)) return;
  if (invite && line->client == in.id) return on_invite_response(*line, p, response);
  if (line->change == in.id) {
    if (response.status() >= 200) on_change_response(*line, p, response);
    return;
  }
  if (p.request.method() == sip::Method::kBye && response.status() >= 200) {
    return end(*line, 200, {}, false);
  }
  if (p.request.method() == sip::Method::kRefer && response.status() >= 300) {
    line->transfer_status = response.status();
  }
  const bool gone = response.status() == 481 || response.status() == 408;
  if (gone && line->state == LineState::kUp) send_bye(*line);  // RFC 3261 §12.2.1.2
}

void Phone::on_failure(const sip::RequestFailed& in) {
  const auto it = pending_.find(in.id.value);
  if (it == pending_.end()) return;
  const Pending p = *it->second;
  pending_.erase(it);
  const int status = in.why == sip::ClientFailure::kTimeout ? 408 : 503;
  if (p.request.method() == sip::Method::kRegister) {
    registration_status_ = status;
    registered_ = false;
    later(20s, [this] { registers(); });
    return;
  }
  Line* line = line_with(p.line);
  if (line == nullptr || line->is_over()) return;
  if (line->client == in.id || p.request.method() == sip::Method::kBye) return end(*line, status, {}, false);
  if (line->change == in.id) line->change = {};
  if (line->state == LineState::kUp) send_bye(*line);
}

bool Phone::authenticate(sip::ClientTransactionId old, const Pending& p, const sip::Message& response) {
  const bool proxy = response.status() == 407;
  const auto challenge =
      response.get(proxy ? sip::HeaderName::kProxyAuthenticate : sip::HeaderName::kWwwAuthenticate);
  const auto into = proxy ? sip::HeaderName::kProxyAuthorization : sip::HeaderName::kAuthorization;
  if (!challenge || p.answered_challenge || habits_.password.empty()) return false;
  Line* line = line_with(p.line);
  if (line != nullptr && (line->is_over() || line->state == LineState::kCancelling)) return false;

  sip::Message again = p.request;
  const std::string cnonce = stage_.rng().token(8);
  again.set(into, answer_challenge(*challenge, again.method_name(), again.request_uri(), number_,
                                   habits_.password, cnonce, 1));
  const bool initial_invite = line != nullptr && p.request.method() == sip::Method::kInvite && !line->dialog;
  if (p.request.method() == sip::Method::kRegister) {
    again.set(sip::HeaderName::kCSeq, fmt::format("{} REGISTER", ++register_cseq_));
  } else if (initial_invite) {
    again.set(sip::HeaderName::kCSeq, "2 INVITE");
    line->invite = again;
    line->early.clear();
  } else if (line != nullptr && line->dialog) {
    const sip::Message next = line->dialog->make_request(again.method());
    again.set(sip::HeaderName::kCSeq, *next.get(sip::HeaderName::kCSeq));
  }
  const auto id = send(std::move(again), p.flow, p.line, true);
  if (line != nullptr && line->client == old) line->client = id;
  if (line != nullptr && line->change == old) line->change = id;
  return true;
}

}  // namespace bw::testkit
