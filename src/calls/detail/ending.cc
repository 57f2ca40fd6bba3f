// How calls end and are written down: one record, one sentence, whatever happened (calls.md §2).
#include <algorithm>
#include <utility>

#include "calls/detail/engine.h"
#include "calls/detail/sentences.h"

namespace bw::calls {
namespace {

constexpr Duration kFiguresPatience = 2s;  // how long a record waits for the media loops' last word

// By a browser, for the call record: the mean.
std::optional<model::LegQuality> heard_in_all(const Member& member) {
  if (member.heard_count == 0) return std::nullopt;
  const model::LegQuality& sum = member.heard_sum;
  return model::LegQuality{sum.mos / member.heard_count, sum.loss_percent / member.heard_count,
                           sum.jitter_ms / member.heard_count};
}

}  // namespace

// The call forgets the leg; the leg lives on until its last transaction is answered.
void Engine::let_go(Member& member) {
  if (Call* call = call_of(member)) {
    record_leg(*call, member);
    std::erase(call->members, member.leg.id());
    if (call->first == member.leg.id()) call->first = {};
    if (call->second == member.leg.id()) call->second = {};
    if (call->negotiation && call->negotiation->asked == member.leg.id()) call->negotiation.reset();
  }
  close_media(member);
  engage(member, Member::Engagement::kNone);
  member.call = {};
}

void Engine::drop_leg(Member& member, int status, std::string_view reason_header, Instant now) {
  const LegId id = member.leg.id();
  let_go(member);
  LegContext cx = context(now);
  member.leg.hang_up(status, reason_header, cx);
  forget_finished(id);
}

void Engine::record_leg(Call& call, Member& member) {
  const bool took_part = member.leg.is_incoming() || !member.negotiated_codec.empty();
  if (!took_part) return;
  model::LegRecord leg;
  leg.party = member.extension;
  leg.device = member.leg.peer_agent();
  leg.codec = member.negotiated_codec;
  leg.secured = is_secured(member);
  leg.heard = heard_in_all(member);
  if (member.media_leg) by_media_[member.media_leg].record_index = call.record.legs.size();
  call.record.legs.push_back(std::move(leg));
}

void Engine::end_call(Call& call, Ending ending, Instant now) {
  if (call.state == Call::State::kEnding) return;
  call.state = Call::State::kEnding;
  --active_;
  call_timers_.cancel(call.ring_timer);
  call_timers_.cancel(call.duration_timer);
  call_timers_.cancel(call.negotiation_timer);
  call_timers_.cancel(call.farewell_timer);
  if (call.dialling) tell_transfer(call, *call.dialling, false, now);
  call.dialling.reset();
  call.negotiation.reset();

  auto& record = call.record;
  record.ended = now;
  record.disposition = record.answered ? model::Disposition::kAnswered : ending.disposition;
  record.hangup_by = std::move(ending.by);
  record.cause_code = ending.status;
  record.reason = std::move(ending.sentence);

  const int status = ending.status >= 400 ? ending.status : 480;
  for (const LegId id : std::vector<LegId>{call.members}) {
    Member* member = find(id);
    if (member == nullptr) continue;
    tell_browser_ended(*member, record.reason);
    drop_leg(*member, status, ending.reason_header, now);
  }
  if (call.media_open == 0) return write_down(call, now);
  call_timers_.arm(call.closing_timer, now + kFiguresPatience, {call.key, CallTimer::Kind::kClosing});
}

void Engine::write_down(Call& call, Instant now) {
  call_timers_.cancel(call.closing_timer);
  by_name_.erase(call.record.id.value);
  close_record(call, now);
  const CallKey key = call.key;
  calls_.erase(key);
}

void Engine::on_leg_event(Member& member, const LegEvent::Gone& what, Instant now) {
  Call& call = *call_of(member);
  const LegId id = member.leg.id();
  if (call.dialling && call.dialling->transferor == id) {  // hung up after REFER: the transfer goes on
    call.dialling->transferor = {};
    let_go(member);
    if (call.first == LegId{}) call.first = std::exchange(call.second, {});
    return;
  }
  one_side_left(call, member, what, now);
}

void Engine::one_side_left(Call& call, Member& left, const LegEvent::Gone& what, Instant now) {
  const bool caller = left.extension == call.record.from_extension;
  Ending ending{
      model::Disposition::kFailed, caller ? "caller" : "callee", what.status, {}, what.reason_header};
  if (what.by_peer) {
    ending.sentence = left.extension + " hung up";
    if (!call.record.answered) ending.disposition = model::Disposition::kCancelled;
  } else {
    ending.by = "system";
    ending.sentence = left.extension + ": " + what.sentence;
    if (left.probing) {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left.silent_for).count();
      ending.sentence = "no packets from " + left.extension + " for " + std::to_string(seconds) + " s, and " +
                        what.sentence;
    }
  }
  let_go(left);
  end_call(call, std::move(ending), now);
}

void Engine::on(ShutDown, Instant now) {
  shutting_down_ = true;
  std::vector<Call*> open;
  for (const auto& [key, call] : calls_) open.push_back(call.get());
  for (Call* call : open) {
    end_call(*call, {.by = "system", .status = 503, .sentence = "the server was shut down"}, now);
  }
}

}  // namespace bw::calls
