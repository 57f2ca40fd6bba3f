// A phone that is called (RFC 3261 §13.3, §9.2; RFC 3262 §3; RFC 3891).
#include <fmt/format.h>

#include <algorithm>

#include "testkit/detail/pending.h"
#include "testkit/phone_text.h"
#include "testkit/stage.h"

namespace bw::testkit {
namespace {

constexpr Duration kT1 = 500ms;
constexpr Duration kTransactionEnd = 32s;

}  // namespace

void Phone::on_request(const sip::RequestReceived& in) {
  const sip::Method method = in.request.method();
  for (const auto& l : lines_) {
    const bool mine = l->dialog ? l->dialog->matches(in.request)
                                : std::ranges::any_of(
                                      l->early, [&](const auto& e) { return e.second.matches(in.request); });
    if (mine && !l->is_over()) return on_inside(*l, in);
  }
  if (method == sip::Method::kAck) return;
  if (in.request.get(sip::HeaderName::kTo).value_or("").find(";tag=") != std::string_view::npos) {
    return respond(in.id, sip::make_response(in.request, 481, {}));
  }
  switch (method) {
    case sip::Method::kInvite:
      return on_invite(in);
    case sip::Method::kOptions: {
      sip::Message ok = sip::make_response(in.request, 200, stage_.rng().token(8));
      ok.add(sip::HeaderName::kAllow,
             "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, REFER, NOTIFY, INFO");
      return respond(in.id, std::move(ok));
    }
    case sip::Method::kNotify:
      return respond(in.id, sip::make_response(in.request, 481, stage_.rng().token(8)));
    default:
      return respond(in.id, sip::make_response(in.request, 405, stage_.rng().token(8)));
  }
}

void Phone::on_invite(const sip::RequestReceived& in) {
  const auto tag = stage_.rng().token(8);
  Line* replaced = line_replaced_by(in.request);
  if (in.request.has(sip::HeaderName::kReplaces) && replaced == nullptr) {
    return respond(in.id, sip::make_response(in.request, 481, tag));
  }
  if (replaced == nullptr && call_count() >= habits_.lines) {
    return respond(in.id, sip::make_response(in.request, 486, tag));
  }
  auto dialog = sip::Dialog::as_uas(in.request, tag, contact(), false);
  if (!dialog) return respond(in.id, sip::make_response(in.request, 400, tag));
  lines_.push_back(std::make_unique<Line>());
  Line& line = *lines_.back();
  line.id = ++next_line_;
  line.state = LineState::kRinging;
  line.peer = user_of(in.request.get(sip::HeaderName::kFrom).value_or(""));
  line.flow = in.flow;
  line.invite = in.request;
  line.server = in.id;
  line.local_tag = tag;
  line.dialog = std::move(*dialog);
  const auto offer = PhoneSdp::parse(in.request.body());
  line.local = offer ? make_answer(line, *offer) : make_offer(line);
  line.offer_in_ack_awaited = !offer;
  if (replaced != nullptr) {
    const std::uint32_t old = replaced->id;
    accept_call(line);
    Line* l = line_with(old);
    if (l != nullptr && l->state == LineState::kUp) send_bye(*l);
    return;
  }
  if (habits_.rejects_with) return refuse(line, *habits_.rejects_with);
  ring(line);
  if (habits_.answers_after) {
    later(*habits_.answers_after, line, [this](Line& l) {
      if (l.state == LineState::kRinging) accept_call(l);
    });
  }
}

Line* Phone::line_replaced_by(const sip::Message& invite) {
  const auto value = invite.get(sip::HeaderName::kReplaces);
  if (!value) return nullptr;
  const std::string_view call_id = value->substr(0, value->find(';'));
  for (const auto& l : lines_) {
    if (l->is_over() || !l->dialog || l->dialog->call_id() != call_id) continue;
    if (l->dialog->local_tag() == parameter(*value, "to-tag") &&
        l->dialog->remote_tag() == parameter(*value, "from-tag")) {
      return l.get();
    }
  }
  return nullptr;
}

void Phone::ring(Line& line) {
  sip::Message ringing = line.dialog->make_response(line.invite, habits_.early_media ? 183 : 180);
  if (habits_.early_media) {
    describe(ringing, line.local.to_text());
    start_media();
  }
  const bool reliable =
      habits_.rings_reliably && (lists(line.invite, sip::HeaderName::kSupported, "100rel") ||
                                 lists(line.invite, sip::HeaderName::kRequire, "100rel"));
  if (!reliable) return respond(line.server, std::move(ringing));
  line.rseq = static_cast<std::uint32_t>(1 + stage_.rng().below(1000));
  line.prack_awaited = true;
  ringing.add(sip::HeaderName::kRequire, "100rel");
  ringing.add(sip::HeaderName::kRSeq, fmt::format("{}", line.rseq));
  repeat_until_prack(line.id, std::move(ringing), kT1, Duration{0});
}

void Phone::repeat_until_prack(std::uint32_t id, sip::Message response, Duration wait, Duration waited) {
  Line* line = line_with(id);
  if (line == nullptr || line->state != LineState::kRinging || !line->prack_awaited) return;
  if (waited >= kTransactionEnd) return refuse(*line, 504);  // RFC 3262 §3
  respond(line->server, response);
  later(wait, [this, id, response = std::move(response), wait, waited] {
    repeat_until_prack(id, response, wait * 2, waited + wait);
  });
}

void Phone::accept_call(Line& line) {
  sip::Message ok = line.dialog->make_response(line.invite, 200);
  ok.add(sip::HeaderName::kAllow, "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, REFER, NOTIFY, INFO");
  answer_session_timer(line, line.invite, ok);
  describe(ok, line.local.to_text());
  line.state = LineState::kAnswered;
  respond(line.server, std::move(ok));
  start_media();
}

void Phone::refuse(Line& line, int status) {
  const auto server = line.server;
  sip::Message no = line.dialog->make_response(line.invite, status);
  if (status / 100 == 3)
    no.set(sip::HeaderName::kContact, fmt::format("<sip:{}@{}>", habits_.redirects_to, domain_));
  end(line, status, {}, false);
  respond(server, std::move(no));
}

void Phone::on_cancel(const sip::CancelReceived& in) {
  const auto it = std::ranges::find_if(lines_, [&](const auto& l) { return l->server == in.invite; });
  if (it == lines_.end() || (*it)->state != LineState::kRinging) return;
  Line& line = **it;
  line.ended_reason = in.cancel.get(sip::HeaderName::kReason).value_or("");
  if (habits_.ignores_cancel) return;
  sip::Message terminated = line.dialog->make_response(line.invite, 487);
  end(line, 487, line.ended_reason, true);
  respond((*it)->server, std::move(terminated));
}

}  // namespace bw::testkit
