// A phone that calls (RFC 3261 §13.2, §9.1; RFC 3262 §4).
#include <fmt/format.h>

#include <algorithm>

#include "testkit/detail/pending.h"
#include "testkit/phone_text.h"
#include "testkit/stage.h"

namespace bw::testkit {
namespace {

constexpr Duration kTransactionEnd = 32s;  // 64*T1

}  // namespace

Line& Phone::place_call(std::string uri, std::string peer, const sip::Flow& to, std::string_view replaces) {
  lines_.push_back(std::make_unique<Line>());
  Line& line = *lines_.back();
  line.id = ++next_line_;
  line.outgoing = true;
  line.peer = std::move(peer);
  line.flow = to;
  line.local_tag = stage_.rng().token(8);
  line.local = make_offer(line);
  const std::string domain = domain_.empty() ? endpoint().to_string() : domain_;
  const std::string& claimed = habits_.claims_to_be.empty() ? number_ : habits_.claims_to_be;
  sip::Message m = sip::Message::request(sip::Method::kInvite, uri);
  m.add(sip::HeaderName::kMaxForwards, std::to_string(habits_.max_forwards));
  m.add(sip::HeaderName::kFrom,
        fmt::format(R"("{}" <sip:{}@{}>;tag={})", name_, claimed, domain, line.local_tag));
  m.add(sip::HeaderName::kTo, fmt::format("<{}>", uri));
  m.add(sip::HeaderName::kCallId, stage_.rng().token(16) + "@" + ip_.to_string());
  m.add(sip::HeaderName::kCSeq, "1 INVITE");
  m.add(sip::HeaderName::kContact, contact());
  m.add(sip::HeaderName::kAllow, "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, REFER, NOTIFY, INFO");
  std::string supported = "replaces";
  if (habits_.supports_timer) supported += ", timer";
  if (habits_.supports_100rel) supported += ", 100rel";
  m.add(sip::HeaderName::kSupported, supported);
  m.add(sip::HeaderName::kUserAgent, "Testkit " + name_);
  if (!replaces.empty()) m.add(sip::HeaderName::kReplaces, replaces);
  line.session_s = habits_.session_expires.value_or(0);
  add_session_timer(m, line);
  if (!habits_.delayed_offer) describe(m, line.local.to_text());
  line.invite = std::move(m);
  send_invite(line);
  return line;
}

void Phone::send_invite(Line& line) {
  line.client = send(line.invite, line.flow, line.id);
}

void Phone::on_invite_response(Line& line, const Pending& p, const sip::Message& response) {
  const int status = response.status();
  if (status == 100) return;
  if (status < 200) return on_provisional(line, response);
  if (status < 300) return on_answer(line, p, response);
  if (line.is_over() || line.dialog) return;
  end(line, status, response.get(sip::HeaderName::kReason).value_or(""), true);
}

void Phone::on_provisional(Line& line, const sip::Message& response) {
  if (line.state == LineState::kDialing) line.state = LineState::kProceeding;
  if (line.state != LineState::kProceeding && line.state != LineState::kCancelling) return;
  auto made = sip::Dialog::as_uac(line.invite, response);
  if (!made) return;
  const std::string tag = made->remote_tag();
  sip::Dialog& dialog = line.early.try_emplace(tag, std::move(*made)).first->second;
  if (lists(response, sip::HeaderName::kRequire, "100rel")) {
    const auto rseq = leading_number(response.get(sip::HeaderName::kRSeq).value_or("")).value_or(0);
    if (rseq <= line.seen_rseq) return;  // a retransmission: its PRACK is on the way
    line.seen_rseq = rseq;
    ++line.pracks;
    sip::Message prack = dialog.make_request(sip::Method::kPrack);
    prack.add(sip::HeaderName::kRAck, fmt::format("{} {} INVITE", rseq, cseq_of(line.invite)));
    send(std::move(prack), line.flow, line.id);
  }
  if (!response.body().empty() && !habits_.delayed_offer) {
    take_answer(line, response.body());
    start_media();
  }
}

void Phone::on_answer(Line& line, const Pending& p, const sip::Message& response) {
  const std::string tag = tag_of(response, sip::HeaderName::kTo);
  auto made = sip::Dialog::as_uac(p.request, response);
  if (!made) return;
  const bool second = line.dialog.has_value() && line.dialog->remote_tag() != tag;
  if (second) {  // RFC 3261 §13.2.2.4: the other branch is acknowledged and ended
    send_ack(line, *made, response, {});
    return static_cast<void>(send(made->make_request(sip::Method::kBye), line.flow, line.id));
  }
  const bool unwanted = line.state == LineState::kCancelling || line.is_over();
  // A PRACK of the early dialog has used CSeq numbers that the BYE must not use again.
  if (const auto early = line.early.find(tag); early != line.early.end()) {
    while (made->local_cseq() < early->second.local_cseq()) made->make_request(sip::Method::kOptions);
  }
  line.dialog = std::move(*made);
  later(kTransactionEnd, [this, client = line.client] { pending_.erase(client.value); });
  std::string answer;
  if (habits_.delayed_offer && !response.body().empty()) {
    if (const auto offer = PhoneSdp::parse(response.body())) {
      line.local = make_answer(line, *offer);
      answer = line.local.to_text();
    }
  } else if (!response.body().empty()) {
    take_answer(line, response.body());
  }
  send_ack(line, *line.dialog, response, answer);
  if (line.is_over()) {
    return static_cast<void>(send(line.dialog->make_request(sip::Method::kBye), flow_of(line), line.id));
  }
  line.state = LineState::kUp;
  if (unwanted) return send_bye(line);
  start_session_timer(line, response);
  start_media();
  if (line.referred_by != 0) report_transfer(line, 200);
}

void Phone::on_stray(const sip::StrayResponse& in) {
  for (const auto& l : lines_) {
    if (l->dialog && l->dialog->matches(in.response) && repeat_ack(*l, in.response)) return;
  }
}

bool Phone::repeat_ack(const Line& line, const sip::Message& response) {
  const auto ack =
      line.acks.find(fmt::format("{} {}", tag_of(response, sip::HeaderName::kTo), cseq_of(response)));
  if (ack == line.acks.end()) return false;
  if (habits_.never_acks) return true;
  layer_->handle(sip::SendStateless{flow_of(line), ack->second, {}}, stage_.now());
  drain();
  return true;
}

void Phone::send_ack(Line& line, const sip::Dialog& dialog, const sip::Message& response,
                     std::string_view sdp) {
  sip::Message ack = dialog.make_ack(cseq_of(response));
  if (!sdp.empty()) describe(ack, sdp);
  if (const auto auth = line.invite.get(sip::HeaderName::kAuthorization)) {
    ack.set(sip::HeaderName::kAuthorization, *auth);  // RFC 3261 §22.1
  }
  line.acks.insert_or_assign(fmt::format("{} {}", dialog.remote_tag(), cseq_of(response)), ack);
  if (habits_.never_acks) return;
  layer_->handle(sip::SendStateless{flow_of(line), std::move(ack), {}}, stage_.now());
  drain();
}

void Phone::cancel(Line& line) {
  line.state = LineState::kCancelling;
  const sip::ClientTransactionId id{++next_transaction_};
  layer_->handle(sip::CancelRequest{line.client, id, {}}, stage_.now());
  drain();
  // RFC 3261 §9.1: no answer to the INVITE within 64*T1 means that it is cancelled.
  later(kTransactionEnd, line, [this](Line& l) {
    if (l.state != LineState::kCancelling) return;
    layer_->handle(sip::AbandonClient{l.client}, stage_.now());
    end(l, 487, {}, false);
  });
}

}  // namespace bw::testkit
