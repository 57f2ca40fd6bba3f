// What operators do to running calls: what the phone of the extension that is named could have asked for
// itself.
#include <utility>

#include "calls/detail/engine.h"

namespace bw::calls {
namespace {

ports::Refused not_found(std::string sentence) {
  return {404, "not_found", std::move(sentence)};
}
ports::Refused conflict(std::string sentence) {
  return {409, "conflict", std::move(sentence)};
}
ports::Refused switched_off(std::string_view what) {
  return {403, "forbidden", std::string(what) + " is switched off (features in config.yml)"};
}

}  // namespace

Call* Engine::find_call(const model::CallId& id) {
  const auto it = by_name_.find(id.value);
  const auto call = it == by_name_.end() ? calls_.end() : calls_.find(it->second);
  return call == calls_.end() || call->second->state == Call::State::kEnding ? nullptr : call->second.get();
}

Member* Engine::peer_of(const Call& call, const Member& member) {
  const LegId id = member.leg.id();
  return call.first == id ? find(call.second) : call.second == id ? find(call.first) : nullptr;
}

// Two people who talk, one of them this extension.
std::expected<Engine::Grip, ports::Refused> Engine::take_hold_of(const model::CallId& id,
                                                                 const std::string& extension) {
  Call* call = find_call(id);
  if (call == nullptr) return std::unexpected(not_found("there is no such call"));
  Member* mine = nullptr;
  for (const LegId leg : call->members) {
    Member* member = find(leg);
    if (mine == nullptr && member != nullptr && member->extension == extension) mine = member;
  }
  if (mine == nullptr) return std::unexpected(not_found(extension + " is not in this call"));
  if (call->state != Call::State::kUp) return std::unexpected(conflict("the call is not answered yet"));
  if (call->dialling) return std::unexpected(conflict("the call is being transferred"));
  Member* peer = peer_of(*call, *mine);
  if (call->echo || peer == nullptr)
    return std::unexpected(conflict("nobody is at the other end of the call"));
  return Grip{*call, *mine, *peer};
}

// Why nothing would ring, forwards followed; none: something would.
std::optional<std::string> Engine::nobody_there(RingExtension target, Instant now) const {
  for (;;) {
    const std::string number = target.extension.value;
    if (undisturbed_.contains(number)) return number + " does not want to be disturbed";
    if (!contacts_.contacts(number, now).empty()) return std::nullopt;
    const auto onward = route({.caller = number,
                               .dialled = number,
                               .cause = ForwardCause::kUnreachable,
                               .visited = std::move(target.visited)},
                              *directory_, dialplan_, *settings_);
    const auto* next = std::get_if<RingExtension>(&onward);
    if (next == nullptr) return number + " is not registered";
    target = *next;
  }
}

ports::Reply Engine::hang_up_call(const ports::HangUpCall& wish, Instant now) {
  Call* call = find_call(wish.call);
  if (call == nullptr) return not_found("there is no such call");
  // As if somebody had hung up: nothing is wrong with a call that was answered.
  const int status = call->record.answered ? 0 : 487;
  end_call(*call, {model::Disposition::kCancelled, "system", status, "ended through the API", {}}, now);
  return ports::Done{};
}

ports::Reply Engine::transfer_call(const ports::TransferCall& wish, Instant now) {
  if (!settings_->transfer_enabled) return switched_off("transfer");
  const auto grip = take_hold_of(wish.call, wish.extension);
  if (!grip) return grip.error();
  if (wish.to == wish.extension || wish.to == grip->peer.extension)
    return conflict(wish.to + " is in this call already");
  const auto decision =
      route({.caller = wish.extension, .dialled = wish.to}, *directory_, dialplan_, *settings_);
  if (const auto* refused = std::get_if<RefuseCall>(&decision)) {
    if (refused->status == 404) return not_found(refused->sentence);
    return conflict(refused->sentence);
  }
  if (std::holds_alternative<EchoTest>(decision)) return conflict("the echo test can only be dialled");
  if (const auto nobody = nobody_there(std::get<RingExtension>(decision), now))
    return ports::Refused{409, "not_reachable", *nobody};
  blind_transfer(grip->call, grip->mine, {wish.to, {}}, false, now);
  return ports::Done{};
}

ports::Reply Engine::join_calls(const ports::JoinCalls& wish, Instant now) {
  if (!settings_->transfer_enabled) return switched_off("transfer");
  if (wish.call == wish.with) return conflict("a call cannot be joined with itself");
  const auto stays = take_hold_of(wish.call, wish.extension);
  if (!stays) return stays.error();
  const auto consulted = take_hold_of(wish.with, wish.extension);
  if (!consulted) return consulted.error();
  if (!attended_transfer(stays->call, stays->mine, consulted->mine, now))
    return conflict("a phone of the call is just changing its media; try again in a moment");
  return ports::Done{};
}

// The other side is told by a re-INVITE that nothing will come, the own phone that nothing shall come; the
// relay passes nothing on, whatever the phones make of that.
ports::Reply Engine::hold_call(const ports::HoldCall& wish, Instant now) {
  if (!settings_->hold_enabled) return switched_off("hold");
  const auto grip = take_hold_of(wish.call, wish.extension);
  if (!grip) return grip.error();
  auto& [call, mine, peer] = *grip;
  if (mine.holds) return conflict(wish.extension + " holds this call already");
  if (call.negotiation)
    return conflict("a phone of the call is just changing its media; try again in a moment");
  mine.held_for_it = true;
  note_hold(call, mine, now);
  tell(mine.port.loop, media::Disconnect{mine.media_leg});
  tell(peer.port.loop, media::Disconnect{peer.media_leg});
  negotiate(call, {.asked = peer.leg.id(), .asker = {}, .then_ask = mine.leg.id(), .holder = mine.leg.id()},
            now);
  join_step(call, peer, mine, now);
  return ports::Done{};
}

ports::Reply Engine::resume_call(const ports::ResumeCall& wish, Instant now) {
  const auto grip = take_hold_of(wish.call, wish.extension);
  if (!grip) return grip.error();
  auto& [call, mine, peer] = *grip;
  if (!mine.holds) return conflict(wish.extension + " does not hold this call");
  if (call.negotiation)
    return conflict("a phone of the call is just changing its media; try again in a moment");
  mine.held_for_it = false;
  attach(mine);
  pass_media_again(call, mine, peer);
  negotiate(call, {.asked = mine.leg.id(), .asker = {}, .then_ask = peer.leg.id(), .resumer = mine.leg.id()},
            now);
  join_step(call, mine, peer, now);
  return ports::Done{};
}

}  // namespace bw::calls
