// What the API sees of calls and asks of them.
#include <utility>

#include "calls/detail/engine.h"

namespace bw::calls {

void Engine::on(const Asked& in, Instant now) {
  const auto answer = [&](ports::Reply reply) { out.push_back(ports::Answered{in.id, std::move(reply)}); };
  std::visit(Overloaded{
                 [&](const ports::ListCalls&) { answer(list_calls()); },
                 [&](const ports::StartCall& wish) { answer(start_call(wish, now)); },
                 [&](const ports::HangUpCall& wish) { answer(hang_up_call(wish, now)); },
                 [&](const ports::ShowCall& wish) { answer(show_call(wish)); },
                 [&](const ports::TransferCall& wish) { answer(transfer_call(wish, now)); },
                 [&](const ports::JoinCalls& wish) { answer(join_calls(wish, now)); },
                 [&](const ports::HoldCall& wish) { answer(hold_call(wish, now)); },
                 [&](const ports::ResumeCall& wish) { answer(resume_call(wish, now)); },
                 [&](const ports::GetStatus&) {},  // the exchange answers these
                 [&](const ports::ListPhones&) {},
                 [&](const ports::ListPresence&) {},
                 [&](const ports::SetPresence&) {},
                 [&](const ports::ListLockouts&) {},
                 [&](const ports::LiftLockout&) {},
                 [&](const ports::AskBrowser&) {},
             },
             in.request);
}

ports::Calls Engine::list_calls() {
  ports::Calls list;
  for (const auto& [key, call] : calls_) {
    if (call->state != Call::State::kEnding) list.calls.push_back(view_of(*call));
  }
  return list;
}

ports::Reply Engine::show_call(const ports::ShowCall& wish) {
  const Call* call = find_call(wish.call);
  if (call == nullptr) return ports::Refused{404, "not_found", "there is no such call"};
  ports::CallView view = view_of(*call);
  for (const model::LegRecord& left : call->record.legs) {
    ports::LegView leg{left.party, left.device, "ended", left.codec, left.secured, {}};
    if (left.mos > 0) leg.quality = ports::LegQuality{left.mos, left.loss_percent, left.jitter_ms};
    leg.heard = left.heard;
    view.legs.push_back(std::move(leg));
  }
  return ports::Calls{{std::move(view)}};
}

ports::CallView Engine::view_of(const Call& call) {
  ports::CallView view;
  view.id = call.record.id;
  view.from = call.record.from_number.reveal();
  view.to = call.record.to_number.reveal();
  view.started = call.record.started;
  view.answered = call.record.answered;
  view.state = call.state == Call::State::kUp ? "up" : "ringing";
  for (const LegId id : call.members) {
    const Member& member = *find(id);
    ports::LegView leg{.party = member.extension,
                       .device = device_of(member),
                       .state = std::string(name_of(member.leg.state())),
                       .codec = member.negotiated_codec,
                       .secured = is_secured(member),
                       .quality = {},
                       .heard = member.heard};
    const Member* peer = peer_of(call, member);
    if (const auto& figures = member.figures) {
      leg.packets_refused = figures->packets_refused;
      if (figures->packets_received > 0) leg.quality = quality_of(*figures);
    }
    if (!member.leg.up() && member.leg.ringing()) leg.state = "ringing";
    if (member.leg.up() && peer != nullptr && peer->holds) leg.state = "held";
    if (member.leg.up() && member.holds) view.state = "held";
    view.legs.push_back(std::move(leg));
  }
  return view;
}

ports::Reply Engine::start_call(const ports::StartCall& wish, Instant now) {
  if (shutting_down_ || calls_.size() >= limits_.calls) return ports::Refused{503, "busy", "too many calls"};
  if (directory_->find(wish.from) == nullptr) {
    return ports::Refused{404, "not_found", "there is no extension " + wish.from};
  }
  const auto decision = route({.caller = wish.from, .dialled = wish.to}, *directory_, dialplan_, *settings_);
  if (const auto* refused = std::get_if<RefuseCall>(&decision))
    return ports::Refused{404, "not_found", refused->sentence};
  if (std::holds_alternative<EchoTest>(decision))
    return ports::Refused{409, "conflict", "the echo test can only be dialled"};
  if (const auto full = too_many_legs(wish.from)) return ports::Refused{409, "busy", *full};
  if (contacts_.contacts(wish.from, now).empty()) {
    return ports::Refused{409, "not_registered", wish.from + " is not registered"};
  }
  Call& call = new_call(wish.from, wish.to, now);
  call.click_to = wish.to;
  const model::CallId id = call.record.id;
  open_record(call, now);
  const auto* person = directory_->find(wish.from);
  const RingExtension target{person->number, settings_->no_answer_timeout, {wish.from}};
  ring(call, Dialling{.purpose = Dialling::Purpose::kClick}, target, now);
  return ports::CallStarted{id};
}

}  // namespace bw::calls
