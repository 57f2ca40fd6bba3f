// Requests from outside: who may ask what, and which core answers (RFC 3261 §8.2).
#include <utility>

#include "exchange/detail/system.h"
#include "sip/dialog.h"
#include "sip/name_addr.h"

namespace bw::exchange {
namespace {

constexpr std::string_view kAllow =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, PRACK, UPDATE, INFO, REFER, NOTIFY";

}  // namespace

void System::respond(sip::ServerTransactionId tx, sip::Message response, Instant now) {
  layer_.handle(sip::TransactionLayer::Input{sip::SendResponse{tx, std::move(response)}}, now);
}

void System::refuse(const sip::RequestReceived& in, int status, Instant now) {
  auto response = sip::make_response(in.request, status, rng_.token(10));
  if (status == 405 || status == 501) response.add(sip::HeaderName::kAllow, kAllow);
  respond(in.id, std::move(response), now);
}

// Answered without a transaction: what cannot be read cannot be matched either (RFC 3261 §8.2.7).
void System::answer_unreadable(const sip::Flow& flow, const sip::Message& request,
                               const sip::Rejection& why) {
  if (request.method() == sip::Method::kAck || !request.has(sip::HeaderName::kVia)) return;
  auto response = sip::make_response(request, why.status, rng_.token(10), why.status == 400 ? why.why : "");
  if (why.header != sip::HeaderName::kUnknown) response.add(why.header, why.header_value);
  auto bytes = std::make_shared<std::string>();
  sip::write(response, *bytes);
  out.push_back(sip::Transmit{flow, std::move(bytes)});
}

void System::on_request(sip::RequestReceived in, Instant now) {
  const auto to = in.request.get(sip::HeaderName::kTo).value_or("");
  if (!sip::tag_of(to).empty()) {
    calls_.handle(calls::Calls::Input{calls::DialogRequest{in.id, in.flow, std::move(in.request)}}, now);
    return;
  }
  switch (in.request.method()) {
    case sip::Method::kInvite:
    case sip::Method::kRegister:
      on_new_request(std::move(in), now);
      return;
    case sip::Method::kOptions: {  // RFC 3261 §11: what a phone or monitor asks to see whether we live
      auto response = sip::make_response(in.request, 200, rng_.token(10));
      response.add(sip::HeaderName::kAllow, kAllow);
      response.add(sip::HeaderName::kAccept, "application/sdp");
      respond(in.id, std::move(response), now);
      return;
    }
    case sip::Method::kAck:
      return;  // to nothing we know
    case sip::Method::kBye:
    case sip::Method::kCancel:
    case sip::Method::kPrack:
    case sip::Method::kUpdate:
    case sip::Method::kInfo:
    case sip::Method::kNotify:
      refuse(in, 481, now);
      return;
    case sip::Method::kRefer:
    case sip::Method::kSubscribe:
    case sip::Method::kMessage:
    case sip::Method::kPublish:
      refuse(in, 405, now);
      return;
    case sip::Method::kUnknown:
      refuse(in, 501, now);
      return;
  }
}

void System::on_new_request(sip::RequestReceived in, Instant now) {
  auto verdict = authenticator_.verify(in.request, in.flow, *directory_, now);
  if (const auto* wrong = std::get_if<registrar::Challenge>(&verdict)) return challenge(in, *wrong, now);
  if (std::holds_alternative<registrar::Ignored>(verdict)) {
    layer_.handle(sip::TransactionLayer::Input{sip::AbandonServer{in.id}}, now);
    return;
  }
  auto& who = std::get<registrar::Accepted>(verdict).extension;
  if (in.request.method() == sip::Method::kRegister) return on_register(std::move(in), who, now);
  calls_.handle(
      calls::Calls::Input{calls::InviteArrived{in.id, in.flow, std::move(in.request), std::move(who)}}, now);
}

void System::challenge(const sip::RequestReceived& in, const registrar::Challenge& challenge, Instant now) {
  auto response = sip::make_response(in.request, 401, rng_.token(10));
  for (const std::string& value : challenge.www_authenticate) {
    response.add(sip::HeaderName::kWwwAuthenticate, value);
  }
  if (challenge.delay <= 0s || delayed_.size() >= limits_.waiting_answers)
    return respond(in.id, std::move(response), now);
  const std::uint64_t key = next_delayed_++;
  Delayed& delayed = delayed_[key];
  delayed.held = {in.id, std::move(response)};
  delays_.arm(delayed.timer, now + challenge.delay, key);
}

// The 200 waits until the binding is in the database: a phone that was told "registered" can be called after
// any crash.
void System::on_register(sip::RequestReceived in, const model::ExtensionNumber& who, Instant now) {
  auto result = registrar_.process(in.request, in.flow, who, now);
  if (sip::is_stream(in.flow.transport) && result.response.status() < 300) {
    const std::string agent{in.request.get(sip::HeaderName::kUserAgent).value_or("")};
    calls_.handle(calls::Calls::Input{calls::PhoneMoved{who, in.flow, agent}}, now);
  }
  if (result.changes.empty() || until_stored_.size() >= limits_.waiting_answers) {
    store(result.changes, {});
    return respond(in.id, std::move(result.response), now);
  }
  const ports::Ticket ticket{next_ticket_++};
  until_stored_.emplace(ticket, Held{in.id, std::move(result.response)});
  store(result.changes, ticket);
}

}  // namespace bw::exchange
