#include "sip/detail/server_side.h"

#include <cassert>
#include <utility>

#include "sip/dialog.h"
#include "sip/name_addr.h"

namespace bw::sip::detail {
namespace {

Event event_of(bool invite, int status) {
  if (status < 200) return Event::kSend1xx;
  if (!invite) return status == 408 ? Event::kSend408 : Event::kSendFinal;
  return status < 300 ? Event::kSend2xx : Event::kSend300To699;
}

// §8.2.6.1, written by hand because every request pays for it: nobody knows yet whether the TU is quick
// enough.
void write_trying(const Message& request, std::string& out) {
  out.assign("SIP/2.0 100 Trying\r\n");
  for (std::size_t i = 0; i < request.header_count(); ++i) {
    const auto [id, name, value] = request.header(i);
    switch (id) {
      case HeaderName::kVia:
      case HeaderName::kFrom:
      case HeaderName::kTo:
      case HeaderName::kCallId:
      case HeaderName::kCSeq:
      case HeaderName::kTimestamp:
        out.append(name_of(id)).append(": ").append(value).append("\r\n");
        break;
      default:
        break;
    }
  }
  out.append("Content-Length: 0\r\n\r\n");
}

}  // namespace

void ServerSide::request(MessageArrived&& input, Instant now) {
  const auto facts = facts_of(input.message);
  const bool ack = input.message.method() == Method::kAck;
  if (!facts) {
    if (ack || facts.error() == BadRequest::kNoVia) return;
    RequestFacts top;
    top.via = *Via::top(input.message);
    const Flow to = response_flow(top, input.flow);
    mark_source(input.message, top, input.flow);
    return answer_statelessly(input, to, 400, to_sentence(facts.error()));
  }
  server_key(*facts, input.message, false, turn_.scratch);
  const std::uint64_t key_hash = turn_.hash(turn_.scratch);
  if (const auto slot = by_key_.find(key_hash)) return known(records_.at(*slot), input, *facts, now);
  first_seen(std::move(input), *facts, key_hash, now);
}

void ServerSide::known(Record& record, MessageArrived& input, const RequestFacts& facts, Instant now) {
  if (input.message.method() != Method::kAck) return step(record, Event::kGotRequest, nullptr, now);
  const Row& row = record.progress.machine->row(record.progress.state, Event::kGotAck);
  if (has(row.act, Act::kPassUp)) {
    mark_source(input.message, facts, input.flow);
    turn_.out.put(RequestReceived{{}, input.flow, std::move(input.message)});
  }
  step(record, Event::kGotAck, nullptr, now);
}

void ServerSide::first_seen(MessageArrived&& input, const RequestFacts& facts, std::uint64_t key_hash,
                            Instant now) {
  const Method method = input.message.method();
  if (method == Method::kCancel) return cancel(std::move(input), facts, key_hash, now);
  if (method == Method::kAck) {  // of a 2xx: a transaction of its own that wants no answer (§17)
    mark_source(input.message, facts, input.flow);
    turn_.out.put(RequestReceived{{}, input.flow, std::move(input.message)});
    return;
  }
  std::uint64_t hash = 0;
  const bool loop = facts.to_tag.empty() && merged(facts, hash);
  const bool full = records_.count() >= turn_.limits.server_transactions;
  if (loop || full) {
    const Flow to = response_flow(facts, input.flow);
    mark_source(input.message, facts, input.flow);
    return answer_statelessly(input, to, loop ? 482 : 503, {});
  }
  Record& record = start(input, facts, key_hash, now);
  record.merge_hash = hash;
  if (hash != 0) merges_.insert(hash, record.slot);
  mark_source(input.message, facts, input.flow);
  if (!spare_.empty()) {
    record.trying = std::move(spare_.back());
    spare_.pop_back();
  }
  write_trying(input.message, record.trying);
  turn_.out.put(RequestReceived{record.id(), input.flow, std::move(input.message)});
}

// §9.2. Only INVITEs can be cancelled; for anything else its answer is under way, and 481 says no worse.
void ServerSide::cancel(MessageArrived&& input, const RequestFacts& facts, std::uint64_t key_hash,
                        Instant now) {
  server_key(facts, input.message, true, turn_.scratch);
  const auto slot = by_key_.find(turn_.hash(turn_.scratch));
  Record* invite = slot ? &records_.at(*slot) : nullptr;
  const Flow to = response_flow(facts, input.flow);
  const bool full = records_.count() >= turn_.limits.server_transactions;
  Record* own = full ? nullptr : &start(input, facts, key_hash, now);
  mark_source(input.message, facts, input.flow);
  if (invite != nullptr && invite->to_tag.empty()) invite->to_tag = turn_.rng.token(12);
  const Message answer = make_response(input.message, invite != nullptr ? 200 : 481,
                                       invite != nullptr ? invite->to_tag : turn_.rng.token(12));
  if (own != nullptr) {
    step(*own, Event::kSendFinal, &answer, now);
  } else {
    turn_.out.put(Transmit{to, turn_.bytes_of(answer)});
  }
  // Once a final response is sent, a CANCEL changes nothing.
  if (invite == nullptr || invite->cancelled || invite->progress.state != State::kProceeding) return;
  invite->cancelled = true;
  turn_.out.put(CancelReceived{invite->id(), std::move(input.message)});
}

bool ServerSide::merged(const RequestFacts& facts, std::uint64_t& hash) {
  merge_key(facts, turn_.scratch);
  hash = turn_.hash(turn_.scratch) | 1U;  // 0 means none
  return merges_.find(hash).has_value();
}

ServerSide::Record& ServerSide::start(const MessageArrived& input, const RequestFacts& facts,
                                      std::uint64_t key_hash, Instant now) {
  Record& record = records_.take();
  record.to = response_flow(facts, input.flow);
  record.key_hash = key_hash;
  by_key_.insert(key_hash, record.slot);
  const bool invite = input.message.method() == Method::kInvite;
  record.progress.machine = invite ? &kServerInvite : &kServerNonInvite;
  enter(record, record.progress.machine->initial, "§17.2: a new request", now);
  return record;
}

void ServerSide::answer_statelessly(const MessageArrived& input, const Flow& to, int status,
                                    std::string_view reason) {
  Message answer = make_response(input.message, status, turn_.rng.token(12), reason);
  if (status == 503) answer.add(HeaderName::kRetryAfter, "10");
  turn_.out.put(Transmit{to, turn_.bytes_of(answer)});
}

ServerSide::Record* ServerSide::find(ServerTransactionId id) {
  const auto slot = static_cast<std::uint32_t>(id.value) - 1U;
  if (!records_.is_live(slot)) return nullptr;
  Record& record = records_.at(slot);
  return record.id() == id ? &record : nullptr;
}

void ServerSide::send(SendResponse&& input, Instant now) {
  Record* record = find(input.id);
  if (record == nullptr) return;  // nobody waits for it any more (RFC 4320 §4.2)
  const bool invite = record->progress.machine == &kServerInvite;
  step(*record, event_of(invite, input.response.status()), &input.response, now);
}

void ServerSide::ack_received(ServerTransactionId id) {
  Record* record = find(id);
  if (record == nullptr || record->progress.machine != &kServerInvite) return;
  step(*record, Event::kAckReported, nullptr, {});
  // Accepted absorbs retransmitted INVITEs until timer L; on a stream there are none.
  if (record->acknowledged && is_stream(record->to.transport)) {
    enter(*record, State::kTerminated, "acknowledged, and on a stream nothing comes twice", {});
    erase(*record);
  }
}

void ServerSide::abandon(ServerTransactionId id) {
  Record* record = find(id);
  if (record == nullptr) return;
  const State state = record->progress.state;
  if (state != State::kTrying && state != State::kProceeding) return;  // answered: it lingers as ever
  enter(*record, State::kTerminated, "ours: no answer will ever come", {});
  erase(*record);
}

void ServerSide::timer(TimerKey key, Instant now) {
  assert(records_.is_live(key.slot));
  step(records_.at(key.slot), key.fires, nullptr, now);
}

void ServerSide::transmit(Record& record) {
  if (!record.bytes) {
    if (record.trying.empty()) return;
    record.bytes = std::make_shared<const std::string>(record.trying);
    forget_trying(record);
  }
  turn_.out.put(Transmit{record.to, record.bytes});
}

void ServerSide::forget_trying(Record& record) {
  constexpr std::size_t kSpare = 64;
  if (record.trying.capacity() > sizeof(std::string) && spare_.size() < kSpare) {
    spare_.push_back(std::move(record.trying));
  }
  record.trying = {};
}

void ServerSide::forget_merge(Record& record) {
  if (record.merge_hash != 0) merges_.erase(std::exchange(record.merge_hash, 0));
}

void ServerSide::step(Record& record, Event event, const Message* response, Instant now) {
  const Row& row = record.progress.machine->row(record.progress.state, event);
  if (has(row.act, Act::kStoreResponse)) {
    record.bytes = turn_.bytes_of(*response);
    forget_trying(record);
    // §8.2.2.2 speaks of ongoing transactions. A refused one is over: phones that answer a 401 with
    // credentials but the old CSeq number are many, and a second copy of it is refused just the same.
    if (response->status() >= 300) forget_merge(record);
    if (record.progress.machine == &kServerInvite && record.to_tag.empty()) {
      record.to_tag = tag_of(response->get(HeaderName::kTo).value_or(""));
    }
  }
  if (has(row.act, Act::kTransmit)) transmit(record);
  if (has(row.act, Act::kForget)) record.bytes.reset();
  if (has(row.act, Act::kDoubleToT2)) {
    repeat_again(turn_, record.progress, row.act, {record.slot, event, true}, now);
  }
  if (has(row.act, Act::kStopRepeating)) turn_.due.cancel_repeat(record.progress);
  if (event == Event::kAckReported && record.progress.state == State::kAccepted) record.acknowledged = true;
  if (has(row.act, Act::kReportAckMissing) && !record.acknowledged) turn_.out.put(AckMissing{record.id()});
  if (row.next != record.progress.state) enter(record, row.next, row.why, now);
  if (record.progress.state == State::kTerminated) erase(record);
}

void ServerSide::enter(Record& record, State state, std::string_view, Instant now) {
  const TimerKey key{record.slot, {}, true};
  if (!enter_state(turn_, record.progress, state, key, is_stream(record.to.transport), now)) {
    enter(record, State::kTerminated, "on a stream nothing comes twice", now);
  }
}

void ServerSide::erase(Record& record) {
  forget_trying(record);
  turn_.due.cancel_repeat(record.progress);
  turn_.due.cancel_end(record.progress);
  forget_merge(record);
  by_key_.erase(record.key_hash);
  records_.give_back(record);
}

std::size_t ServerSide::memory_bytes() const {
  std::size_t sum = records_.memory_bytes() + by_key_.memory_bytes() + merges_.memory_bytes();
  records_.for_each([&](const Record& record) {
    if (record.bytes) sum += kBytesHead + record.bytes->capacity();
    if (record.trying.capacity() >= sizeof(std::string)) sum += record.trying.capacity();
  });
  return sum;
}

}  // namespace bw::sip::detail
