// The calling side of a leg: what comes back to our requests (RFC 3261 §13.2.2, §14.1, RFC 3262 §4).
#include <algorithm>
#include <string>
#include <utility>

#include "calls/leg.h"
#include "sip/name_addr.h"
#include "sip/session_body.h"
#include "sip/status.h"

namespace bw::calls {
namespace {

std::string sdp_of(const sip::Message& message) {
  return std::string(sip::session_description(message));
}

}  // namespace

void Leg::on_response(sip::ClientTransactionId id, const sip::Message& response, LegContext& cx) {
  if (state_ == State::kEnded) return;
  if (id == invite_client_) {
    on_invite_response(response, cx);
    return;
  }
  if (response.status() < 200) {
    offer_heard_ = offer_heard_ || id == offer_client_;
    return;
  }
  if (response.method() == sip::Method::kInvite && id == offer_done_) {
    if (response.status() < 300 && ack_) cx.wire.push_back(sip::SendStateless{flow_, *ack_, {}});
    return;
  }
  const sip::Method method = take_pending(id);
  if (id == offer_client_ || id == refresh_client_) {
    on_offer_response(id, response, cx);
    return;
  }
  if (method == sip::Method::kBye) {
    close("our BYE was answered", cx);
    return;
  }
  if (method == sip::Method::kOptions && response.status() != 481 && response.status() != 408) {
    if (!released_) cx.events.push_back({id_, LegEvent::ProbeAnswered{}});
    return;
  }
  if (method == sip::Method::kNotify) {
    if (response.status() >= 300) refer_active_ = false;
    return;  // RFC 6665 §4.2.2: a refused NOTIFY ends the subscription, not the call
  }
  if (response.status() == 481 || response.status() == 408) on_dialog_lost(response.status(), cx);
  if (id == info_client_) {
    info_client_ = {};
    send_waiting_info(cx);
  }
}

void Leg::on_failure(sip::ClientTransactionId id, sip::ClientFailure why, LegContext& cx) {
  if (state_ == State::kEnded) return;
  const int status = why == sip::ClientFailure::kTimeout ? 408 : 503;
  const sip::Method method = take_pending(id);
  if (id == invite_client_) {
    const bool cancelled = state_ == State::kCancelling;
    close("our INVITE failed", cx);
    if (!cancelled && !released_) {
      cx.events.push_back({id_, LegEvent::Refused{status, {}, {}, {}, false}});
    }
    released_ = true;
    return;
  }
  if (method == sip::Method::kBye) {
    close("our BYE was not answered", cx);
    return;
  }
  if (id == offer_client_) {
    offer_client_ = {};
    if (offer_given_up_ && offer_heard_)
      return send_waiting_offer(cx);  // it lives, and ignores our CANCEL too
    if (!retry_offer_ && !released_) cx.events.push_back({id_, LegEvent::OfferAnswered{status, {}}});
  }
  if (method == sip::Method::kNotify || method == sip::Method::kUnknown) return;
  on_dialog_lost(status, cx);
}

// RFC 3261 §12.2.1.2: 481 or no answer inside a dialog means that the peer no longer has it.
void Leg::on_dialog_lost(int status, LegContext& cx) {
  if (state_ == State::kEnded || state_ == State::kLeaving) return;
  const char* sentence =
      status == 481 ? "the phone no longer knows the call" : "the phone does not answer any more";
  if (state_ == State::kConfirmed) leave("SIP;cause=408;text=\"No answer inside the dialog\"", cx);
  gone({false, status, sentence, {}}, cx);
}

void Leg::on_invite_response(const sip::Message& response, LegContext& cx) {
  if (response.status() < 200) {
    on_invite_provisional(response, cx);
  } else if (response.status() < 300) {
    on_invite_answer(response, cx);
  } else {
    on_invite_refusal(response, cx);
  }
}

void Leg::on_invite_provisional(const sip::Message& response, LegContext& cx) {
  if (response.status() == 100) return;
  if (invite_ && sip::requires_100rel(response)) acknowledge_provisional(response, cx);
  if (state_ != State::kCalling || released_) return;
  if (response.status() == 180 || response.status() == 183) ringing_ = true;
  cx.events.push_back({id_, LegEvent::Progressed{response.status(), sdp_of(response)}});
}

// RFC 3262 §4: a reliable provisional response is acknowledged inside its early dialog, in order.
void Leg::acknowledge_provisional(const sip::Message& response, LegContext& cx) {
  if (!dialog_) {
    auto dialog = sip::Dialog::as_uac(*invite_, response);
    if (!dialog) return;
    dialog_ = std::move(*dialog);
  }
  if (!dialog_->matches(response))
    return;  // a second early dialog behind a proxy: its final answer will tell
  if (order_.take(response) == sip::ProvisionalOrder::Verdict::kNew)
    send(sip::make_prack(*dialog_, response), cx);
}

void Leg::on_invite_answer(const sip::Message& response, LegContext& cx) {
  if (state_ == State::kConfirmed || state_ == State::kLeaving || !invite_) {
    if (dialog_ && dialog_->matches(response)) {
      if (ack_) cx.wire.push_back(sip::SendStateless{flow_, *ack_, {}});  // a repeated 2xx: our ACK was lost
    } else {
      dismiss_extra_answer(response, cx);
    }
    return;
  }
  auto dialog = sip::Dialog::as_uac(*invite_, response);
  if (!dialog) {  // no tag, or more routes than anybody needs: not an answer we could ever talk to
    cx.wire.push_back(sip::AbandonClient{invite_client_});
    close("an answer that makes no dialog", cx);
    if (!std::exchange(released_, true)) cx.events.push_back({id_, LegEvent::Refused{502, {}, {}, {}, true}});
    return;
  }
  if (dialog_ && dialog_->matches(response)) {  // keeps the sequence number that PRACK moved on
    dialog_->refresh_target(response);
    dialog_->refresh_route_set(response);
  } else {
    dialog_ = std::move(*dialog);
  }
  note_peer(response);
  take_pending(invite_client_);
  remember_ack(dialog_->make_ack(invite_cseq_), cx);
  const bool cancelled = state_ == State::kCancelling;
  if (!cancelled) session_.read_response(response);
  invite_.reset();
  enter(State::kConfirmed, "answered");
  cx.timers.cancel(cancel_timer_);
  if (cancelled) {  // RFC 3261 §9.1: the answer crossed our CANCEL
    leave(bye_reason_, cx);
    return;
  }
  arm_session(cx);
  cx.events.push_back({id_, LegEvent::Accepted{sdp_of(response)}});
}

void Leg::remember_ack(sip::Message ack, LegContext& cx) {
  ack_ = std::move(ack);
  cx.wire.push_back(sip::SendStateless{flow_, *ack_, {}});
}

// RFC 3261 §13.2.2.4: a proxy forked our INVITE and a second phone answered as well: it is told goodbye.
void Leg::dismiss_extra_answer(const sip::Message& response, LegContext& cx) {
  if (!sent_invite_) return;
  auto extra = sip::Dialog::as_uac(*sent_invite_, response);
  if (!extra) return;
  cx.wire.push_back(sip::SendStateless{flow_, extra->make_ack(invite_cseq_), {}});
  if (std::ranges::find(dismissed_, extra->remote_tag()) != dismissed_.end()) return;  // its 2xx once more
  if (dismissed_.size() == kMostDismissed) return;
  dismissed_.push_back(extra->remote_tag());
  auto bye = extra->make_request(sip::Method::kBye);
  bye.add(sip::HeaderName::kReason, "SIP;cause=200;text=\"Call completed elsewhere\"");
  send(std::move(bye), cx);
}

void Leg::on_invite_refusal(const sip::Message& response, LegContext& cx) {
  take_pending(invite_client_);
  if (response.status() == 422 && ask_for_longer_session(response, cx)) return;
  LegEvent::Refused refused{response.status(), {}, {}, {}, true};
  if (auto reason = response.get(sip::HeaderName::kReason)) refused.reason_header = *reason;
  if (response.status() / 100 == 3) {
    if (auto contact = response.first_element(sip::HeaderName::kContact)) refused.redirect = *contact;
  }
  close("our INVITE was refused", cx);
  if (!std::exchange(released_, true)) cx.events.push_back({id_, std::move(refused)});
}

// RFC 4028 §7.3: the INVITE again, with the interval the phone can bear.
bool Leg::ask_for_longer_session(const sip::Message& response, LegContext& cx) {
  if (state_ != State::kCalling || !invite_ || !session_.read_too_small(response)) return false;
  session_.write_request(*invite_);
  invite_->set(sip::HeaderName::kCSeq, std::to_string(++invite_cseq_) + " INVITE");
  sent_invite_ = invite_;
  sent_invite_->set_body({}, {});
  dialog_.reset();
  order_ = {};
  invite_client_ = send(*invite_, cx);
  return true;
}

void Leg::on_offer_response(sip::ClientTransactionId id, const sip::Message& response, LegContext& cx) {
  const bool refresh = id == refresh_client_;
  const int status = response.status();
  (refresh ? refresh_client_ : offer_client_) = {};
  if (status < 300) {
    dialog_->refresh_target(response);
    session_.read_response(response);
    arm_session(cx);
    if (response.method() == sip::Method::kInvite) {
      offer_done_ = id;
      remember_ack(dialog_->make_ack(invite_cseq_), cx);
    }
  } else if (status == 481 || status == 408) {
    on_dialog_lost(status, cx);
    return;
  }
  if (refresh || state_ != State::kConfirmed || released_) return;
  if (status == 491 && retry_offer_ && !offer_given_up_ && ++offer_tries_ < kOfferTries) {
    waiting_offer_ = std::move(offer_in_flight_);
    retry_offer_later(cx);
    return;
  }
  offer_tries_ = 0;
  offer_in_flight_.clear();
  // Of an offer that was given up only a late yes is news, and not even that when the next offer waits.
  if (std::exchange(offer_given_up_, false) && (status >= 300 || !waiting_offer_.empty()))
    return send_waiting_offer(cx);
  cx.events.push_back(
      {id_, LegEvent::OfferAnswered{status, status < 300 ? sdp_of(response) : std::string{}}});
  send_waiting_offer(cx);
}

// RFC 3261 §14.1: who owns the Call-ID waits 2.1-4 s, the other 0-2 s, in steps of 10 ms.
void Leg::retry_offer_later(LegContext& cx) {
  const Duration wait = incoming_ ? 10ms * cx.rng.below(201) : 2100ms + 10ms * cx.rng.below(191);
  cx.timers.arm(retry_timer_, cx.now + wait, {id_, LegTimer::Kind::kRetryOffer});
}

void Leg::send_waiting_offer(LegContext& cx) {
  if (waiting_offer_.empty() || cx.timers.is_armed(retry_timer_) || state_ != State::kConfirmed) return;
  if (invite_server_ || update_server_ || offer_client_) return;
  offer(std::exchange(waiting_offer_, {}), cx, true);
}

}  // namespace bw::calls
