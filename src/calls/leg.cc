#include "calls/leg.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "sip/subscription.h"

namespace bw::calls {
namespace {

constexpr Duration kCancelPatience = 32s;  // RFC 3261 §9.1: 64*T1 after CANCEL the INVITE counts as cancelled
constexpr auto kReferPatience = std::chrono::seconds{180};  // how long a transfer may ring
constexpr std::string_view kTagAlphabet = "0123456789abcdefghijklmnopqrstuv";

// Our tags begin with the leg's number, so that a request inside a dialog finds its leg without a table; the
// random rest makes them unguessable (RFC 3261 §19.3).
std::string make_tag(LegId id, Rng& rng) {
  std::string tag;
  for (std::uint64_t n = id.value; n != 0; n >>= 5U) tag += kTagAlphabet[n & 31U];
  tag += '-';
  tag += rng.token(14);
  return tag;
}

}  // namespace

std::string_view name_of(Leg::State state) {
  switch (state) {
    case Leg::State::kInvited:
      return "trying";
    case Leg::State::kAnswered:
      return "up";
    case Leg::State::kCalling:
      return "trying";
    case Leg::State::kConfirmed:
      return "up";
    case Leg::State::kCancelling:
      return "ended";
    case Leg::State::kLeaving:
      return "ended";
    case Leg::State::kEnded:
      return "ended";
  }
  return "ended";
}

LegId Leg::owner_of_tag(std::string_view local_tag) {
  std::uint64_t value = 0;
  unsigned shift = 0;
  for (const char c : local_tag) {
    if (c == '-') return LegId{value};
    const auto digit = kTagAlphabet.find(c);
    if (digit == kTagAlphabet.npos || shift > 60) return {};
    value |= static_cast<std::uint64_t>(digit) << shift;
    shift += 5;
  }
  return {};
}

Leg Leg::incoming(LegId id, sip::ServerTransactionId tx, const sip::Flow& flow, sip::Message invite,
                  std::string contact, LegContext& cx) {
  Leg leg;
  leg.id_ = id;
  leg.incoming_ = true;
  leg.flow_ = flow;
  leg.contact_ = std::move(contact);
  leg.local_tag_ = make_tag(id, cx.rng);
  leg.call_id_ = invite.get(sip::HeaderName::kCallId).value_or("");
  leg.note_peer(invite);
  leg.invite_server_ = tx;
  if (auto dialog =
          sip::Dialog::as_uas(invite, leg.local_tag_, leg.contact_, sip::is_secure(flow.transport))) {
    leg.dialog_ = std::move(*dialog);
  }
  leg.invite_ = std::move(invite);
  return leg;
}

Leg Leg::outgoing(LegId id, OutgoingInvite wish, LegContext& cx) {
  Leg leg;
  leg.id_ = id;
  leg.state_ = State::kCalling;
  leg.flow_ = wish.flow;
  leg.contact_ = std::move(wish.contact);
  leg.local_tag_ = make_tag(id, cx.rng);
  leg.call_id_ = cx.rng.token(22);
  leg.invite_cseq_ = 1;

  auto invite = sip::Message::request(sip::Method::kInvite, wish.target);
  invite.add(sip::HeaderName::kMaxForwards, std::to_string(wish.max_forwards));
  for (const auto& route : wish.routes) invite.add(sip::HeaderName::kRoute, route);
  invite.add(sip::HeaderName::kFrom, wish.from + ";tag=" + leg.local_tag_);
  invite.add(sip::HeaderName::kTo, wish.to);
  invite.add(sip::HeaderName::kCallId, leg.call_id_);
  invite.add(sip::HeaderName::kCSeq, "1 INVITE");
  invite.add(sip::HeaderName::kContact, leg.contact_);
  invite.add(sip::HeaderName::kAllow, kAllow);
  invite.add(sip::HeaderName::kSupported, kSupported);
  leg.session_.write_request(invite);
  for (const auto& [name, value] : wish.headers) invite.add(name, value);
  if (!wish.offer.empty()) invite.set_body(kSdpType, leg.last_sdp_ = wish.offer);
  leg.invite_ = invite;
  leg.sent_invite_ = invite;
  leg.sent_invite_->set_body({}, {});
  leg.invite_client_ = leg.send(std::move(invite), cx);
  return leg;
}

void Leg::enter(State next, [[maybe_unused]] std::string_view why) {
  assert(state_ != State::kEnded || next == State::kEnded);
  state_ = next;
}

bool Leg::is_dialog(std::string_view call_id, std::string_view local_tag, std::string_view remote_tag) const {
  return call_id == call_id_ && local_tag == local_tag_ && dialog_ && dialog_->remote_tag() == remote_tag;
}

sip::ClientTransactionId Leg::send(sip::Message request, LegContext& cx) {
  const sip::ClientTransactionId id{id_.value << kSequenceBits | next_sequence_++};
  pending_.push_back({id, request.method()});
  cx.wire.push_back(sip::SendRequest{id, flow_, std::move(request), {}});
  return id;
}

void Leg::respond(sip::ServerTransactionId tx, sip::Message response, LegContext& cx) {
  cx.wire.push_back(sip::SendResponse{tx, std::move(response)});
}

void Leg::respond(sip::ServerTransactionId tx, const sip::Message& request, int status, LegContext& cx) {
  respond(tx, sip::make_response(request, status, local_tag_), cx);
}

// ---- wishes of the call ----

void Leg::ring(LegContext& cx) {
  if (state_ != State::kInvited || ringing_) return;
  ringing_ = true;
  respond_provisional(180, {}, cx);
}

void Leg::progress(std::string_view sdp, LegContext& cx) {
  if (state_ == State::kInvited) respond_provisional(183, sdp, cx);
}

void Leg::answer(std::string_view sdp, LegContext& cx) {
  if (state_ != State::kInvited) return;
  if (early_answer_waits_) {  // RFC 3262 §3: not before the PRACK for an answer in a provisional
    waiting_answer_ = std::string(sdp);
    return;
  }
  auto response = dialog_->make_response(*invite_, 200);
  response.add(sip::HeaderName::kAllow, kAllow);
  response.add(sip::HeaderName::kSupported, kSupported);
  if (!identity_.empty()) response.add(sip::HeaderName::kPAssertedIdentity, identity_);
  session_.write_response(*invite_, response);
  if (!sdp.empty()) response.set_body(kSdpType, last_sdp_ = sdp);
  reliable_.stop();
  cx.timers.cancel(provisional_timer_);
  enter(State::kAnswered, "the call was answered");
  respond(invite_server_, std::move(response), cx);
  arm_session(cx);
}

void Leg::offer(std::string_view sdp, LegContext& cx, bool retry) {
  if (!up() || released_) return;
  retry_offer_ = retry;
  if (state_ != State::kConfirmed || invite_server_ || update_server_ || offer_client_ ||
      cx.timers.is_armed(retry_timer_)) {
    if (retry) {
      waiting_offer_ = std::string(sdp);
    } else {
      cx.events.push_back({id_, LegEvent::OfferAnswered{491, {}}});
    }
    return;
  }
  auto request = dialog_->make_request(sip::Method::kInvite);
  invite_cseq_ = dialog_->local_cseq();
  request.add(sip::HeaderName::kAllow, kAllow);
  request.add(sip::HeaderName::kSupported, kSupported);
  if (!identity_.empty()) request.add(sip::HeaderName::kPAssertedIdentity, identity_);
  session_.write_request(request);
  request.set_body(kSdpType, last_sdp_ = sdp);
  offer_in_flight_ = std::string(sdp);
  offer_given_up_ = offer_heard_ = false;
  offer_client_ = send(std::move(request), cx);
}

void Leg::give_up_offer(LegContext& cx) {
  waiting_offer_.clear();
  cx.timers.cancel(retry_timer_);
  if (!offer_client_ || std::exchange(offer_given_up_, true)) return;
  cx.wire.push_back(sip::CancelRequest{
      offer_client_, {id_.value << kSequenceBits | next_sequence_++}, "SIP;cause=504;text=\"No answer\""});
}

void Leg::answer_offer(int status, std::string_view sdp, LegContext& cx) {
  const bool by_update = static_cast<bool>(update_server_);
  const sip::ServerTransactionId tx = by_update ? update_server_ : invite_server_;
  if (!tx || !invite_ || state_ == State::kInvited) return;
  auto response = dialog_->make_response(*invite_, status);
  if (status < 300) {
    response.add(sip::HeaderName::kAllow, kAllow);
    session_.write_response(*invite_, response);
    if (!sdp.empty()) response.set_body(kSdpType, last_sdp_ = sdp);
  }
  update_server_ = {};
  invite_.reset();
  if (by_update || status >= 300) {
    if (!by_update) invite_server_ = {};
  } else {
    enter(State::kAnswered, "a re-INVITE was answered");
  }
  respond(tx, std::move(response), cx);
  if (status < 300) arm_session(cx);
  send_waiting_offer(cx);
}

void Leg::hang_up(int status, std::string_view reason_header, LegContext& cx) {
  released_ = true;
  waiting_offer_.clear();
  switch (state_) {
    case State::kInvited: {
      auto response = sip::make_response(*invite_, status, local_tag_);
      if (!reason_header.empty()) response.add(sip::HeaderName::kReason, reason_header);
      respond(invite_server_, std::move(response), cx);
      close("refused", cx);
      return;
    }
    case State::kCalling:
      cx.wire.push_back(sip::CancelRequest{
          invite_client_, {id_.value << kSequenceBits | next_sequence_++}, std::string(reason_header)});
      bye_reason_ = std::string(reason_header);  // for the BYE, should an answer cross the CANCEL
      enter(State::kCancelling, "hung up before an answer");
      cx.timers.arm(cancel_timer_, cx.now + kCancelPatience, {id_, LegTimer::Kind::kCancel});
      return;
    case State::kAnswered:
      // RFC 3261 §15: the callee must not send BYE before the ACK came or its wait is over.
      bye_when_acked_ = true;
      bye_reason_ = std::string(reason_header);
      return;
    case State::kConfirmed:
      leave(reason_header, cx);
      return;
    case State::kCancelling:
    case State::kLeaving:
    case State::kEnded:
      return;
  }
}

void Leg::leave(std::string_view reason_header, LegContext& cx) {
  if (invite_ && (invite_server_ || update_server_)) {  // their re-INVITE will never be answered
    respond(update_server_ ? update_server_ : invite_server_, *invite_, 487, cx);
    invite_server_ = update_server_ = {};
    invite_.reset();
  }
  auto bye = dialog_->make_request(sip::Method::kBye);
  if (!reason_header.empty()) bye.add(sip::HeaderName::kReason, reason_header);
  enter(State::kLeaving, "our BYE");
  cx.timers.cancel(session_timer_);
  cx.timers.cancel(retry_timer_);
  send(std::move(bye), cx);
}

void Leg::close(std::string_view why, LegContext& cx) {
  enter(State::kEnded, why);
  for (TimerHandle* timer : {&provisional_timer_, &session_timer_, &retry_timer_, &cancel_timer_}) {
    cx.timers.cancel(*timer);
  }
  invite_server_ = update_server_ = {};
  invite_.reset();
  ack_.reset();
}

void Leg::gone(LegEvent::Gone what, LegContext& cx) {
  if (!std::exchange(released_, true)) cx.events.push_back({id_, std::move(what)});
}

sip::Method Leg::take_pending(sip::ClientTransactionId id) {
  const auto it = std::ranges::find(pending_, id, &Pending::id);
  if (it == pending_.end()) return sip::Method::kUnknown;
  const sip::Method method = it->method;
  pending_.erase(it);
  return method;
}

void Leg::answer_refer(int status, LegContext& cx) {
  if (!refer_server_ || !refer_) return;
  respond(std::exchange(refer_server_, {}), dialog_->make_response(*refer_, status), cx);
  refer_active_ = status < 300;
  refer_.reset();
}

void Leg::notify_refer(int status, bool final, LegContext& cx) {
  if (!refer_active_ || state_ != State::kConfirmed) return;
  auto notify = sip::make_refer_notify(*dialog_, status, kReferPatience);
  refer_active_ = !final;
  send(std::move(notify), cx);
}

void Leg::send_info(std::string_view content_type, std::string_view body, LegContext& cx) {
  // Who floods its partner with INFO gets no more through than is answered.
  if (state_ != State::kConfirmed || waiting_info_.size() >= kMostInfos) return;
  waiting_info_.push_back({std::string(content_type), std::string(body)});
  send_waiting_info(cx);
}

// One at a time: one that overtakes another is refused for its CSeq (RFC 3261 §12.2.2), and its digit is
// lost.
void Leg::send_waiting_info(LegContext& cx) {
  if (info_client_.value != 0 || waiting_info_.empty() || state_ != State::kConfirmed) return;
  auto info = dialog_->make_request(sip::Method::kInfo);
  info.set_body(waiting_info_.front().content_type, waiting_info_.front().body);
  waiting_info_.pop_front();
  info_client_ = send(std::move(info), cx);
}

void Leg::probe(LegContext& cx) {
  if (state_ == State::kConfirmed) send(dialog_->make_request(sip::Method::kOptions), cx);
}

}  // namespace bw::calls
