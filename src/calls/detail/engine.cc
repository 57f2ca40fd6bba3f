#include "calls/detail/engine.h"

#include <algorithm>
#include <utility>

#include "sip/info_digit.h"
#include "sip/name_addr.h"
#include "sip/replaces.h"

namespace bw::calls {

Engine::Engine(Rng& rng, model::SettingsSnapshot settings, model::DirectorySnapshot directory,
               const ports::Contacts& contacts, media::LoopIndex loops, CallLimits limits)
    : rng_(rng),
      settings_(std::move(settings)),
      directory_(std::move(directory)),
      contacts_(contacts),
      limits_(limits),
      dialplan_(*settings_),
      ports_(loops, limits.port_stock) {
  restock();
}

// ---- inputs ----

void Engine::on(Tick, Instant now) {
  while (const auto due = leg_timers_.pop_due(now)) {
    if (Member* member = find(due->leg)) {
      LegContext cx = context(now);
      member->leg.on_timer(due->kind, cx);
      forget_finished(due->leg);
    }
  }
  while (const auto due = call_timers_.pop_due(now)) on_call_timer(*due, now);
}

Member* Engine::addressee(const sip::Message& request) {
  const auto ours = sip::tag_of(request.get(sip::HeaderName::kTo).value_or(""));
  const auto theirs = sip::tag_of(request.get(sip::HeaderName::kFrom).value_or(""));
  const auto call_id = request.get(sip::HeaderName::kCallId).value_or("");
  Member* member = find(Leg::owner_of_tag(ours));
  return member != nullptr && member->leg.is_dialog(call_id, ours, theirs) ? member : nullptr;
}

void Engine::on(DialogRequest in, Instant now) {
  Member* member = addressee(in.request);
  if (member == nullptr) return;
  const LegId id = member->leg.id();
  LegContext cx = context(now);
  member->leg.on_request(in.tx, in.flow, std::move(in.request), cx);
  forget_finished(id);
}

void Engine::on(const sip::CancelReceived& in, Instant now) {
  const auto it = by_invite_.find(in.invite);
  if (it == by_invite_.end()) return;
  const LegId id = it->second;
  if (Member* member = find(id)) {
    LegContext cx = context(now);
    member->leg.on_cancel(in.cancel, cx);
    forget_finished(id);
  }
}

void Engine::on(const sip::ResponseReceived& in, Instant now) {
  const LegId id = Leg::owner_of(in.id);
  if (Member* member = find(id)) {
    LegContext cx = context(now);
    if (member->leg.flow().remote.port == 0) member->leg.use_flow(in.flow);  // it was called by name
    member->leg.on_response(in.id, in.response, cx);
    forget_finished(id);
  }
}

void Engine::on(const sip::StrayResponse& in, Instant now) {
  const auto tag = sip::tag_of(in.response.get(sip::HeaderName::kFrom).value_or(""));
  const LegId id = Leg::owner_of_tag(tag);
  Member* member = find(id);
  // Leg numbers start again with the process: the whole tag must be ours, not only the number in it.
  const auto call_id = in.response.get(sip::HeaderName::kCallId).value_or("");
  if (member != nullptr && member->leg.local_tag() == tag && member->leg.call_id() == call_id) {
    LegContext cx = context(now);
    member->leg.on_stray_answer(in.response, cx);
    forget_finished(id);
  }
}

void Engine::on(const sip::RequestFailed& in, Instant now) {
  const LegId id = Leg::owner_of(in.id);
  if (Member* member = find(id)) {
    LegContext cx = context(now);
    member->leg.on_failure(in.id, in.why, cx);
    forget_finished(id);
  }
}

void Engine::on(const sip::AckMissing& in, Instant now) {
  const auto it = by_invite_.find(in.id);
  if (it == by_invite_.end()) return;
  const LegId id = it->second;
  if (Member* member = find(id)) {
    LegContext cx = context(now);
    member->leg.on_ack_missing(in.id, cx);
    forget_finished(id);
  }
}

void Engine::on(const sip::TransportFailed& in, Instant) {
  if (!in.flow.connection) return;
  for (auto& [id, member] : members_) {
    if (member->leg.flow().connection == in.flow.connection) member->cut = true;
  }
}

void Engine::on(const PhoneMoved& in, Instant) {
  for (auto& [id, member] : members_) {
    if (!member->cut || member->extension != in.extension.value) continue;
    // Several phones of one extension: the one that came back is the one of that address and make.
    if (member->leg.flow().remote.ip != in.flow.remote.ip || member->leg.peer_agent() != in.user_agent)
      continue;
    member->cut = false;
    member->leg.use_flow(in.flow);
  }
}

void Engine::on(const media::Event& in, Instant now) {
  std::visit(Overloaded{
                 [&](const media::PortsOpened& e) {
                   ports_.opened(e);
                   restock();
                 },
                 [&](const media::LegSilent& e) { on_media_silent(e, now); },
                 [&](const media::MediaStarted&) {},  // the figures at the end tell
                 [&](const media::LegFigures& e) { on_media_figures(e); },
                 [&](const media::StrangersRefused& e) { on_strangers(e); },
                 [&](const media::DigitPressed& e) { on_digit(e, now); },
                 [&](const media::LoopBehind& e) { on_media_behind(e); },
                 [&](const media::LegClosed& e) { on_media_closed(e, now); },
                 [&](const media::SessionEvent& e) { on_session_ended(e, now); },
             },
             in);
}

void Engine::on(const model::SettingsSnapshot& settings, Instant) {
  settings_ = settings;
  dialplan_ = Dialplan{*settings_};
}

void Engine::on(const model::DirectorySnapshot& directory, Instant) {
  directory_ = directory;
}

void Engine::on(const DoNotDisturb& in, Instant) {
  if (in.on) {
    undisturbed_.insert(in.extension.value);
  } else {
    undisturbed_.erase(in.extension.value);
  }
}

void Engine::settle(Instant now) {
  do {
    while (!events_.empty()) {
      const LegEvent event = std::move(events_.front());
      events_.pop_front();
      dispatch(event, now);
    }
    for (Wire& wish : wire_) out.push_back(std::move(wish));
    wire_.clear();
  } while (!events_.empty());
}

Deadline Engine::deadline() const {
  Deadline next;
  if (const auto at = leg_timers_.next()) next = next.earliest({*at, "a leg's timer"});
  if (const auto at = call_timers_.next()) next = next.earliest({*at, "a call's timer"});
  return next;
}

// ---- legs ----

LegContext Engine::context(Instant now) {
  return {wire_, events_, leg_timers_, rng_, now};
}

Member* Engine::find(LegId id) {
  const auto it = members_.find(id);
  return it == members_.end() ? nullptr : it->second.get();
}

Call* Engine::call_of(const Member& member) {
  const auto it = calls_.find(member.call);
  return it == calls_.end() ? nullptr : it->second.get();
}

Member& Engine::admit(Leg leg, Call& call, std::string extension, media::PortPair port,
                      std::optional<BrowserSide> browser) {
  const LegId id = leg.id();
  const sdp::LocalSide side = local_side(leg.flow(), port);
  auto member = std::make_unique<Member>(Member{.leg = std::move(leg),
                                                .call = call.key,
                                                .extension = std::move(extension),
                                                .media = sdp::OfferAnswer{side, rng_},
                                                .port = port,
                                                .browser = std::move(browser)});
  call.members.push_back(id);
  engage(*member, member->leg.is_incoming() ? Member::Engagement::kTalking : Member::Engagement::kAsked);
  open_session(*member);
  // A page that rings may be talking to somebody else in the same session.
  if (has_ports(port) || member->browser || member->leg.is_incoming()) open_media(*member);
  tell_browser(*member);
  if (member->invite = member->leg.invite_transaction(); member->invite) by_invite_[member->invite] = id;
  return *members_.insert_or_assign(id, std::move(member)).first->second;
}

void Engine::forget_finished(LegId id) {
  Member* member = find(id);
  if (member == nullptr) return;
  if (const auto tx = member->leg.invite_transaction(); tx != member->invite) {
    by_invite_.erase(member->invite);
    if (tx) by_invite_[tx] = id;
    member->invite = tx;
  }
  if (!member->leg.finished()) return;
  // A call that still counts this leg hears of its end by an event first and lets go of it then.
  if (!member->call) members_.erase(id);
}

// ---- media ----

void Engine::tell(media::LoopIndex loop, media::Command command) {
  out.push_back(media::TellMedia{loop, std::move(command)});
}

void Engine::restock() {
  for (media::LoopIndex loop = 0; loop < ports_.loops(); ++loop) {
    if (const auto count = ports_.wanted(loop)) tell(loop, media::OpenPorts{count});
  }
}

void Engine::open_media(Member& member) {
  member.media_leg = media::MediaLegId{next_media_++};
  by_media_[member.media_leg] = {member.leg.id(), member.call, {}};
  if (Call* call = call_of(member)) ++call->media_open;
  if (!has_ports(member.port)) return attach(member);
  tell(member.port.loop, media::OpenLeg{member.media_leg, member.port});
  restock();
}

void Engine::close_media(Member& member) {
  if (member.media_leg) tell(member.port.loop, media::CloseLeg{std::exchange(member.media_leg, {})});
  if (member.browser) tell(member.port.loop, media::CloseSession{member.browser->session});
  member.browser.reset();
}

void Engine::connect_media(Member& a, Member& b) {
  gather(a, b);
  if (a.media_leg && b.media_leg) tell(a.port.loop, media::Connect{a.media_leg, b.media_leg});
}

void Engine::watch(Member& member) {
  const auto& agreed = member.media.negotiated();
  // Only who agreed to send can fall silent.
  const bool expects = agreed && sdp::receives(agreed->direction) && member.leg.up();
  const Duration after = expects ? settings_->media_silence_timeout : 0s;
  if (member.media_leg) tell(member.port.loop, media::WatchSilence{member.media_leg, after});
}

IpAddress Engine::our_ip(const sip::Flow& flow) const {
  const bool known = !flow.remote.ip.is_unspecified();
  const auto trusted = [&](const Network& net) { return net.contains(flow.remote.ip); };
  if (settings_->external_ip && known && std::ranges::none_of(settings_->trusted_networks, trusted)) {
    return *settings_->external_ip;
  }
  if (!flow.local.ip.is_unspecified()) return flow.local.ip;
  for (const IpAddress& own : settings_->local_addresses) {
    if (own.is_v4() == flow.remote.ip.is_v4()) return own;
  }
  return flow.local.ip;
}

std::string Engine::our_contact(const sip::Flow& flow) const {
  // An outbound connection has an ephemeral port at our end; what listens is the configured one.
  std::uint16_t port = flow.local.port;
  if (flow.transport == sip::Transport::kTcp) port = settings_->sip_port;
  if (flow.transport == sip::Transport::kTls) port = settings_->sip_tls_port;
  std::string contact = "<sip:" + Endpoint{our_ip(flow), port}.to_string();
  if (flow.transport != sip::Transport::kUdp) {
    contact += ";transport=";
    contact += sip::uri_token(flow.transport);
  }
  return contact + '>';
}

sdp::LocalSide Engine::local_side(const sip::Flow& flow, media::PortPair port) const {
  sdp::LocalSide side{.address = our_ip(flow), .port = port.rtp, .transcodes = true};
  if (!has_ports(port)) {  // it is secured, but not by what a description could say
    side.srtp = sdp::SrtpPolicy::kOff;
    return side;
  }
  switch (settings_->srtp) {
    case model::SrtpPolicy::kOff:
      side.srtp = sdp::SrtpPolicy::kOff;
      break;
    case model::SrtpPolicy::kOptional:
      side.srtp = sdp::SrtpPolicy::kOptional;
      // Keys travel in the clear on an open transport, where they would protect nothing (RFC 4568 §7.1).
      if (sip::is_secure(flow.transport)) side.srtp_offer = sdp::SrtpOffer::kBestEffort;
      break;
    case model::SrtpPolicy::kRequired:
      side.srtp = sdp::SrtpPolicy::kRequired;
      side.srtp_offer = sdp::SrtpOffer::kSecure;
      break;
  }
  return side;
}

void Engine::note(ports::Note::Level level, std::string text) {
  out.push_back(ports::Note{level, std::move(text)});
}

// ---- events of legs ----

void Engine::dispatch(const LegEvent& event, Instant now) {
  Member* member = find(event.leg);
  if (member == nullptr) return;
  if (call_of(*member) != nullptr) {
    std::visit([&](const auto& what) { on_leg_event(*member, what, now); }, event.what);
  }
  forget_finished(event.leg);
}

void Engine::on_leg_event(Member& member, const LegEvent::Cancelled& what, Instant now) {
  Call& call = *call_of(member);
  const std::string target = call.dialling ? call.dialling->target : call.record.to_number.reveal();
  end_call(call,
           {model::Disposition::kCancelled, "caller", 487,
            member.extension + " hung up before " + target + " answered", what.reason_header},
           now);
}

void Engine::on_leg_event(Member& member, const LegEvent::InfoReceived& what, Instant now) {
  Call& call = *call_of(member);
  const auto digit = sip::info_digit(what.content_type, what.body);
  if (digit) tell_digit(call, member, *digit, now);
  member.presses_by_info = member.presses_by_info || digit;
  if (call.state != Call::State::kUp) return;
  Member* peer = find(call.first == member.leg.id() ? call.second : call.first);
  if (peer == nullptr) return;
  // What the other side agreed to is what it gets. Who agreed to no events may be of the same kind; a page
  // has none, so its keys are said by a tone where nothing shows that the phone knows INFO.
  const auto& agreed = peer->media.negotiated();
  const bool events = agreed && agreed->telephone_event_send;
  const bool tones =
      is_page(member) && !peer->presses_by_info && agreed && sdp::is_transcodable(agreed->codec);
  // A page has agreed on its events for the whole session.
  if (digit && peer->media_leg && (events || tones || is_page(*peer))) {
    return tell(peer->port.loop, media::SendDigit{.leg = peer->media_leg, .digit = *digit});
  }
  LegContext cx = context(now);
  peer->leg.send_info(what.content_type, what.body, cx);
}

void Engine::on_digit(const media::DigitPressed& pressed, Instant now) {
  const auto it = by_media_.find(pressed.leg);
  Member* member = it == by_media_.end() ? nullptr : find(it->second.leg);
  Call* call = member == nullptr ? nullptr : call_of(*member);
  if (call == nullptr) return;
  tell_digit(*call, *member, pressed.digit, now);
  Member* peer = pressed.passed_on || call->state != Call::State::kUp ? nullptr : peer_of(*call, *member);
  if (peer == nullptr) return;
  LegContext cx = context(now);
  peer->leg.send_info(std::string{sip::kDtmfRelay}, sip::write_info_digit(pressed.digit, pressed.duration_ms),
                      cx);
}

void Engine::on_media_behind(const media::LoopBehind& late) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(late.behind).count();
  note(ports::Note::Level::kWarning, "media loop " + std::to_string(late.loop) + " is overloaded: it was " +
                                         std::to_string(ms) +
                                         " ms late, and transcoded calls were cut by that");
}

void Engine::on_media_figures(const media::LegFigures& figures) {
  const auto it = by_media_.find(figures.leg);
  Member* member = it == by_media_.end() ? nullptr : find(it->second.leg);
  if (member != nullptr && member->media_leg == figures.leg) member->figures = figures.quality;
}

// docs/protocols/media-relay.md has the rule; whoever hears nothing has to learn of it.
void Engine::on_strangers(const media::StrangersRefused& refused) {
  const auto it = by_media_.find(refused.leg);
  const Member* member = it == by_media_.end() ? nullptr : find(it->second.leg);
  if (member == nullptr) return;
  note(ports::Note::Level::kWarning,
       "media for " + member->extension + " comes from " + refused.from.to_string() +
           ", but its phone named " + refused.expected.to_string() + " and signs in from " +
           member->leg.flow().remote.ip.to_string() + ": refused as a stranger's" +
           (refused.heard ? "; the phone itself is heard" : ", and nothing of the phone is heard") +
           " (docs/getting-started.md, no sound)");
}

void Engine::on_media_silent(const media::LegSilent& silent, Instant now) {
  const auto it = by_media_.find(silent.leg);
  Member* member = it == by_media_.end() ? nullptr : find(it->second.leg);
  if (member == nullptr || member->probing || !member->leg.up()) return;
  // calls.md §2: ended only when media and session timer are both dead; a phone that merely says nothing
  // answers the question.
  member->probing = true;
  member->silent_for = silent.silent_for;
  LegContext cx = context(now);
  member->leg.probe(cx);
}

void Engine::on_leg_event(Member& member, const LegEvent::ProbeAnswered&, Instant) {
  member.probing = false;
  watch(member);
}

void Engine::on_media_closed(const media::LegClosed& closed, Instant now) {
  const auto it = by_media_.find(closed.leg);
  if (it == by_media_.end()) return;
  const MediaOwner owner = it->second;
  by_media_.erase(it);
  const auto found = calls_.find(owner.call);
  if (found == calls_.end()) return;
  Call& call = *found->second;
  if (owner.record_index) note_quality(call.record.legs[*owner.record_index], closed.quality);
  if (--call.media_open == 0 && call.state == Call::State::kEnding) write_down(call, now);
}

void Engine::on_call_timer(CallTimer timer, Instant now) {
  const auto it = calls_.find(timer.call);
  if (it == calls_.end()) return;
  Call& call = *it->second;
  switch (timer.kind) {
    case CallTimer::Kind::kRing:
      no_answer(call, now);
      return;
    case CallTimer::Kind::kDuration: {
      const auto limit =
          std::chrono::duration_cast<std::chrono::seconds>(settings_->max_call_duration).count();
      end_call(call,
               {model::Disposition::kAnswered,
                "system",
                0,
                "the call reached the longest duration allowed, " + std::to_string(limit) + " s",
                {}},
               now);
      return;
    }
    case CallTimer::Kind::kFarewell:
      return on_farewell(call, now);
    case CallTimer::Kind::kNegotiation:
      offer_unanswered(call, now);
      return;
    case CallTimer::Kind::kClosing:
      write_down(call, now);
      return;
  }
}

}  // namespace bw::calls
