// What a leg does by the clock: reliable provisional responses (RFC 3262), the session timer (RFC 4028), the
// second try after glare (RFC 3261 §14.1).
#include <string>
#include <utility>

#include "base/utf8.h"
#include "calls/leg.h"
#include "sip/token_list.h"

namespace bw::calls {

// ---- provisional responses ----

void Leg::respond_provisional(int status, std::string_view sdp, LegContext& cx) {
  if (reliable_.waiting()) {  // RFC 3262 §3: one at a time
    if (waiting_provisional_.size() < kMostProvisional) waiting_provisional_.emplace_back(status, sdp);
    return;
  }
  auto response = dialog_->make_response(*invite_, status);
  if (!identity_.empty()) response.add(sip::HeaderName::kPAssertedIdentity, identity_);
  if (!sdp.empty()) response.set_body(kSdpType, sdp);
  if (!sip::requires_100rel(*invite_)) return respond(invite_server_, std::move(response), cx);
  early_answer_waits_ = !sdp.empty();
  respond(invite_server_, reliable_.start(std::move(response), cx.rng, cx.now), cx);
  cx.timers.arm(provisional_timer_, reliable_.deadline().at, {id_, LegTimer::Kind::kProvisional});
}

void Leg::repeat_provisional(LegContext& cx) {
  switch (reliable_.tick(cx.now)) {
    case sip::ReliableProvisional::Due::kNothing:
      break;
    case sip::ReliableProvisional::Due::kRepeat:
      respond(invite_server_, reliable_.response(), cx);
      break;
    case sip::ReliableProvisional::Due::kGaveUp:
      // The caller cannot hear us: the INVITE is refused and the call ends as if it had hung up.
      respond(invite_server_, *invite_, 504, cx);
      close("no PRACK in 64*T1", cx);
      gone({false, 504, "the phone never confirmed the ringing", {}}, cx);
      return;
  }
  if (reliable_.waiting()) {
    cx.timers.arm(provisional_timer_, reliable_.deadline().at, {id_, LegTimer::Kind::kProvisional});
  }
}

void Leg::on_prack(sip::ServerTransactionId tx, const sip::Message& request, LegContext& cx) {
  if (!reliable_.acknowledged_by(request)) return respond(tx, request, 481, cx);
  respond(tx, request, 200, cx);
  cx.timers.cancel(provisional_timer_);
  early_answer_waits_ = false;
  while (!waiting_provisional_.empty() && !reliable_.waiting()) {
    const auto [status, sdp] = std::move(waiting_provisional_.front());
    waiting_provisional_.pop_front();
    respond_provisional(status, sdp, cx);
  }
  if (!waiting_answer_.empty() && !early_answer_waits_) answer(std::exchange(waiting_answer_, {}), cx);
}

// ---- session timer ----

bool Leg::refuse_small_session(sip::ServerTransactionId tx, const sip::Message& request, LegContext& cx) {
  if (!session_.is_too_small(request)) return false;
  auto response = sip::make_response(request, 422, local_tag_);
  session_.write_too_small(response);
  respond(tx, std::move(response), cx);
  return true;
}

void Leg::note_peer(const sip::Message& message) {
  if (const auto agent = message.get(sip::HeaderName::kUserAgent)) {
    peer_agent_ = valid_utf8(*agent, kAgentBytes);
  } else if (const auto server = message.get(sip::HeaderName::kServer)) {
    peer_agent_ = valid_utf8(*server, kAgentBytes);
  }
  for (const auto method : message.elements(sip::HeaderName::kAllow)) {
    if (sip::method_from(method) == sip::Method::kUpdate) peer_updates_ = true;
  }
}

void Leg::arm_session(LegContext& cx) {
  cx.timers.cancel(session_timer_);
  if (!session_.running()) return;
  session_dies_at_ = cx.now + session_.dies_after();
  const Duration wait = session_.we_refresh() ? session_.refresh_after() : session_.dies_after();
  cx.timers.arm(session_timer_, cx.now + wait, {id_, LegTimer::Kind::kSession});
}

void Leg::on_session_timer(LegContext& cx) {
  if (state_ != State::kConfirmed || released_) return;
  if (cx.now >= session_dies_at_) {  // RFC 4028 §10
    leave("SIP;cause=408;text=\"Session timer expired\"", cx);
    gone({false, 408, "the phone did not refresh the session", {}}, cx);
    return;
  }
  refresh_session(cx);
  cx.timers.arm(session_timer_, session_dies_at_, {id_, LegTimer::Kind::kSession});
}

void Leg::refresh_session(LegContext& cx) {
  if (invite_server_ || update_server_ || offer_client_ || refresh_client_)
    return;  // that one refreshes as well
  auto request = dialog_->make_request(peer_updates_ ? sip::Method::kUpdate : sip::Method::kInvite);
  request.add(sip::HeaderName::kSupported, kSupported);
  session_.write_request(request);
  if (!peer_updates_) {  // RFC 4028 §7.4: the same description again, unchanged
    invite_cseq_ = dialog_->local_cseq();
    request.set_body(kSdpType, last_sdp_);
  }
  refresh_client_ = send(std::move(request), cx);
}

// ---- the clock ----

void Leg::on_timer(LegTimer::Kind kind, LegContext& cx) {
  switch (kind) {
    case LegTimer::Kind::kProvisional:
      if (state_ == State::kInvited) repeat_provisional(cx);
      return;
    case LegTimer::Kind::kSession:
      on_session_timer(cx);
      return;
    case LegTimer::Kind::kRetryOffer:
      send_waiting_offer(cx);
      return;
    case LegTimer::Kind::kCancel:
      cx.wire.push_back(sip::AbandonClient{invite_client_});
      close("no answer to our CANCEL", cx);
      return;
  }
}

}  // namespace bw::calls
