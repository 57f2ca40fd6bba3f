// Requests inside a call: ACK, re-INVITE, UPDATE, BYE, REFER and NOTIFY, INFO, PRACK.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "testkit/detail/pending.h"
#include "testkit/phone_text.h"
#include "testkit/stage.h"

namespace bw::testkit {
namespace {

// RFC 3261 §14.1: who made the Call-ID waits longer, so that the two do not meet again.
constexpr Duration kGlareOwner = 2100ms;
constexpr Duration kGlareOther = 500ms;
constexpr Duration kGlareSpread = 1400ms;
constexpr Duration kTransactionEnd = 32s;  // 64*T1

}  // namespace

void Phone::on_inside(Line& line, const sip::RequestReceived& in) {
  const sip::Method method = in.request.method();
  if (method == sip::Method::kAck) return on_ack(line, in.request);
  if (!line.dialog) {  // outgoing and not answered: only PRACK's and UPDATE's like come here
    const int status = method == sip::Method::kBye ? 200 : 481;
    return respond(in.id, sip::make_response(in.request, status, {}));
  }
  if (!line.dialog->accept(in.request)) {
    return respond(in.id, line.dialog->make_response(in.request, 500));
  }
  switch (method) {
    case sip::Method::kInvite:
      return on_reinvite(line, in);
    case sip::Method::kUpdate:
      return on_update(line, in);
    case sip::Method::kBye:
      return on_bye(line, in);
    case sip::Method::kRefer:
      return on_refer(line, in);
    case sip::Method::kNotify:
      return on_notify(line, in);
    case sip::Method::kInfo:
      return on_info(line, in);
    case sip::Method::kPrack:
      line.prack_awaited = false;
      ++line.pracks;
      return respond(in.id, line.dialog->make_response(in.request, 200));
    case sip::Method::kOptions:
      return respond(in.id, line.dialog->make_response(in.request, 200));
    default:
      return respond(in.id, line.dialog->make_response(in.request, 405));
  }
}

void Phone::on_ack(Line& line, const sip::Message& ack) {
  if (line.offer_in_ack_awaited && !ack.body().empty()) {
    take_answer(line, ack.body());
    line.offer_in_ack_awaited = false;
  }
  if (line.state == LineState::kAnswered) {
    layer_->ack_received(line.server);
    line.state = LineState::kUp;
    arm_session(line);
    start_media();
    if (line.bye_when_acked) return send_bye(line);
  } else if (line.theirs) {
    layer_->ack_received(line.theirs);
  }
  line.theirs = {};
}

void Phone::on_reinvite(Line& line, const sip::RequestReceived& in) {
  if (habits_.never_answers_reinvites) return;
  if (line.state != LineState::kUp || line.theirs) {
    sip::Message wait = line.dialog->make_response(in.request, 500);  // RFC 3261 §14.2
    wait.add(sip::HeaderName::kRetryAfter, "1");
    return respond(in.id, std::move(wait));
  }
  if (line.change) return respond(in.id, line.dialog->make_response(in.request, 491));
  line.dialog->refresh_target(in.request);
  ++line.refreshes;
  const auto offer = PhoneSdp::parse(in.request.body());
  line.local = offer ? make_answer(line, *offer) : make_offer(line);
  line.offer_in_ack_awaited = !offer;
  line.theirs = in.id;
  sip::Message ok = line.dialog->make_response(in.request, 200);
  answer_session_timer(line, in.request, ok);
  describe(ok, line.local.to_text());
  respond(in.id, std::move(ok));
  arm_session(line);
  start_media();
}

void Phone::on_update(Line& line, const sip::RequestReceived& in) {
  if (line.change && !in.request.body().empty()) {
    return respond(in.id, line.dialog->make_response(in.request, 491));
  }
  line.dialog->refresh_target(in.request);
  ++line.refreshes;
  sip::Message ok = line.dialog->make_response(in.request, 200);
  answer_session_timer(line, in.request, ok);
  if (const auto offer = PhoneSdp::parse(in.request.body())) {
    line.local = make_answer(line, *offer);
    describe(ok, line.local.to_text());
  }
  respond(in.id, std::move(ok));
  if (line.state == LineState::kUp) arm_session(line);
  start_media();
}

void Phone::on_bye(Line& line, const sip::RequestReceived& in) {
  const std::uint32_t id = line.id;
  respond(in.id, line.dialog->make_response(in.request, 200));
  Line* l = line_with(id);
  if (l == nullptr || l->is_over()) return;
  if (l->state == LineState::kRinging) {  // RFC 3261 §15.1.2
    respond(l->server, l->dialog->make_response(l->invite, 487));
  }
  if (l->state == LineState::kAnswered) layer_->ack_received(l->server);
  end(*l, 200, in.request.get(sip::HeaderName::kReason).value_or(""), true);
}

void Phone::on_refer(Line& line, const sip::RequestReceived& in) {
  const std::string_view target = in.request.get(sip::HeaderName::kReferTo).value_or("");
  const auto open = target.find("sip:");
  if (open == target.npos) return respond(in.id, line.dialog->make_response(in.request, 400));
  std::string uri{target.substr(open, target.find('>', open) - open)};
  std::string replaces;
  if (const auto query = uri.find('?'); query != uri.npos) {
    replaces = unescaped(parameter(uri.substr(query), "Replaces"));
    uri.resize(query);
  }
  const std::uint32_t id = line.id;
  respond(in.id, line.dialog->make_response(in.request, 202));
  const std::string peer = user_of(uri);
  sip::Flow to = flow_to_server();
  if (server_.port == 0) to.remote = endpoint_of(uri).value_or(to.remote);
  Line& made = place_call(uri, peer, to, replaces);
  made.referred_by = id;
  made.referred_report = true;
  report_transfer(made, 100);
}

void Phone::report_transfer(Line& from, int status) {
  Line* asked = line_with(from.referred_by);
  if (asked == nullptr || !asked->dialog || asked->state != LineState::kUp || !from.referred_report) return;
  sip::Message notify = asked->dialog->make_request(sip::Method::kNotify);
  notify.add(sip::HeaderName::kEvent, "refer");
  notify.add(sip::HeaderName::kSubscriptionState,
             status < 200 ? "active;expires=60" : "terminated;reason=noresource");
  notify.set_body("message/sipfrag;version=2.0",
                  fmt::format("SIP/2.0 {} {}\r\n", status, status < 200 ? "Trying" : "Done"));
  if (status >= 200) from.referred_report = false;
  send_inside(*asked, std::move(notify));
}

void Phone::on_notify(Line& line, const sip::RequestReceived& in) {
  const std::uint32_t id = line.id;
  const std::string_view body = in.request.body();
  if (body.starts_with("SIP/2.0 ") && body.size() > 11) {
    line.transfer_status = static_cast<int>(leading_number(body.substr(8, 3)).value_or(0));
  }
  respond(in.id, line.dialog->make_response(in.request, 200));
  Line* l = line_with(id);
  const int status = l != nullptr ? l->transfer_status.value_or(0) : 0;
  if (status >= 200 && status < 300 && habits_.hangs_up_when_transferred && l->state == LineState::kUp) {
    send_bye(*l);
  }
}

void Phone::on_info(Line& line, const sip::RequestReceived& in) {
  const std::string_view body = in.request.body();
  if (const auto at = body.find("Signal="); at != body.npos && at + 7 < body.size())
    line.digits += body[at + 7];
  respond(in.id, line.dialog->make_response(in.request, 200));
}

void Phone::send_change(Line& line) {
  if (line.change || line.state != LineState::kUp) return;
  line.local = make_offer(line);
  sip::Message m =
      line.dialog->make_request(habits_.changes_with_update ? sip::Method::kUpdate : sip::Method::kInvite);
  m.add(sip::HeaderName::kSupported, habits_.supports_timer ? "timer, replaces" : "replaces");
  add_session_timer(m, line);
  if (!habits_.delayed_offer || habits_.changes_with_update) describe(m, line.local.to_text());
  line.change = send(std::move(m), flow_of(line), line.id);
}

void Phone::on_change_response(Line& line, const Pending& p, const sip::Message& response) {
  const int status = response.status();
  const auto change = std::exchange(line.change, {});
  if (status < 300) {
    line.dialog->refresh_target(response);
    std::string answer;
    if (const auto offer = PhoneSdp::parse(response.body()); offer && p.request.body().empty()) {
      line.local = make_answer(line, *offer);  // we asked without an offer: theirs is in the 2xx
      answer = line.local.to_text();
    } else if (!response.body().empty()) {
      take_answer(line, response.body());
    }
    if (p.request.method() == sip::Method::kInvite) {
      send_ack(line, *line.dialog, response, answer);
      later(kTransactionEnd, [this, change] { pending_.erase(change.value); });
    }
    if (line.state == LineState::kUp) start_session_timer(line, response);
    return start_media();
  }
  if (line.is_over()) return;
  if (status == 491) {
    ++line.glares;
    const Duration spread{stage_.rng().below(static_cast<std::uint64_t>(kGlareSpread.count()))};
    later((line.outgoing ? kGlareOwner : kGlareOther) + spread, line, [this](Line& l) { send_change(l); });
    return;
  }
  if ((status == 481 || status == 408) && line.state == LineState::kUp) send_bye(line);
}

void Phone::send_bye(Line& line) {
  line.state = LineState::kEnding;
  send_inside(line, line.dialog->make_request(sip::Method::kBye));
}

void Phone::sends_out_of_order(sip::Method method) {
  Line* line = on_ ? current() : nullptr;
  if (line == nullptr || !line->dialog) return;
  sip::Message m = line->dialog->make_request(method);
  m.set(sip::HeaderName::kCSeq, fmt::format("0 {}", sip::name_of(method)));
  send(std::move(m), flow_of(*line), 0);
}

void Phone::end(Line& line, int status, std::string_view reason, bool by_peer) {
  if (line.is_over()) return;
  line.state = LineState::kEnded;
  line.ended_status = status;
  line.ended_reason = reason;
  line.ended_by_peer = by_peer;
  ++line.session_round;
  if (line.referred_report && status != 200) report_transfer(line, status == 0 ? 503 : status);
}

}  // namespace bw::testkit
