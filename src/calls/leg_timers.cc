// What a leg does by the clock: reliable provisional responses (RFC 3262), the session timer (RFC 4028), glare.
#include <utility>

#include "calls/leg.h"

namespace bw::calls {

void Leg::respond_provisional(int status, std::string_view sdp, LegContext& cx) {
  auto response = dialog_->make_response(*invite_, status);
  if (!sdp.empty()) response.set_body(kSdpType, sdp);
  respond(invite_server_, std::move(response), cx);
}
void Leg::on_prack(sip::ServerTransactionId tx, const sip::Message& request, LegContext& cx) { respond(tx, request, 481, cx); }
void Leg::arm_session(LegContext&) {}
void Leg::refresh_session(LegContext&) {}
bool Leg::refuse_small_session(sip::ServerTransactionId, const sip::Message&, LegContext&) { return false; }

void Leg::on_timer(LegTimer::Kind kind, LegContext& cx) {
  switch (kind) {
    case LegTimer::Kind::kProvisional: provisional_timer_ = {}; return;
    case LegTimer::Kind::kSession: session_timer_ = {}; return;
    case LegTimer::Kind::kRetryOffer:
      retry_timer_ = {};
      send_waiting_offer(cx);
      return;
    case LegTimer::Kind::kCancel:
      cancel_timer_ = {};
      cx.wire.push_back(sip::AbandonClient{invite_client_});
      close("no answer to our CANCEL", cx);
      return;
  }
}

}  // namespace bw::calls
