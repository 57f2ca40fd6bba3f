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
                 [&](const ports::GetStatus&) {},  // the exchange answers these two
                 [&](const ports::ListPhones&) {},
             },
             in.request);
}

ports::Calls Engine::list_calls() const {
  ports::Calls list;
  for (const auto& [key, call] : calls_) {
    if (call->state == Call::State::kEnding) continue;
    ports::CallView view;
    view.id = call->record.id;
    view.from = call->record.from_number.reveal();
    view.to = call->record.to_number.reveal();
    view.started = call->record.started;
    view.answered = call->record.answered;
    view.state = call->state == Call::State::kUp ? "up" : "ringing";
    for (const LegId id : call->members) {
      const Member& member = *members_.at(id);
      ports::LegView leg{member.extension, std::string(name_of(member.leg.state())), member.negotiated_codec,
                         false};
      if (!member.leg.up() && member.leg.ringing()) leg.state = "ringing";
      if (member.leg.up() && member.holds) view.state = "held";
      const auto agreed = member.media.negotiated();
      leg.secured = agreed && agreed->receive.has_value();
      view.legs.push_back(std::move(leg));
    }
    list.calls.push_back(std::move(view));
  }
  return list;
}

ports::Reply Engine::start_call(const ports::StartCall& wish, Instant now) {
  if (shutting_down_ || calls_.size() >= limits_.calls) return ports::Refused{503, "busy", "too many calls"};
  if (directory_->find(wish.from) == nullptr) {
    return ports::Refused{404, "not_found", "there is no extension " + wish.from};
  }
  const auto decision = route({.caller = wish.from, .dialled = wish.to}, *directory_, dialplan_, *settings_);
  if (const auto* refused = std::get_if<RefuseCall>(&decision))
    return ports::Refused{404, "not_found", refused->sentence};
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

ports::Reply Engine::hang_up_call(const ports::HangUpCall& wish, Instant now) {
  const auto it = by_name_.find(wish.call.value);
  const auto call = it == by_name_.end() ? calls_.end() : calls_.find(it->second);
  if (call == calls_.end() || call->second->state == Call::State::kEnding) {
    return ports::Refused{404, "not_found", "there is no such call"};
  }
  end_call(*call->second, {model::Disposition::kCancelled, "system", 480, "ended through the API", {}}, now);
  return ports::Done{};
}

}  // namespace bw::calls
