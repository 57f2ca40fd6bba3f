// Offers and answers between the two legs of a call (RFC 3264, RFC 6337). Each leg has its own description
// and port; what one side says is carried to the other, one negotiation at a time.
#include <algorithm>
#include <utility>

#include "calls/detail/engine.h"
#include "calls/payload_formats.h"
#include "sip/name_addr.h"

namespace bw::calls {
namespace {

media::SrtpKey srtp_key(const sdp::CryptoLine& line) {
  media::SrtpKey key;
  switch (line.suite) {
    case sdp::SrtpSuite::kAesCm128HmacSha1_80:
      key.suite = media::SrtpSuite::kAesCm128HmacSha1_80;
      break;
    case sdp::SrtpSuite::kAesCm128HmacSha1_32:
      key.suite = media::SrtpSuite::kAesCm128HmacSha1_32;
      break;
    case sdp::SrtpSuite::kAeadAes128Gcm:
      key.suite = media::SrtpSuite::kAeadAes128Gcm;
      break;
    case sdp::SrtpSuite::kAeadAes256Gcm:
      key.suite = media::SrtpSuite::kAeadAes256Gcm;
      break;
  }
  key.master = line.master;
  return key;
}

// A page keeps what it agreed on for its session, whatever one call of it is agreed to be: it may send all of
// that, and hear all of it.
media::PayloadMap of_page(const sdp::Media& said, const sdp::Negotiated& agreed) {
  auto formats = sdp::codecs(said);
  media::PayloadMap map{payload_formats(formats), {}};
  const auto first =
      std::ranges::find_if(formats, [&](const sdp::Codec& c) { return sdp::same_codec(c, agreed.codec); });
  if (first != formats.end()) std::rotate(formats.begin(), first, first + 1);
  map.send = payload_formats(formats);
  return map;
}

constexpr Duration kOfferPatience =
    20s;  // for an offer that a phone works on; below its asker's own patience

}  // namespace

void Engine::set_peer(Member& member) {
  const auto& agreed = member.media.negotiated();
  if (!agreed || !member.media_leg) return;
  const sdp::Codec spoken = spoken_by(member).value_or(agreed->codec);
  member.negotiated_codec = spoken.name + '/' + std::to_string(spoken.clock_rate);
  media::SetPeer set{.leg = member.media_leg};
  // Without an address (c=0.0.0.0, a host name) the relay waits for the first packet to tell.
  // Nor does one that names a port of ours: two such phones would make packets circle in the relay for ever.
  const auto believed = [&](const std::optional<Endpoint>& named) {
    return named && !is_our_media(*named, member) ? *named : Endpoint{};
  };
  set.peer.rtp = believed(agreed->remote_rtp);
  if (set.peer.rtp != Endpoint{}) set.peer.rtcp = believed(agreed->remote_rtcp);
  set.rtcp_mux = agreed->rtcp_mux;
  set.sip_source = member.leg.flow().remote.ip;
  const auto& home = settings_->host_addresses;
  if (set.sip_source->is_loopback() || std::ranges::find(home, *set.sip_source) != home.end())
    set.same_host = home.empty() ? std::vector{*set.sip_source} : home;
  set.clock_rate = spoken.clock_rate;
  if (agreed->telephone_event_receive) {
    set.telephone_event = static_cast<std::int16_t>(*agreed->telephone_event_receive);
    set.telephone_event_rate = agreed->telephone_event_clock;
  }
  if (const auto* said = member.media.remote_audio(); said != nullptr && is_page(member)) {
    set.payloads = of_page(*said, *agreed);
  } else {
    set.payloads = {payload_formats(agreed->receive_formats), payload_formats(agreed->send_formats)};
  }
  if (agreed->receive) set.receive = srtp_key(*agreed->receive);
  if (agreed->send) set.send = srtp_key(*agreed->send);
  tell(member.port.loop, std::move(set));
  watch(member);
  tell_codecs(member);
}

bool Engine::is_our_media(const Endpoint& peer, const Member& member) const {
  if (!ports_.is_ours(peer.port)) return false;
  const auto& own = settings_->local_addresses;
  return peer.ip.is_loopback() || peer.ip == our_ip(member.leg.flow()) || peer.ip == settings_->external_ip ||
         std::ranges::find(own, peer.ip) != own.end();
}

bool Engine::take_answer(Member& member, const std::string& sdp, sdp::OfferAnswer::Certainty certainty) {
  auto answer = read(member, sdp, webrtc::Kind::kAnswer);
  return answer && member.media.remote_answer(std::move(*answer), certainty);
}

// The first answer of a call, or that of a transfer target: the origin waits for it (its INVITE is open), or
// has a session of its own that is now to be changed.
void Engine::bridge_new_answer(Call& call, Member& origin, Member& winner, Instant now) {
  connect_media(origin, winner);
  LegContext cx = context(now);
  if (origin.leg.state() == Leg::State::kInvited) {
    origin.leg.set_identity(identity_of(winner));
    const bool offered = origin.media.state() == sdp::OfferAnswer::State::kRemoteOffer;
    const auto sdp =
        offered ? origin.media.relay_answer(winner.media) : origin.media.relay_offer(winner.media);
    if (!sdp) {
      return end_call(call, {.status = 488, .sentence = std::string(sdp::to_sentence(sdp.error()))}, now);
    }
    origin.leg.answer(said(origin, *sdp, offered ? webrtc::Kind::kAnswer : webrtc::Kind::kOffer), cx);
    set_peer(origin);
    watch(winner);
    return;
  }
  start_join(call, origin, winner, false, now);
}

// Makes two sessions that exist already talk to each other: each learns of the other by a re-INVITE.
void Engine::start_join(Call& call, Member& first, Member& second, bool both, Instant now) {
  first.held_for_it = second.held_for_it = false;
  connect_media(first, second);
  if (call.negotiation) {  // a relayed offer was under way to somebody who is no longer the peer
    if (Member* asker = find(call.negotiation->asker)) {
      asker->media.offer_failed();
      LegContext cx = context(now);
      asker->leg.answer_offer(491, {}, cx);
    }
  }
  negotiate(call, {.asked = first.leg.id(), .asker = {}, .then_ask = both ? second.leg.id() : LegId{}}, now);
  join_step(call, first, second, now);
}

void Engine::join_step(Call& call, Member& asked, Member& other, Instant now) {
  asked.leg.set_identity(identity_of(other));
  auto direction = std::optional{sdp::Direction::kSendRecv};
  if (const LegId holder = call.negotiation->holder) {
    direction = asked.leg.id() == holder ? sdp::Direction::kInactive : sdp::Direction::kSendOnly;
  } else if (const LegId resumer = call.negotiation->resumer) {
    // Who resumes is asked first; the other side is offered what its phone then says of itself.
    if (asked.leg.id() != resumer)
      direction.reset();
    else if (other.holds)
      direction = sdp::Direction::kSendOnly;
  }
  const auto offer = asked.media.relay_offer(other.media, direction);
  if (!offer) {
    // Its own answer to us is still open (no ACK yet): what both agreed on so far has to do.
    note(ports::Note::Level::kDebug,
         "no re-offer to " + asked.extension + ": " + std::string(sdp::to_sentence(offer.error())));
    call.negotiation.reset();
    return;
  }
  LegContext cx = context(now);
  asked.leg.offer(said(asked, *offer, webrtc::Kind::kOffer), cx, true);
}

void Engine::on_leg_event(Member& member, const LegEvent::Confirmed& what, Instant now) {
  Call& call = *call_of(member);
  if (member.media.state() == sdp::OfferAnswer::State::kLocalOffer) {  // our offer was in the 2xx
    if (!take_answer(member, what.sdp, sdp::OfferAnswer::Certainty::kFinal)) {
      return end_call(call, {.status = 488, .sentence = member.extension + "'s phone did not agree on media"},
                      now);
    }
    Member* peer = find(call.first == member.leg.id() ? call.second : call.first);
    if (peer != nullptr && peer->leg.up() && !call.negotiation) {
      relay_offer(call, member, *peer, now);
    }
  }
  set_peer(member);
}

void Engine::on_leg_event(Member& member, const LegEvent::Offered& what, Instant now) {
  Call& call = *call_of(member);
  LegContext cx = context(now);
  const LegId id = member.leg.id();
  Member* peer = call.first == id ? find(call.second) : call.second == id ? find(call.first) : nullptr;
  const bool with_peer = peer != nullptr && call.state == Call::State::kUp;

  if (what.sdp.empty()) {  // RFC 3261 §14.2: the offer is in our 2xx; its answer comes with the ACK
    // "As for a new call": whoever asks this way may want to end a hold, so the offer does not carry it on.
    const auto offer = with_peer ? member.media.relay_offer(peer->media, sdp::Direction::kSendRecv)
                                 : member.media.repeat_offer(sdp::Direction::kSendRecv);
    return member.leg.answer_offer(offer ? 200 : 491, said(member, offer.value_or(""), webrtc::Kind::kOffer),
                                   cx);
  }
  if (member.media.state() != sdp::OfferAnswer::State::kStable) return member.leg.answer_offer(491, {}, cx);
  auto offer = read(member, what.sdp, webrtc::Kind::kOffer);
  if (!offer) return member.leg.answer_offer(400, {}, cx);
  if (const auto taken = member.media.remote_offer(std::move(*offer)); !taken) {
    return member.leg.answer_offer(488, {}, cx);
  }
  if (!settings_->hold_enabled && member.media.remote_holds()) {
    member.media.offer_failed();
    return member.leg.answer_offer(403, {}, cx);
  }
  if (!with_peer) return answer_alone(member, now);
  if (call.negotiation) {
    member.media.offer_failed();
    return member.leg.answer_offer(491, {}, cx);
  }
  if (!member.media.remote_holds()) member.held_for_it = false;  // its person went on by itself
  relay_offer(call, member, *peer, now);
}

// Nobody else to ask: an echo, or a party that waits while somebody is rung for it.
void Engine::answer_alone(Member& member, Instant now) {
  LegContext cx = context(now);
  const auto answer = member.media.own_answer();
  if (answer) {
    follow(member, webrtc::Kind::kOffer);
  } else {
    member.media.offer_failed();
  }
  member.leg.answer_offer(answer ? 200 : 488, said(member, answer.value_or(""), webrtc::Kind::kAnswer), cx);
  set_peer(member);
}

void Engine::relay_offer(Call& call, Member& asker, Member& asked, Instant now) {
  const auto held = asked.held_for_it ? std::optional{sdp::Direction::kInactive} : std::nullopt;
  const auto offer = asked.media.relay_offer(asker.media, held);
  LegContext cx = context(now);
  if (!offer) {
    asker.media.offer_failed();
    const int status = offer.error() == sdp::OfferError::kOfferPending ? 491 : 488;
    return asker.leg.answer_offer(status, {}, cx);
  }
  negotiate(call, {.asked = asked.leg.id(), .asker = asker.leg.id(), .then_ask = {}}, now);
  asked.leg.offer(said(asked, *offer, webrtc::Kind::kOffer), cx, false);
}

void Engine::negotiate(Call& call, Negotiation next, Instant now) {
  call.negotiation = next;
  call_timers_.arm(call.negotiation_timer, now + kOfferPatience, {call.key, CallTimer::Kind::kNegotiation});
}

// A phone that says it works on an offer and never answers: who waits for it is told, and the call goes on as
// it was. Not 408, which would end the asker's dialog (RFC 3261 §12.2.1.2).
void Engine::offer_unanswered(Call& call, Instant now) {
  if (!call.negotiation) return;
  const Negotiation stuck = *std::exchange(call.negotiation, {});
  LegContext cx = context(now);
  if (Member* asked = find(stuck.asked)) {
    note(ports::Note::Level::kInfo, asked->extension + "'s phone did not answer an offer inside the call");
    asked->leg.give_up_offer(cx);
    asked->media.offer_failed();
  }
  Member* asker = find(stuck.asker);
  if (asker == nullptr || asker->media.state() != sdp::OfferAnswer::State::kRemoteOffer) return;
  asker->media.offer_failed();
  asker->leg.answer_offer(504, {}, cx);
}

// The relay was told to pass nothing on while an operator held the call for one of them.
void Engine::pass_media_again(Call& call, Member& a, Member& b) {
  if (call.state == Call::State::kUp && !a.held_for_it && !b.held_for_it) connect_media(a, b);
}

void Engine::on_leg_event(Member& member, const LegEvent::OfferAnswered& what, Instant now) {
  Call& call = *call_of(member);
  const bool ok = what.status < 300 && take_answer(member, what.sdp, sdp::OfferAnswer::Certainty::kFinal);
  if (!ok) member.media.offer_failed();
  if (!call.negotiation || call.negotiation->asked != member.leg.id()) {
    if (ok) set_peer(member);
    // An answer that came after we had given up: back to what holds.
    const auto agreed =
        !ok && what.status < 300 ? member.media.repeat_offer() : std::unexpected(sdp::OfferError::kNoCodec);
    LegContext cx = context(now);
    if (agreed) member.leg.offer(said(member, *agreed, webrtc::Kind::kOffer), cx, true);
    return;
  }
  const Negotiation done = *std::exchange(call.negotiation, {});
  if (ok) set_peer(member);

  if (Member* asker = find(done.asker)) {
    LegContext cx = context(now);
    if (asker->media.state() == sdp::OfferAnswer::State::kRemoteOffer) {
      const auto answer =
          ok ? asker->media.relay_answer(member.media)
             : std::expected<std::string, sdp::OfferError>{std::unexpected(sdp::OfferError::kNoCodec)};
      if (answer) {
        follow(*asker, webrtc::Kind::kOffer);
      } else {
        asker->media.offer_failed();
      }
      // 491 lets the asker try again in its own time (§14.1); anything else the other phone said is "not like
      // this".
      asker->leg.answer_offer(answer               ? 200
                              : what.status == 491 ? 491
                                                   : 488,
                              said(*asker, answer.value_or(""), webrtc::Kind::kAnswer), cx);
    }
    set_peer(*asker);
    note_hold(call, *asker, now);
    pass_media_again(call, *asker, member);
    return;
  }
  // What a held phone answers to being held is no wish of its person.
  if (ok && (!done.holder || done.holder == member.leg.id())) note_hold(call, member, now);
  if (Member* next = find(done.then_ask); next != nullptr && next->leg.up()) {
    negotiate(call,
              {.asked = next->leg.id(),
               .asker = {},
               .then_ask = {},
               .holder = done.holder,
               .resumer = ok ? done.resumer : LegId{}},
              now);
    join_step(call, *next, member, now);
    return;
  }
  if (!ok) {
    Member* peer = find(call.first == member.leg.id() ? call.second : call.first);
    const auto& a = member.media.negotiated();
    const auto b = peer != nullptr ? peer->media.negotiated() : std::nullopt;
    if (a && b && !sdp::compatible(*a, *b)) {
      end_call(call,
               {.status = 488,
                .sentence = member.extension + " and " + peer->extension + " have no codec in common"},
               now);
    }
  }
}

std::string Engine::identity_of(const Member& member) const {
  const IpAddress ip = our_ip(member.leg.flow());
  const std::string host = ip.is_v6() ? '[' + ip.to_string() + ']' : ip.to_string();
  return sip::make_name_addr(display_of(member.extension),
                             "sip:" + sip::escape_user(member.extension) + '@' + host);
}

}  // namespace bw::calls
