// Calls of sessions: what the exchange says by SIP, and what pages hear of it.
#include <algorithm>
#include <utility>

#include "browser/detail/switchboard.h"
#include "sip/name_addr.h"
#include "sip/reason.h"
#include "sip/session_body.h"
#include "sip/uri.h"

namespace bw::browser {
namespace {

constexpr std::string_view kDomain = "bellwire.invalid";

// For the page. The exchange tells the whole sentence where a call ended; of a phone that stopped ringing
// only the header is known.
std::string sentence_of(const Line& line, std::string_view reason_header, std::string_view otherwise) {
  if (!line.sentence.empty()) return line.sentence;
  const auto reason = sip::Reason::parse(reason_header);
  if (!reason) return std::string(otherwise);
  if (reason->cause == 200 && reason->plain_text() == "Call completed elsewhere") return "answered elsewhere";
  const std::string text = reason->plain_text();
  return text.empty() ? std::string(otherwise) : text;
}

ports::Refused refusal(int status, std::string sentence) {
  switch (status) {
    case 404:
      return {404, "not_found", std::move(sentence)};
    case 503:
      return {503, "busy", std::move(sentence)};
    case 486:
    case 600:
      return {409, "busy", std::move(sentence)};
    default:
      return {409, "refused", std::move(sentence)};
  }
}

}  // namespace

// ---- legs ----

calls::LegContext Switchboard::context(Instant now) {
  return {wire_, events_, leg_timers_, rng_, now};
}

Line* Switchboard::find(calls::LegId id) {
  const auto it = lines_.find(id);
  return it == lines_.end() ? nullptr : it->second.get();
}

const Line* Switchboard::find(calls::LegId id) const {
  const auto it = lines_.find(id);
  return it == lines_.end() ? nullptr : it->second.get();
}

Line* Switchboard::line_with(const Session& session, std::string_view sip_call_id) {
  for (const calls::LegId id : session.lines) {
    Line* line = find(id);
    if (line != nullptr && line->leg.call_id() == sip_call_id) return line;
  }
  return nullptr;
}

void Switchboard::forget_finished(calls::LegId id) {
  const Line* line = find(id);
  if (line == nullptr || !line->leg.finished() || !line->over) return;
  std::erase_if(by_invite_, [&](const auto& entry) { return entry.second == id; });
  lines_.erase(id);
}

void Switchboard::on_wire(calls::Wire wire, Instant now) {
  using Layer = sip::TransactionLayer;
  std::visit(Overloaded{
                 [&](calls::AckTaken&& ack) { layer_.ack_received(ack.invite); },
                 [&](sip::SendRequest&& w) { layer_.handle(Layer::Input{std::move(w)}, now); },
                 [&](sip::SendResponse&& w) { layer_.handle(Layer::Input{std::move(w)}, now); },
                 [&](sip::SendStateless&& w) { layer_.handle(Layer::Input{std::move(w)}, now); },
                 [&](sip::CancelRequest&& w) { layer_.handle(Layer::Input{std::move(w)}, now); },
                 [&](sip::AbandonClient&& w) { layer_.handle(Layer::Input{std::move(w)}, now); },
             },
             std::move(wire));
}

void Switchboard::on_layer(sip::TransactionLayer::Output output, Instant now) {
  const auto with_leg = [&](calls::LegId id, const auto& act) {
    Line* line = find(id);
    if (line == nullptr) return;
    calls::LegContext cx = context(now);
    act(line->leg, cx);
    forget_finished(id);
  };
  std::visit(Overloaded{
                 [&](sip::Transmit&& t) { out.push_back(Sent{t.to, *t.bytes}); },
                 [&](sip::RequestReceived&& in) { on_request(std::move(in), now); },
                 [&](sip::CancelReceived&& in) {
                   const auto it = by_invite_.find(in.invite);
                   if (it == by_invite_.end()) return;
                   with_leg(it->second, [&](calls::Leg& leg, auto& cx) { leg.on_cancel(in.cancel, cx); });
                 },
                 [&](sip::ResponseReceived&& in) {
                   with_leg(calls::Leg::owner_of(in.id),
                            [&](calls::Leg& leg, auto& cx) { leg.on_response(in.id, in.response, cx); });
                 },
                 [&](sip::StrayResponse&& in) {
                   const auto tag = sip::tag_of(in.response.get(sip::HeaderName::kFrom).value_or(""));
                   with_leg(calls::Leg::owner_of_tag(tag), [&](calls::Leg& leg, auto& cx) {
                     if (leg.local_tag() == tag) leg.on_stray_answer(in.response, cx);
                   });
                 },
                 [&](sip::RequestFailed&& in) {
                   with_leg(calls::Leg::owner_of(in.id),
                            [&](calls::Leg& leg, auto& cx) { leg.on_failure(in.id, in.why, cx); });
                 },
                 [&](sip::AckMissing&& in) {
                   const auto it = by_invite_.find(in.id);
                   if (it == by_invite_.end()) return;
                   with_leg(it->second, [&](calls::Leg& leg, auto& cx) { leg.on_ack_missing(in.id, cx); });
                 },
             },
             std::move(output));
}

void Switchboard::on_request(sip::RequestReceived in, Instant now) {
  const auto to = in.request.get(sip::HeaderName::kTo).value_or("");
  if (sip::tag_of(to).empty() && in.request.method() == sip::Method::kInvite)
    return invited(std::move(in), now);
  const calls::LegId id = calls::Leg::owner_of_tag(sip::tag_of(to));
  Line* line = find(id);
  if (line == nullptr) {
    if (in.id) wire_.push_back(sip::SendResponse{in.id, sip::make_response(in.request, 481, {})});
    return;
  }
  calls::LegContext cx = context(now);
  const bool invite = in.request.method() == sip::Method::kInvite;
  if (invite && in.id) by_invite_.insert_or_assign(in.id, id);
  line->leg.on_request(in.id, in.flow, std::move(in.request), cx);
  forget_finished(id);
}

// ---- a call to the browser ----

void Switchboard::invited(sip::RequestReceived in, Instant now) {
  Session* session = find(in.flow.connection);
  const auto refuse = [&](int status) {
    wire_.push_back(sip::SendResponse{in.id, sip::make_response(in.request, status, rng_.token(10))});
  };
  if (session == nullptr || !session->ready()) return refuse(480);
  const auto known =
      session->expected.extract(std::string(in.request.get(sip::HeaderName::kCallId).value_or("")));
  const bool its_own = std::ranges::any_of(session->lines, [&](const calls::LegId id) {
    const Line* line = find(id);
    return line != nullptr && !known.empty() && line->place == known.mapped();
  });
  if (its_own || session->lines.size() >= limits_.calls_per_session) return refuse(486);
  auto offer = sdp::parse(sip::session_description(in.request));
  sdp::OfferAnswer wire{Page::inner_side(), rng_};
  if (known.empty() || !offer || !wire.remote_offer(std::move(*offer))) return refuse(488);

  const auto from = sip::NameAddr::parse(in.request.get(sip::HeaderName::kFrom).value_or(""));
  const auto uri = from ? sip::Uri::parse(from->uri) : std::nullopt;
  ports::BrowserPush::Incoming told{known.mapped(), uri ? uri->decoded_user() : std::string{},
                                    Personal{from ? from->display_name() : std::string{}}};
  calls::LegContext cx = context(now);
  const calls::LegId id{next_leg_++};
  by_invite_.emplace(in.id, id);
  auto line =
      std::make_unique<Line>(Line{.leg = calls::Leg::incoming(id, in.id, in.flow, std::move(in.request),
                                                              '<' + session->binding.contact + '>', cx),
                                  .session = session->key,
                                  .wire = std::move(wire)});
  line->call = line->place = known.mapped();
  session->lines.push_back(id);
  lines_.emplace(id, std::move(line)).first->second->leg.ring(cx);
  push(*session, std::move(told), now);
}

bool Switchboard::take_up(Session& session, Line& line, Instant now) {
  const auto sdp = line.wire.relay_answer(session.page.agreed(), sdp::OfferAnswer::Certainty::kFinal,
                                          sdp::Direction::kSendRecv);
  if (!sdp) {
    drop(session, line, 488, "The browser and the caller have no codec in common.", now);
    return false;
  }
  stop_tone(session);
  calls::LegContext cx = context(now);
  line.leg.answer(*sdp, cx);
  push(session, ports::BrowserPush::Answered{line.call}, now);
  return true;
}

// ---- a call by the browser ----

void Switchboard::dial(Session& session, const std::string& target, ports::RequestId id, Instant now) {
  sdp::OfferAnswer wire{Page::inner_side(), rng_};
  const auto offer = wire.relay_offer(session.page.agreed(), sdp::Direction::kSendRecv);
  if (!offer) {
    out.push_back(
        ports::Answered{id, ports::Refused{409, "not_connected", std::string(to_sentence(offer.error()))}});
    return;
  }
  stop_tone(session);
  const auto at_home = [](std::string_view user) {
    return "sip:" + sip::escape_user(user) + '@' + std::string(kDomain);
  };
  calls::OutgoingInvite wish{.flow = session.binding.flow, .target = at_home(target)};
  wish.from = '<' + at_home(session.extension()) + '>';
  wish.to = '<' + at_home(target) + '>';
  wish.contact = '<' + session.binding.contact + '>';
  wish.offer = *offer;
  wish.headers.emplace_back(sip::HeaderName::kUserAgent, session.binding.user_agent);
  calls::LegContext cx = context(now);
  const calls::LegId leg{next_leg_++};
  auto line = std::make_unique<Line>(Line{.leg = calls::Leg::outgoing(leg, std::move(wish), cx),
                                          .session = session.key,
                                          .wire = std::move(wire),
                                          .dialled = id});
  alarms_.arm(line->first_word_timer, now + limits_.first_word, {Alarm::Kind::kFirstWord, session.key, leg});
  lines_.emplace(leg, std::move(line));
  session.lines.push_back(leg);
}

void Switchboard::placed(Line& line) {
  alarms_.cancel(line.first_word_timer);
  if (const auto id = std::exchange(line.dialled, {}))
    out.push_back(ports::Answered{id, ports::CallStarted{line.call}});
}

// One call sounds; who takes up another lets the others wait.
void Switchboard::hold_others(const Session& session, const Line* except) {
  for (const calls::LegId id : session.lines) {
    Line* line = find(id);
    if (line == nullptr || line == except || line->holds || !line->leg.up()) continue;
    line->holds = true;
    out.push_back(AskCalls{{}, ports::HoldCall{line->place, session.extension()}});
  }
}

// ---- events of legs ----

void Switchboard::dispatch(const calls::LegEvent& event, Instant now) {
  Line* line = find(event.leg);
  if (line == nullptr) return;
  if (Session* session = find(line->session); session != nullptr && !line->over) {
    std::visit([&](const auto& what) { on_leg_event(*session, *line, what, now); }, event.what);
  }
  forget_finished(event.leg);
}

void Switchboard::on_leg_event(Session& session, Line& line, const calls::LegEvent::Progressed& what,
                               Instant now) {
  if (what.status != 180 && what.status != 183) return;
  placed(line);
  if (std::exchange(line.told_ringing, true)) return;
  push(session, ports::BrowserPush::Ringing{line.call}, now);
}

void Switchboard::on_leg_event(Session& session, Line& line, const calls::LegEvent::Accepted& what,
                               Instant now) {
  placed(line);
  auto answer = sdp::parse(what.sdp);
  if (!answer || !line.wire.remote_answer(std::move(*answer)))
    return drop(session, line, 488, "The other side answered without usable media.", now);
  push(session, ports::BrowserPush::Answered{line.call}, now);
}

void Switchboard::on_leg_event(Session& session, Line& line, const calls::LegEvent::Refused& what,
                               Instant now) {
  std::string sentence = sentence_of(line, what.reason_header, "the call was refused");
  if (const auto id = std::exchange(line.dialled, {}))
    out.push_back(ports::Answered{id, refusal(what.status, sentence)});
  over(session, line, std::move(sentence), now);
  sound_refusal(session, what.status, now);
}

void Switchboard::on_leg_event(Session& session, Line& line, const calls::LegEvent::Cancelled& what,
                               Instant now) {
  over(session, line, sentence_of(line, what.reason_header, "the caller hung up"), now);
}

void Switchboard::on_leg_event(Session& session, Line& line, const calls::LegEvent::Confirmed& what,
                               Instant now) {
  if (line.wire.state() != sdp::OfferAnswer::State::kLocalOffer) return;
  auto answer = sdp::parse(what.sdp);
  if (!answer || !line.wire.remote_answer(std::move(*answer)))
    drop(session, line, 488, "The other side did not agree on media.", now);
}

// Hold, resume, another party: the page's media stays as it is, only who may be heard changes.
void Switchboard::on_leg_event(Session& session, Line& line, const calls::LegEvent::Offered& what,
                               Instant now) {
  calls::LegContext cx = context(now);
  if (what.sdp.empty()) {
    const auto offer = line.wire.relay_offer(session.page.agreed(), sdp::Direction::kSendRecv);
    return line.leg.answer_offer(offer ? 200 : 491, offer ? *offer : std::string{}, cx);
  }
  auto offer = sdp::parse(what.sdp);
  if (!offer || !line.wire.remote_offer(std::move(*offer))) return line.leg.answer_offer(488, {}, cx);
  // The exchange offers sound again: its hold, if there was one, is over.
  const auto* audio = line.wire.remote_audio();
  if (audio != nullptr && sdp::direction(*line.wire.remote(), *audio) == sdp::Direction::kSendRecv)
    line.holds = false;
  const auto answer = line.wire.relay_answer(session.page.agreed(), sdp::OfferAnswer::Certainty::kFinal,
                                             sdp::Direction::kSendRecv);
  if (!answer) line.wire.offer_failed();
  line.leg.answer_offer(answer ? 200 : 488, answer ? *answer : std::string{}, cx);
  tune(session, now);
}

void Switchboard::on_leg_event(Session&, Line& line, const calls::LegEvent::OfferAnswered&, Instant) {
  line.wire.offer_failed();  // we make no offers inside a call
}

void Switchboard::on_leg_event(Session&, Line& line, const calls::LegEvent::ReferAsked&, Instant now) {
  calls::LegContext cx = context(now);
  line.leg.answer_refer(403, cx);
}

// The keys among these are told by the exchange (PeerPressed).
void Switchboard::on_leg_event(Session&, Line&, const calls::LegEvent::InfoReceived&, Instant) {}

void Switchboard::on_leg_event(Session&, Line&, const calls::LegEvent::ProbeAnswered&, Instant) {}

void Switchboard::on_leg_event(Session& session, Line& line, const calls::LegEvent::Gone& what, Instant now) {
  const std::string otherwise = what.sentence.empty() ? "the other side hung up" : what.sentence;
  over(session, line, sentence_of(line, what.reason_header, otherwise), now);
}

// ---- the end ----

void Switchboard::drop(Session& session, Line& line, int status, std::string sentence, Instant now) {
  calls::LegContext cx = context(now);
  line.leg.hang_up(status, {}, cx);
  over(session, line, std::move(sentence), now);
  forget_finished(line.leg.id());
}

void Switchboard::over(Session& session, Line& line, std::string sentence, Instant now) {
  if (std::exchange(line.over, true)) return;
  placed(line);
  std::erase(session.lines, line.leg.id());
  if (!line.call.empty()) push(session, ports::BrowserPush::Ended{line.call, std::move(sentence)}, now);
}

}  // namespace bw::browser
