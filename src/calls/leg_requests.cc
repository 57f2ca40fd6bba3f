// What the peer asks inside the dialog (RFC 3261 §12.2.2, §14.2, §15.1.2, RFC 3262, 3311, 3515).
#include <string>
#include <utility>

#include "calls/leg.h"
#include "sip/session_body.h"
#include "sip/status.h"

namespace bw::calls {

void Leg::on_request(sip::ServerTransactionId tx, const sip::Flow& flow, sip::Message request,
                     LegContext& cx) {
  if (state_ == State::kEnded || !dialog_) {
    if (tx) respond(tx, request, 481, cx);
    return;
  }
  if (!dialog_->accept(request)) {
    if (tx) respond(tx, request, 500, cx);
    return;
  }
  flow_ = flow;  // RFC 5626 §5.3: a peer that reconnected is answered where it is now
  switch (request.method()) {
    case sip::Method::kAck:
      on_ack(request, cx);
      return;
    case sip::Method::kBye:
      on_bye(tx, request, cx);
      return;
    case sip::Method::kInvite:
      on_reinvite(tx, std::move(request), cx);
      return;
    case sip::Method::kUpdate:
      on_update(tx, std::move(request), cx);
      return;
    case sip::Method::kPrack:
      on_prack(tx, request, cx);
      return;
    case sip::Method::kRefer:
      on_refer(tx, std::move(request), cx);
      return;
    case sip::Method::kInfo: {
      respond(tx, request, 200, cx);
      if (released_) return;
      cx.events.push_back(
          {id_, LegEvent::InfoReceived{std::string(request.get(sip::HeaderName::kContentType).value_or("")),
                                       std::string(request.body())}});
      return;
    }
    case sip::Method::kOptions: {  // RFC 3261 §11.2
      auto response = dialog_->make_response(request, 200);
      response.add(sip::HeaderName::kAllow, kAllow);
      response.add(sip::HeaderName::kAccept, kSdpType);
      response.add(sip::HeaderName::kSupported, kSupported);
      respond(tx, std::move(response), cx);
      return;
    }
    case sip::Method::kNotify:
      respond(tx, request, 481, cx);
      return;  // we subscribed to nothing
    case sip::Method::kSubscribe:
      respond(tx, request, 489, cx);
      return;
    case sip::Method::kCancel:
    case sip::Method::kRegister:
    case sip::Method::kMessage:
    case sip::Method::kPublish:
    case sip::Method::kUnknown:
      break;
  }
  auto response = sip::make_response(request, 405, local_tag_);
  response.add(sip::HeaderName::kAllow, kAllow);
  respond(tx, std::move(response), cx);
}

void Leg::on_ack(const sip::Message& ack, LegContext& cx) {
  if (state_ != State::kAnswered) return;
  cx.wire.push_back(AckTaken{invite_server_});
  invite_server_ = {};
  invite_.reset();
  enter(State::kConfirmed, "their ACK");
  if (bye_when_acked_) {
    leave(bye_reason_, cx);
    return;
  }
  if (!released_) cx.events.push_back({id_, LegEvent::Confirmed{std::string(sip::session_description(ack))}});
  send_waiting_offer(cx);
}

void Leg::on_ack_missing(sip::ServerTransactionId tx, LegContext& cx) {
  if (tx != invite_server_ || state_ != State::kAnswered) return;
  invite_server_ = {};
  enter(State::kConfirmed, "no ACK in 64*T1");
  leave("SIP;cause=408;text=\"ACK missing\"", cx);  // RFC 3261 §13.3.1.4
  gone({false, 408, "the phone never confirmed the answer", {}}, cx);
}

void Leg::on_cancel(const sip::Message& cancel, LegContext& cx) {
  if (state_ != State::kInvited) {
    // RFC 3261 §9.2: too late for the INVITE; a cancelled re-INVITE is answered 487 and the session goes on.
    if (invite_ && invite_server_ && state_ == State::kConfirmed) {
      respond(std::exchange(invite_server_, {}), *invite_, 487, cx);
      invite_.reset();
    }
    return;
  }
  respond(invite_server_, *invite_, 487, cx);
  LegEvent::Cancelled event{std::string(cancel.get(sip::HeaderName::kReason).value_or(""))};
  close("cancelled by the caller", cx);
  if (!std::exchange(released_, true)) cx.events.push_back({id_, std::move(event)});
}

void Leg::on_bye(sip::ServerTransactionId tx, const sip::Message& request, LegContext& cx) {
  respond(tx, request, 200, cx);
  if (state_ == State::kCalling || state_ == State::kCancelling) {
    // A callee may not do this (§15), but some do: our INVITE is cancelled, and it counts as refused.
    if (!std::exchange(released_, true)) {
      cx.events.push_back({id_, LegEvent::Refused{480, {}, {}, {}, true}});
      hang_up(480, {}, cx);
    }
    return;
  }
  if (state_ == State::kInvited && invite_) {  // RFC 3261 §15.1.2: BYE in the early dialog
    respond(invite_server_, *invite_, 487, cx);
  } else if (state_ == State::kAnswered) {
    cx.wire.push_back(AckTaken{invite_server_});  // their BYE proves that the 2xx arrived
  } else if (invite_ && invite_server_) {
    respond(invite_server_, *invite_, 487, cx);
  }
  if (invite_ && update_server_) respond(update_server_, *invite_, 487, cx);
  LegEvent::Gone event{true, 0, {}, std::string(request.get(sip::HeaderName::kReason).value_or(""))};
  // A BYE of ours that crosses theirs is answered or times out in its transaction; nobody waits for it here.
  close("their BYE", cx);
  gone(std::move(event), cx);
}

// RFC 3261 §14.2: 500 while an earlier one of theirs is open, 491 while one of ours is.
bool Leg::refuse_offer_in_glare(sip::ServerTransactionId tx, const sip::Message& request, LegContext& cx) {
  if (invite_server_ || update_server_) {
    auto response = sip::make_response(request, 500, local_tag_);
    response.add(sip::HeaderName::kRetryAfter, std::to_string(cx.rng.below(11)));
    respond(tx, std::move(response), cx);
    return true;
  }
  if (offer_client_ || refresh_client_) {
    respond(tx, request, 491, cx);
    return true;
  }
  return false;
}

void Leg::on_reinvite(sip::ServerTransactionId tx, sip::Message request, LegContext& cx) {
  if (refuse_offer_in_glare(tx, request, cx)) return;
  if (state_ != State::kConfirmed) {
    respond(tx, request, state_ == State::kLeaving ? 481 : 491, cx);
    return;
  }
  if (refuse_small_session(tx, request, cx)) return;
  dialog_->refresh_target(request);
  invite_server_ = tx;
  std::string sdp{sip::session_description(request)};
  invite_ = std::move(request);
  if (released_) {
    answer_offer(487, {}, cx);
    return;
  }
  cx.events.push_back({id_, LegEvent::Offered{std::move(sdp)}});
}

void Leg::on_update(sip::ServerTransactionId tx, sip::Message request, LegContext& cx) {
  if (state_ == State::kLeaving || state_ == State::kCancelling) {
    respond(tx, request, 481, cx);
    return;
  }
  if (refuse_small_session(tx, request, cx)) return;
  if (sip::session_description(request).empty()) {  // RFC 3311 §5.2: target refresh and session refresh only
    dialog_->refresh_target(request);
    auto response = dialog_->make_response(request, 200);
    session_.write_response(request, response);
    respond(tx, std::move(response), cx);
    arm_session(cx);
    return;
  }
  // Before the answer there is no second party that could answer an offer at once (RFC 3311 §5.2: 504).
  if (state_ == State::kInvited || state_ == State::kCalling) {
    respond(tx, request, 504, cx);
    return;
  }
  if (refuse_offer_in_glare(tx, request, cx)) return;
  dialog_->refresh_target(request);
  update_server_ = tx;
  std::string sdp{sip::session_description(request)};
  invite_ = std::move(request);
  cx.events.push_back({id_, LegEvent::Offered{std::move(sdp)}});
}

void Leg::on_refer(sip::ServerTransactionId tx, sip::Message request, LegContext& cx) {
  const auto refer_to = request.elements(sip::HeaderName::kReferTo);
  if (refer_to.size() != 1) {  // RFC 3515 §2.4.1
    respond(tx, request, 400, cx);
    return;
  }
  if (refer_server_ || refer_active_ || state_ != State::kConfirmed || released_) {
    respond(tx, request, 491, cx);
    return;
  }
  refer_server_ = tx;
  LegEvent::ReferAsked event{std::string(refer_to.front())};
  refer_ = std::move(request);
  cx.events.push_back({id_, std::move(event)});
}

}  // namespace bw::calls
