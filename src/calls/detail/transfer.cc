// REFER and what follows from it (RFC 3515, RFC 5589; Replaces RFC 3891).
#include <utility>

#include "calls/detail/engine.h"
#include "calls/detail/sentences.h"
#include "sip/name_addr.h"
#include "sip/replaces.h"
#include "sip/session_body.h"

namespace bw::calls {
namespace {

// The Replaces header that a Refer-To URI carries (RFC 3891 §5), unescaped.
std::optional<std::string> replaces_of(const sip::Uri& uri) {
  std::string_view rest = uri.headers;
  while (!rest.empty()) {
    const auto end = rest.find('&');
    const std::string_view header = rest.substr(0, end);
    const auto equals = header.find('=');
    if (sip::header_name_from(header.substr(0, equals)) == sip::HeaderName::kReplaces &&
        equals != header.npos) {
      return sip::unescape(header.substr(equals + 1));
    }
    rest = end == rest.npos ? std::string_view{} : rest.substr(end + 1);
  }
  return std::nullopt;
}

}  // namespace

void Engine::on_leg_event(Member& member, const LegEvent::ReferAsked& what, Instant now) {
  Call& call = *call_of(member);
  LegContext cx = context(now);
  const auto address = sip::NameAddr::parse(what.refer_to);
  const auto uri = address ? sip::Uri::parse(address->uri) : std::nullopt;
  if (!uri || uri->user.empty()) return member.leg.answer_refer(400, cx);
  const auto replaces = replaces_of(*uri);
  const auto refuse = [&](int status) {
    tell_transfer(call, member.extension, uri->decoded_user(), replaces.has_value(), false, now);
    member.leg.answer_refer(status, cx);
  };
  if (!settings_->transfer_enabled) return refuse(403);
  if (call.state != Call::State::kUp || call.dialling) return refuse(491);
  if (!call.second || call.echo) return refuse(403);  // nobody there to be transferred

  if (replaces) {
    Member* consulted = find_replaced(*replaces);
    // Only one's own other call can be handed over: Replaces is no key to calls of others.
    if (consulted == nullptr || consulted->extension != member.extension || consulted->call == member.call) {
      return refuse(consulted == nullptr ? 481 : 403);
    }
    attended_transfer(call, member, *consulted, now);
    return;
  }
  blind_transfer(call, member, callee_of(*uri, now), false, now);
}

Member* Engine::find_replaced(std::string_view replaces_header) {
  const auto replaces = sip::Replaces::parse(replaces_header);
  if (!replaces) return nullptr;
  // The tags are named from the side of the phone that made the header (RFC 3891 §3).
  for (const auto& [mine, theirs] :
       {std::pair{replaces->to_tag, replaces->from_tag}, std::pair{replaces->from_tag, replaces->to_tag}}) {
    Member* member = find(Leg::owner_of_tag(mine));
    if (member != nullptr && member->leg.is_dialog(replaces->call_id, mine, theirs) &&
        call_of(*member) != nullptr) {
      return member;
    }
  }
  return nullptr;
}

void Engine::blind_transfer(Call& call, Member& transferor, Callee target, bool attended, Instant now) {
  const LegId stays = call.first == transferor.leg.id() ? call.second : call.first;
  LegContext cx = context(now);
  transferor.leg.answer_refer(202, cx);
  transferor.leg.notify_refer(100, false, cx);
  Dialling dialling{
      .purpose = Dialling::Purpose::kTransfer, .origin = stays, .transferor = transferor.leg.id()};
  dialling.transferor_extension = transferor.extension;
  dialling.wanted = target.number;
  dialling.instance = std::move(target.instance);
  dialling.attended = attended;
  dialling.referred_by = identity_of(transferor);  // what the phone says of itself is never believed
  // What the target may be is decided by the rights of who transfers.
  place(call, std::move(dialling), {.caller = transferor.extension, .dialled = std::move(target.number)},
        now);
}

void Engine::transfer_progress(Call& call, int status, Instant now) {
  Member* transferor = find(call.dialling->transferor);
  if (transferor == nullptr) return;
  LegContext cx = context(now);
  transferor->leg.notify_refer(status, false, cx);
}

void Engine::release_transferor(Call& call, Dialling& dialling, Instant now) {
  tell_transfer(call, dialling, true, now);
  if (Member* transferor = find(dialling.transferor)) {
    LegContext cx = context(now);
    transferor->leg.notify_refer(200, true, cx);
    drop_leg(*transferor, 480, "SIP;cause=200;text=\"Call transferred\"", now);
  }
}

// calls.md §3: failure returns the call. Either the transferor is still there, or it is rung back.
void Engine::transfer_failed(Call& call, Dialling dialling, int status, std::string sentence, Instant now) {
  tell_transfer(call, dialling, false, now);
  if (Member* transferor = find(dialling.transferor)) {
    LegContext cx = context(now);
    transferor->leg.notify_refer(status, true, cx);
    note(ports::Note::Level::kInfo, "transfer by " + transferor->extension + " failed: " + sentence);
    return;
  }
  if (dialling.recall) {
    return end_call(call,
                    {call.record.answered ? model::Disposition::kAnswered : disposition_of(status),
                     "system",
                     status,
                     sentence + ", after a failed transfer",
                     {}},
                    now);
  }
  Dialling recall{.purpose = Dialling::Purpose::kTransfer, .origin = dialling.origin, .recall = true};
  recall.transferor_extension = dialling.transferor_extension;
  const Attempt attempt{.caller = dialling.transferor_extension, .dialled = dialling.transferor_extension};
  place(call, std::move(recall), attempt, now);
}

// False: it cannot be done now, and nothing was done.
bool Engine::attended_transfer(Call& call, Member& transferor, Member& consulted, Instant now) {
  Call& other = *call_of(consulted);
  LegContext cx = context(now);
  if (other.dialling) {  // the target only rings yet: as if it had been a blind transfer
    const std::string target = other.dialling->target;
    end_call(other,
             {model::Disposition::kCancelled,
              "caller",
              487,
              transferor.extension + " transferred the call before " + target + " answered",
              {}},
             now);
    blind_transfer(call, transferor, {target, {}}, true, now);
    return true;
  }
  const LegId target_id = other.first == consulted.leg.id() ? other.second : other.first;
  Member* target = find(target_id);
  Member* stays = find(call.first == transferor.leg.id() ? call.second : call.first);
  if (target == nullptr || stays == nullptr || other.state != Call::State::kUp || other.negotiation) {
    const std::string wanted = target != nullptr ? target->extension : other.record.to_number.reveal();
    tell_transfer(call, transferor.extension, wanted, true, false, now);
    transferor.leg.answer_refer(491, cx);
    return false;
  }
  tell_transfer(call, transferor.extension, target->extension, true, true, now);
  transferor.leg.answer_refer(202, cx);
  transferor.leg.notify_refer(200, true, cx);

  // The target moves into the call of the party that stays; the consultation ends, its record says how.
  adopt(call, other, *target);
  const std::string name = transferor.extension;
  drop_leg(transferor, 480, "SIP;cause=200;text=\"Call transferred\"", now);
  call.first = stays->leg.id();
  call.second = target_id;
  end_call(other,
           {model::Disposition::kAnswered,
            "system",
            0,
            name + " transferred " + stays->extension + " to " + target->extension,
            {}},
           now);
  start_join(call, *stays, *target, true, now);
  return true;
}

// A leg changes calls. Joined legs live in one media loop: a leg from another loop gets a port of this one,
// which its re-INVITE tells the phone.
void Engine::adopt(Call& call, Call& from, Member& member) {
  std::erase(from.members, member.leg.id());
  if (from.first == member.leg.id()) from.first = {};
  if (from.second == member.leg.id()) from.second = {};
  call.members.push_back(member.leg.id());
  member.call = call.key;
  tell_browser(member);
  if (member.port.loop != call.loop && has_ports(member.port)) {
    if (const auto port = ports_.take(call.loop)) return move_media(member, *port);
  }
  by_media_[member.media_leg].call = call.key;
  --from.media_open;
  ++call.media_open;
}

// INVITE with Replaces (RFC 3891): a phone takes over a call of its own extension at another device.
void Engine::replace_leg(InviteArrived in, Member& replaced, Instant now) {
  const auto refuse = [&](int status) {
    wire_.push_back(sip::SendResponse{in.tx, sip::make_response(in.request, status, rng_.token(10))});
  };
  Call& call = *call_of(replaced);
  if (replaced.extension != in.caller.value) return refuse(403);
  if (sip::Replaces::parse(*in.request.get(sip::HeaderName::kReplaces))->early_only)
    return refuse(486);  // §3
  if (call.state != Call::State::kUp || call.dialling || !call.second) return refuse(481);
  const std::string sdp{sip::session_description(in.request)};
  auto side = side_for(sdp);
  const auto port = take_port(side.has_value(), call.loop);
  if (!port) return refuse(503);
  LegContext cx = context(now);
  const LegId old = replaced.leg.id();
  Member& taker = admit(
      Leg::incoming(LegId{next_leg_++}, in.tx, in.flow, std::move(in.request), our_contact(in.flow), cx),
      call, in.caller.value, *port, std::move(side));
  Member* stays = find(call.first == old ? call.second : call.first);
  if (stays == nullptr) return drop_leg(taker, 481, {}, now);
  std::expected<std::string, sdp::OfferError> ours = std::unexpected(sdp::OfferError::kNoCodec);
  if (sdp.empty()) {  // RFC 3261 §13.2.1: the offer is ours, its answer comes with the ACK
    ours = taker.media.relay_offer(stays->media, sdp::Direction::kSendRecv);
  } else if (auto offer = read(taker, sdp, webrtc::Kind::kOffer);
             offer && taker.media.remote_offer(std::move(*offer))) {
    ours = taker.media.relay_answer(stays->media);
  }
  if (!ours) return drop_leg(taker, 488, {}, now);
  taker.leg.answer(said(taker, *ours, sdp.empty() ? webrtc::Kind::kOffer : webrtc::Kind::kAnswer), cx);
  set_peer(taker);
  drop_leg(*find(old), 480, kCompletedElsewhere, now);
  call.first = stays->leg.id();
  call.second = taker.leg.id();
  if (sdp.empty()) return connect_media(*stays, taker);  // the other side hears of it when the ACK came
  start_join(call, *stays, taker, false, now);
}

}  // namespace bw::calls
