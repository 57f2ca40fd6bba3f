// What a call tells the journal (docs/events.md): each event beside the change of the record it belongs to,
// in the order in which it happened; and who is engaged in calls just now.
#include <utility>

#include "base/uuid.h"
#include "calls/detail/engine.h"

namespace bw::calls {

void Engine::journal(Call& call, events::Event event, Instant at) {
  out.push_back(
      ports::Change{ports::Tell{{events::EventId{uuid_v7(at, rng_)}, at, ++call.told, std::move(event)}}});
}

void Engine::open_record(Call& call, Instant now) {
  const auto& record = call.record;
  out.push_back(ports::Change{ports::OpenCallRecord{record}});
  journal(call,
          events::CallStarted{record.id, record.from_extension, record.to_extension, record.from_number,
                              record.to_number, record.direction, record.caller_name},
          now);
}

void Engine::tell_ringing(Call& call, Member& phone, Instant now) {
  if (phone.engagement != Member::Engagement::kAsked) return;
  engage(phone, Member::Engagement::kRinging);
  journal(call, events::CallRinging{call.record.id, phone.extension, device_of(phone)}, now);
}

void Engine::record_answer(Call& call, const Member* who, Instant now) {
  auto& record = call.record;
  record.answered = now;
  call_timers_.arm(call.duration_timer, now + settings_->max_call_duration,
                   {call.key, CallTimer::Kind::kDuration});
  events::CallAnswered told{record.id, record.from_extension, record.to_extension, {}, {}, 0};
  told.ring_seconds = std::chrono::duration<double>(now - record.started).count();
  if (who != nullptr) {
    told.extension = who->extension;
    told.device = device_of(*who);
  }
  journal(call, std::move(told), now);
}

// A party holds if its phone last said so, or an operator does it for it.
void Engine::note_hold(Call& call, Member& member, Instant now) {
  const bool holds = member.held_for_it || member.media.remote_holds();
  if (std::exchange(member.holds, holds) == holds) return;
  if (holds) {
    journal(call, events::CallHold{call.record.id, member.extension}, now);
  } else {
    journal(call, events::CallResume{call.record.id, member.extension}, now);
  }
}

void Engine::tell_transfer(Call& call, std::string from, std::string to, bool attended, bool completed,
                           Instant now) {
  journal(call,
          events::CallTransfer{call.record.id, std::move(from), std::move(to),
                               attended ? "attended" : "blind", completed ? "completed" : "failed"},
          now);
}

void Engine::tell_transfer(Call& call, const Dialling& dialling, bool completed, Instant now) {
  if (dialling.purpose != Dialling::Purpose::kTransfer || dialling.recall) return;
  tell_transfer(call, dialling.transferor_extension, dialling.wanted, dialling.attended, completed, now);
}

void Engine::tell_digit(Call& call, Member& member, char digit, Instant now) {
  if (!member.keys.allows(now)) return;
  const Member* peer = peer_of(call, member);
  if (peer != nullptr && is_page(*peer))  // which sees no events in its media
    out.push_back(BrowserDigit{peer->leg.flow().connection, peer->leg.call_id(), digit});
  if (!settings_->dtmf_events) return;
  journal(call, events::CallDtmf{call.record.id, member.extension, std::string(1, digit)}, now);
}

// The record and its last event go together; nothing of the record is needed afterwards.
void Engine::close_record(Call& call, Instant now) {
  auto& record = call.record;
  const Instant ended = record.ended.value_or(now);
  const auto seconds_since = [&](Instant start) {
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::seconds>(ended - start).count());
  };
  events::CallEnded told{.call_id = record.id,
                         .from_extension = record.from_extension,
                         .to_extension = record.to_extension,
                         .duration = seconds_since(record.started),
                         .billsec = record.answered ? seconds_since(*record.answered) : 0,
                         .disposition = record.disposition,
                         .hangup_by = record.hangup_by,
                         .cause_code = record.cause_code,
                         .reason = record.reason,
                         .recording = {},
                         .quality = {}};
  told.quality.reserve(record.legs.size());
  for (const auto& leg : record.legs)
    told.quality.push_back({leg.party, leg.mos, leg.loss_percent, leg.jitter_ms});
  out.push_back(ports::Change{ports::CloseCallRecord{std::move(record)}});
  journal(call, std::move(told), ended);
}

// ---- who is engaged ----

void Engine::engage(Member& member, Member::Engagement next) {
  const auto last = std::exchange(member.engagement, next);
  if (last == next) return;
  Engaged& engaged = engaged_[member.extension];
  const auto state = [&] { return std::pair{engaged.ringing > 0, engaged.talking > 0}; };
  const auto before = state();
  if (last == Member::Engagement::kRinging) --engaged.ringing;
  if (last == Member::Engagement::kTalking) --engaged.talking;
  if (last == Member::Engagement::kNone) ++engaged.legs;
  if (next == Member::Engagement::kRinging) ++engaged.ringing;
  if (next == Member::Engagement::kTalking) ++engaged.talking;
  if (next == Member::Engagement::kNone) --engaged.legs;
  if (const auto after = state(); after != before)
    out.push_back(Engagement{member.extension, after.first, after.second});
  if (engaged.legs == 0) engaged_.erase(member.extension);
}

}  // namespace bw::calls
