// Who rings, who answers first, who is asked next (calls.md §2, forking; RFC 3261 §16.7).
#include <algorithm>
#include <charconv>
#include <utility>

#include "base/utf8.h"
#include "base/uuid.h"
#include "calls/browser_side.h"
#include "calls/detail/engine.h"
#include "calls/detail/sentences.h"
#include "sip/name_addr.h"
#include "sip/replaces.h"
#include "sip/session_body.h"

namespace bw::calls {
namespace {

unsigned max_forwards_of(const sip::Message& invite) {
  unsigned value = 70;
  const auto text = invite.get(sip::HeaderName::kMaxForwards).value_or("70");
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// RFC 3261 §16.7 step 6, for people: a refusal of the person counts more than a phone that cannot.
int rank(int status) {
  if (status >= 600) return 5;
  if (status == 486) return 4;
  if (status == 480 || status == 408) return 2;
  if (status >= 500) return 1;
  return 3;
}

}  // namespace

Call& Engine::new_call(std::string caller, std::string dialled, Instant now) {
  const CallKey key{next_call_++};
  auto call = std::make_unique<Call>();
  call->key = key;
  call->loop = ports_.roomiest();
  call->record.id = model::CallId{uuid_v7(now, rng_)};
  call->record.started = now;
  call->record.from_extension = caller;
  call->record.from_number = Personal{std::move(caller)};
  if (directory_->find(dialled) != nullptr) call->record.to_extension = dialled;
  call->record.to_number = Personal{std::move(dialled)};
  if (const auto* person = directory_->find(call->record.from_extension))
    call->record.caller_name = person->name;
  by_name_[call->record.id.value] = key;
  ++active_;
  ++total_;
  return *calls_.emplace(key, std::move(call)).first->second;
}

void Engine::on(InviteArrived in, Instant now) {
  const auto refuse = [&](int status, std::string_view sentence) {
    auto response = sip::make_response(in.request, status, rng_.token(10));
    response.add(sip::HeaderName::kReason,
                 "SIP;cause=" + std::to_string(status) + ";text=\"" + std::string(sentence) + '"');
    wire_.push_back(sip::SendResponse{in.tx, std::move(response)});
  };
  if (shutting_down_) return refuse(503, "the system is shutting down");
  if (calls_.size() >= limits_.calls) return refuse(503, "too many calls");
  const unsigned hops = max_forwards_of(in.request);
  if (hops == 0) return refuse(483, "too many hops");                   // RFC 3261 §16.3 step 3
  if (const sip::SessionTimer timer; timer.is_too_small(in.request)) {  // RFC 4028 §9
    auto response = sip::make_response(in.request, 422, rng_.token(10));
    timer.write_too_small(response);
    wire_.push_back(sip::SendResponse{in.tx, std::move(response)});
    return;
  }
  if (const auto replaces = in.request.get(sip::HeaderName::kReplaces)) {
    Member* replaced = find_replaced(*replaces);
    if (replaced == nullptr) return refuse(481, "there is no such call to take over");
    return replace_leg(std::move(in), *replaced, now);
  }
  if (const auto full = too_many_legs(in.caller.view())) return refuse(486, *full);
  const auto uri = sip::Uri::parse(in.request.request_uri());
  Callee callee = uri ? callee_of(*uri, now) : Callee{};
  const std::string sdp{sip::session_description(in.request)};
  auto side = side_for(sdp);
  const bool browser = side || in.flow.transport == sip::Transport::kBrowser;
  const auto port = take_port(browser, loop_for(browser, callee.number, now));
  if (!port) return refuse(503, "no media port is free");

  Call& call = new_call(in.caller.value, callee.number, now);
  call.loop = port->loop;
  call.max_forwards = hops - 1;
  call.record.user_agent = valid_utf8(in.request.get(sip::HeaderName::kUserAgent).value_or(""), 128);
  for (const auto wish : in.request.elements(sip::HeaderName::kPrivacy)) {
    call.anonymous = call.anonymous || wish.find("id") != wish.npos;  // RFC 3323, RFC 3325 §9.3
  }
  LegContext cx = context(now);
  Member& caller = admit(
      Leg::incoming(LegId{next_leg_++}, in.tx, in.flow, std::move(in.request), our_contact(in.flow), cx),
      call, in.caller.value, *port, std::move(side));
  call.first = caller.leg.id();
  open_record(call, now);
  if (!caller.leg.has_dialog())
    return end_call(call, {.status = 400, .sentence = "the INVITE makes no dialog"}, now);

  if (!sdp.empty()) {
    auto offer = read(caller, sdp, webrtc::Kind::kOffer);
    if (!offer) {
      std::string sentence = "the caller's session description is broken: " + offer.error();
      return end_call(call, {.status = 488, .sentence = std::move(sentence)}, now);
    }
    if (const auto taken = caller.media.remote_offer(std::move(*offer)); !taken) {
      return end_call(call, {.status = 488, .sentence = std::string(sdp::to_sentence(taken.error()))}, now);
    }
    if (const auto* audio = caller.media.remote_audio(); audio == nullptr || audio->port == 0) {
      return end_call(call, {.status = 488, .sentence = "the caller offers no audio"}, now);
    }
  }
  Dialling dialling{.purpose = Dialling::Purpose::kFirst, .origin = caller.leg.id()};
  dialling.instance = std::move(callee.instance);
  place(call, std::move(dialling), {.caller = in.caller.value, .dialled = call.record.to_number.reveal()},
        now);
}

// A phone that is not there now is nobody's: its GRUU stands for no number either (RFC 5627 §5.2).
Engine::Callee Engine::callee_of(const sip::Uri& uri, Instant now) const {
  const auto gr = uri.params.get("gr");
  if (!gr) return {uri.decoded_user(), {}};
  const auto user = sip::unescape(uri.user);
  const auto instance = sip::unescape(*gr);
  if (!user || !instance) return {uri.decoded_user(), {}};
  if (const auto* phone = contacts_.by_gruu(*user, *instance, now))
    return {phone->extension.value, phone->instance};
  if (!instance->empty()) return {*user, *instance};
  return {*user, {}};
}

void Engine::place(Call& call, Dialling dialling, const Attempt& attempt, Instant now) {
  const Decision decision = route(attempt, *directory_, dialplan_, *settings_);
  std::visit(Overloaded{
                 [&](const RingExtension& target) {
                   if (target.extension.value != attempt.dialled) dialling.instance.clear();  // forwarded
                   ring(call, std::move(dialling), target, now);
                 },
                 [&](const EchoTest&) {
                   call.dialling = std::move(dialling);
                   answer_echo(call, now);
                 },
                 [&](const RefuseCall& refusal) {
                   call.dialling = std::move(dialling);
                   dialling_failed(call, refusal.status, refusal.sentence, now);
                 },
             },
             decision);
}

void Engine::ring(Call& call, Dialling dialling, const RingExtension& target, Instant now) {
  dialling.target = target.extension.value;
  dialling.visited = target.visited;
  dialling.ring_for = target.ring_for;
  dialling.legs.clear();
  dialling.early.reset();
  const bool first = dialling.purpose == Dialling::Purpose::kFirst;
  call.dialling = std::move(dialling);
  if (first && !call.record.answered) call.record.to_extension = target.extension.value;

  if (undisturbed_.contains(target.extension.value) && !call.dialling->recall &&
      call.dialling->purpose != Dialling::Purpose::kClick)
    return dialling_failed(call, 486, target.extension.value + " does not want to be disturbed", now);
  if (const auto full = too_many_legs(target.extension.view()))
    return forward_or_fail(call, ForwardCause::kBusy, 486, *full, now);
  auto phones = contacts_.contacts(target.extension.value, now);
  if (const std::string& only = call.dialling->instance; !only.empty())
    std::erase_if(phones, [&](const model::Binding* phone) { return phone->instance != only; });
  come_to_browsers(call, phones);
  std::size_t ringing = 0;
  for (const model::Binding* phone : phones) {
    if (ringing == limits_.forks) break;
    if (ring_phone(call, *phone, now)) ++ringing;
  }
  if (phones.empty()) {
    return forward_or_fail(call, ForwardCause::kUnreachable, 480,
                           target.extension.value + " is not registered", now);
  }
  if (ringing == 0) return dialling_failed(call, 503, "no media port is free", now);
  call_timers_.arm(call.ring_timer, now + target.ring_for, {call.key, CallTimer::Kind::kRing});
}

namespace {

// A stream contact without a connection (after a restart) is reached at the port its URI says it listens at,
// as the one its registration came from was ephemeral; but only at the address it came from: a registration
// must not make the server connect to whatever host it names.
sip::Flow flow_to(const model::Binding& phone) {
  sip::Flow flow = phone.flow;
  if (!sip::is_stream(flow.transport) || flow.connection) return flow;
  const auto uri = sip::Uri::parse(phone.contact);
  const auto ip = uri ? IpAddress::parse(uri->host) : std::nullopt;
  // A name: the exchange looks up the port behind it.
  const bool named = uri && !ip && !uri->port;
  if (named)
    return {.transport = flow.transport, .connection = {}, .local = {}, .remote = {flow.remote.ip, 0}};
  flow.remote = {flow.remote.ip,
                 (uri ? uri->port : std::nullopt).value_or(sip::is_secure(flow.transport) ? 5061 : 5060)};
  flow.local.port = 0;
  return flow;
}

}  // namespace

bool Engine::ring_phone(Call& call, const model::Binding& phone, Instant now) {
  const sip::Flow flow = flow_to(phone);
  auto side = side_for(phone);
  const auto port = take_port(is_browser(phone), call.loop);
  if (!port) return false;
  Dialling& dialling = *call.dialling;
  Member* origin = find(dialling.origin);
  sdp::OfferAnswer media{local_side(flow, *port), rng_};
  const bool carry = origin != nullptr && origin->media.remote() != nullptr;
  const auto offer = carry ? media.relay_offer(origin->media, sdp::Direction::kSendRecv) : media.own_offer();
  if (!offer) {
    if (has_ports(*port)) ports_.give_back(*port);
    return false;
  }
  OutgoingInvite wish{.flow = flow, .target = phone.contact, .routes = phone.path};
  const std::string host =
      our_ip(flow).is_v6() ? '[' + our_ip(flow).to_string() + ']' : our_ip(flow).to_string();
  const std::string shown = origin != nullptr ? origin->extension : call.click_to;
  wish.from = sip::make_name_addr(display_of(shown), "sip:" + sip::escape_user(shown) + '@' + host);
  wish.to = "<sip:" + sip::escape_user(dialling.target) + '@' + host + '>';
  wish.contact = our_contact(flow);
  wish.offer = !side ? *offer
                     : side->peer.dress(*sdp::parse(*offer), webrtc::Kind::kOffer,
                                        own_parameters(*settings_, side->own));
  wish.max_forwards = call.max_forwards;
  if (call.anonymous && origin != nullptr && origin->extension == call.record.from_extension) {
    wish.from = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";
  } else {
    wish.headers.emplace_back(sip::HeaderName::kPAssertedIdentity, wish.from);
  }
  if (!dialling.referred_by.empty())
    wish.headers.emplace_back(sip::HeaderName::kReferredBy, dialling.referred_by);
  LegContext cx = context(now);
  Leg leg = Leg::outgoing(LegId{next_leg_++}, std::move(wish), cx);
  Member& member = admit(std::move(leg), call, dialling.target, *port, std::move(side));
  member.media = std::move(media);
  member.device = phone.user_agent;
  dialling.legs.push_back(member.leg.id());
  return true;
}

std::optional<std::string> Engine::too_many_legs(std::string_view extension) const {
  const auto it = engaged_.find(extension);
  if (it == engaged_.end() || it->second.legs < settings_->calls_per_extension) return std::nullopt;
  return std::string(extension) + " has as many calls as one extension may have, " +
         std::to_string(settings_->calls_per_extension);
}

std::string Engine::display_of(const std::string& extension) const {
  const auto* person = directory_->find(extension);
  return person == nullptr ? std::string{} : person->name.reveal();
}

void Engine::on_leg_event(Member& member, const LegEvent::Progressed& what, Instant now) {
  Call& call = *call_of(member);
  if (!call.dialling) return;
  Dialling& dialling = *call.dialling;
  if (what.status == 180 || what.status == 183) tell_ringing(call, member, now);
  Member* origin = find(dialling.origin);
  if (what.status == 180 && origin != nullptr) ring_back(call, *origin);
  if (dialling.purpose == Dialling::Purpose::kTransfer) {
    transfer_progress(call, what.status, now);
    return;
  }
  if (origin == nullptr) return;
  LegContext cx = context(now);
  const bool may_hear = !dialling.early || *dialling.early == member.leg.id();
  if (!what.sdp.empty() && may_hear && origin->media.state() == sdp::OfferAnswer::State::kRemoteOffer &&
      take_answer(member, what.sdp, sdp::OfferAnswer::Certainty::kEarly)) {
    gather(*origin, member);
    if (const auto early = origin->media.relay_answer(member.media, sdp::OfferAnswer::Certainty::kEarly)) {
      dialling.early = member.leg.id();
      set_peer(*origin);
      set_peer(member);
      connect_media(*origin, member);
      origin->leg.progress(said(*origin, *early, webrtc::Kind::kAnswer), cx);
      return;
    }
  }
  if (what.status == 180 || what.status == 183) origin->leg.ring(cx);
}

void Engine::on_leg_event(Member& member, const LegEvent::Accepted& what, Instant now) {
  Call& call = *call_of(member);
  if (!call.dialling) return drop_leg(member, 487, kCompletedElsewhere, now);
  if (!take_answer(member, what.sdp, sdp::OfferAnswer::Certainty::kFinal)) {
    const LegId id = member.leg.id();
    drop_leg(member, 488, "SIP;cause=488;text=\"Not Acceptable Here\"", now);
    std::erase(call.dialling->legs, id);
    if (call.dialling->legs.empty()) {
      dialling_failed(call, 488, call.dialling->target + "'s phone answered without usable media", now);
    }
    return;
  }
  answered(call, member, now);
}

void Engine::answered(Call& call, Member& winner, Instant now) {
  call_timers_.cancel(call.ring_timer);
  stop_dialling(call, winner.leg.id(), kCompletedElsewhere, now);
  Dialling done = std::move(*call.dialling);
  call.dialling.reset();
  engage(winner, Member::Engagement::kTalking);
  if (!winner.media_leg) open_media(winner);  // a browser, which hears this call from now on
  set_peer(winner);

  Member* origin = find(done.origin);
  if (done.purpose == Dialling::Purpose::kClick) {
    call.first = winner.leg.id();
    place(call, Dialling{.purpose = Dialling::Purpose::kFirst, .origin = winner.leg.id()},
          {.caller = winner.extension, .dialled = call.click_to}, now);
    return;
  }
  if (origin == nullptr) {
    return end_call(call, {.sentence = "the caller was gone when " + winner.extension + " answered"}, now);
  }
  call.first = origin->leg.id();
  call.second = winner.leg.id();
  call.echo = false;
  if (!call.record.answered) record_answer(call, &winner, now);
  call.state = Call::State::kUp;
  if (done.purpose == Dialling::Purpose::kTransfer) release_transferor(call, done, now);
  bridge_new_answer(call, *origin, winner, now);
}

void Engine::answer_echo(Call& call, Instant now) {
  Member* caller = find(call.dialling->origin);
  const bool transfer =
      call.dialling->purpose != Dialling::Purpose::kFirst || caller == nullptr || caller->leg.up();
  if (transfer) return dialling_failed(call, 403, "the echo test can only be dialled", now);
  const bool offered = caller->media.state() == sdp::OfferAnswer::State::kRemoteOffer;
  const auto sdp = offered ? caller->media.own_answer() : caller->media.own_offer();
  if (!sdp) {
    return end_call(call, {.status = 488, .sentence = std::string(sdp::to_sentence(sdp.error()))}, now);
  }
  call.dialling.reset();
  call.echo = true;
  call.state = Call::State::kUp;
  record_answer(call, nullptr, now);
  set_peer(*caller);
  tell(caller->port.loop, media::Echo{caller->media_leg});
  LegContext cx = context(now);
  caller->leg.answer(said(*caller, *sdp, offered ? webrtc::Kind::kAnswer : webrtc::Kind::kOffer), cx);
}

void Engine::stop_dialling(Call& call, LegId keep, std::string_view reason_header, Instant now) {
  for (const LegId id : std::exchange(call.dialling->legs, {})) {
    Member* member = id == keep ? nullptr : find(id);
    if (member != nullptr) drop_leg(*member, 487, reason_header, now);
  }
}

void Engine::on_leg_event(Member& member, const LegEvent::Refused& what, Instant now) {
  Call& call = *call_of(member);
  const LegId id = member.leg.id();
  let_go(member);
  if (!call.dialling || std::erase(call.dialling->legs, id) == 0) return;
  Dialling& dialling = *call.dialling;
  if (dialling.early == id) dialling.early.reset();

  std::string sentence = what.sentence.empty() ? refusal_sentence(dialling.target, what) : what.sentence;
  // A challenge or redirect of a phone is nothing the caller could act on.
  const bool callers_business = what.status >= 400 && what.status != 401 && what.status != 407;
  const int status = callers_business ? what.status : 480;
  if (rank(status) > rank(dialling.best_status) || dialling.best_status == 0) {
    dialling.best_status = status;
    dialling.best_sentence = std::move(sentence);
  }
  if (what.status >= 600) stop_dialling(call, {}, what.reason_header, now);  // the person said no, everywhere
  if (!dialling.legs.empty()) return;

  call_timers_.cancel(call.ring_timer);
  if (what.status / 100 == 3 && dialling.visited.size() <= kMaxForwards) {
    if (const auto uri = sip::Uri::parse(sip::uri_of(what.redirect));
        uri && directory_->find(uri->decoded_user())) {
      Dialling next = std::move(dialling);
      next.best_status = 0;
      const Attempt attempt{.caller = next.target, .dialled = uri->decoded_user(), .visited = next.visited};
      return place(call, std::move(next), attempt, now);
    }
  }
  const bool busy = dialling.best_status == 486 || dialling.best_status == 600;
  const bool person = busy || dialling.best_status == 603;
  const ForwardCause cause = person ? ForwardCause::kBusy : ForwardCause::kUnreachable;
  forward_or_fail(call, cause, dialling.best_status, dialling.best_sentence, now);
}

void Engine::no_answer(Call& call, Instant now) {
  if (!call.dialling) return;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(call.dialling->ring_for).count();
  std::string sentence = call.dialling->target + " did not answer within " + std::to_string(seconds) + " s";
  stop_dialling(call, {}, "SIP;cause=480;text=\"No answer\"", now);
  forward_or_fail(call, ForwardCause::kNoAnswer, 480, std::move(sentence), now);
}

void Engine::forward_or_fail(Call& call, ForwardCause cause, int status, std::string sentence, Instant now) {
  const Dialling& dialling = *call.dialling;
  const auto* extension = directory_->find(dialling.target);
  const auto decision = extension == nullptr ? Decision{RefuseCall{}}
                                             : route({.caller = dialling.target,
                                                      .dialled = dialling.target,
                                                      .cause = cause,
                                                      .visited = dialling.visited},
                                                     *directory_, dialplan_, *settings_);
  if (const auto* onward = std::get_if<RingExtension>(&decision); onward && !dialling.recall) {
    Dialling next = std::move(*call.dialling);
    next.best_status = 0;
    next.instance.clear();
    return ring(call, std::move(next), *onward, now);
  }
  dialling_failed(call, status, std::move(sentence), now);
}

void Engine::dialling_failed(Call& call, int status, std::string sentence, Instant now) {
  call_timers_.cancel(call.ring_timer);
  Dialling failed = std::move(*call.dialling);
  call.dialling.reset();
  if (failed.purpose == Dialling::Purpose::kTransfer) {
    return transfer_failed(call, std::move(failed), status, std::move(sentence), now);
  }
  // The first phone of click to dial is the caller's own.
  const char* by = failed.purpose == Dialling::Purpose::kClick ? "caller" : "callee";
  end_call(call, {disposition_of(status), by, status, std::move(sentence), {}}, now);
}

}  // namespace bw::calls
