#include "sip/detail/client_side.h"

#include <cassert>
#include <utility>

#include "sip/cseq.h"
#include "sip/detail/matching.h"

namespace bw::sip::detail {
namespace {

// Ids of our own are taken from the upper half, which no counter of a TU reaches.
constexpr std::uint64_t kOwnIds = std::uint64_t{1} << 63U;

// What we wrote ourselves is read again without the bounds meant for strangers.
constexpr MessageLimits kOwnMessage{
    .message_bytes = SIZE_MAX, .headers = SIZE_MAX, .header_value_bytes = SIZE_MAX, .body_bytes = SIZE_MAX};

Event event_of(bool invite, int status) {
  if (status < 200) return Event::kGot1xx;
  if (!invite) return Event::kGotFinal;
  return status < 300 ? Event::kGot2xx : Event::kGot300To699;
}

// A bijection, so that ids themselves are the keys (the finisher of splitmix64).
std::uint64_t spread(ClientTransactionId id) {
  std::uint64_t z = id.value;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

// What ACK (§17.1.1.3) and CANCEL (§9.1) take over from their INVITE.
Message companion_of(const Message& invite, Method method) {
  Message out = Message::request(method, invite.request_uri());
  if (const auto via = invite.first_element(HeaderName::kVia)) out.add(HeaderName::kVia, *via);
  out.copy(invite, HeaderName::kRoute);
  out.add(HeaderName::kMaxForwards, "70");
  out.copy(invite, HeaderName::kFrom);
  if (method == Method::kCancel) out.copy(invite, HeaderName::kTo);
  out.copy(invite, HeaderName::kCallId);
  const auto cseq = CSeq::parse(invite.get(HeaderName::kCSeq).value_or(""));
  if (cseq) out.add(HeaderName::kCSeq, CSeq::of(cseq->number, method).to_string());
  return out;
}

}  // namespace

void ClientSide::send(SendRequest&& input, Instant now) {
  assert(input.id && find(input.id) == nullptr);
  assert(input.request.method() != Method::kAck && input.request.method() != Method::kCancel);
  if (records_.count() >= turn_.limits.client_transactions) {
    turn_.out.put(RequestFailed{input.id, ClientFailure::kTransport});
    return;
  }
  const std::string branch = new_branch(turn_.rng);
  input.request.prepend(HeaderName::kVia, own_via(input.to, input.sent_by, branch));
  start(input.id, input.to, branch, input.request, now);
}

void ClientSide::send_stateless(SendStateless&& input) {
  input.message.prepend(HeaderName::kVia, own_via(input.to, input.sent_by, new_branch(turn_.rng)));
  turn_.out.put(Transmit{input.to, turn_.bytes_of(input.message)});
}

ClientSide::Record* ClientSide::find(ClientTransactionId id) {
  const auto slot = by_id_.find(spread(id));
  return slot ? &records_.at(*slot) : nullptr;
}

ClientSide::Record& ClientSide::start(ClientTransactionId id, const Flow& to, std::string_view branch,
                                      const Message& request, Instant now) {
  Record& record = records_.take();
  record.id = id;
  record.to = to;
  record.progress.machine = request.method() == Method::kInvite ? &kClientInvite : &kClientNonInvite;
  record.bytes = turn_.bytes_of(request);
  record.branch_hash = branch_hash(branch, request.method());
  by_id_.insert(spread(id), record.slot);
  by_branch_.insert(record.branch_hash, record.slot);
  link(record);
  turn_.out.put(Transmit{to, record.bytes});
  enter(record, record.progress.machine->initial, "§17.1: the request is sent", now);
  return record;
}

// The responses to a CANCEL bear the branch of its INVITE (§9.1).
std::uint64_t ClientSide::branch_hash(std::string_view branch, Method method) {
  turn_.scratch.assign(branch).append(method == Method::kCancel ? ";CANCEL" : "");
  return turn_.hash(turn_.scratch);
}

void ClientSide::response(MessageArrived&& input, Instant now) {
  const auto branch = response_branch(input.message);
  if (!branch) return;
  const Method method = input.message.method();
  const bool invite = method == Method::kInvite;
  const auto slot = by_branch_.find(branch_hash(*branch, method));
  if (!slot) {
    // Late answers are no news, but a 2xx has made a dialog that somebody must end (§13.2.2.4).
    if (invite && input.message.status() / 100 == 2) {
      turn_.out.put(StrayResponse{input.flow, std::move(input.message)});
    }
    return;
  }
  Record& record = records_.at(*slot);
  // §17.1.3: the method in CSeq tells a response to INVITE from one to another request of this branch.
  if (invite != (record.progress.machine == &kClientInvite)) return;
  const Event event = event_of(invite, input.message.status());
  step(record, event, &input.message, &input.flow, now);
}

void ClientSide::transport_failed(const Flow& flow, Instant now) {
  const auto head = by_peer_.find(Peer{flow.transport, flow.remote});
  if (head == by_peer_.end()) return;
  const Event event =
      is_stream(flow.transport) && flow.connection ? Event::kConnectionLost : Event::kTransportError;
  for (Record* record = head->second; record != nullptr;) {
    Record* next = record->next_of_flow;
    const bool other = record->to.connection && flow.connection && record->to.connection != flow.connection;
    if (!other) step(*record, event, nullptr, nullptr, now);
    record = next;
  }
}

void ClientSide::abandon(ClientTransactionId id, Instant now) {
  Record* record = find(id);
  if (record == nullptr) return;
  record->quiet = true;
  step(*record, Event::kAbandoned, nullptr, nullptr, now);
}

void ClientSide::cancel(CancelRequest&& input, Instant now) {
  Record* invite = find(input.invite);
  if (invite == nullptr || invite->progress.machine != &kClientInvite) return;
  if (invite->cancel_sent || invite->held_cancel) return;
  if (invite->progress.state == State::kCalling) {
    invite->held_cancel = std::make_unique<HeldCancel>(input.id, std::move(input.reason));
  } else if (invite->progress.state == State::kProceeding) {
    send_cancel(*invite, input.id, input.reason, now);
  }
}

void ClientSide::timer(TimerKey key, Instant now) {
  assert(records_.is_live(key.slot));
  step(records_.at(key.slot), key.fires, nullptr, nullptr, now);
}

void ClientSide::step(Record& record, Event event, Message* response, const Flow* flow, Instant now) {
  const Row& row = record.progress.machine->row(record.progress.state, event);
  if (has(row.act, Act::kStoreAck)) store_ack(record, *response);
  if (has(row.act, Act::kTransmit) && record.bytes) turn_.out.put(Transmit{record.to, record.bytes});
  if (has(row.act, Act::kForget)) record.bytes.reset();
  if (has(row.act, Act::kDouble | Act::kDoubleToT2 | Act::kEveryT2)) {
    repeat_again(turn_, record.progress, row.act, {record.slot, event, false}, now);
  }
  if (has(row.act, Act::kStopRepeating)) turn_.due.cancel_repeat(record.progress);
  if (has(row.act, Act::kRestartC) && !record.cancel_sent && response->status() > 100) {
    turn_.due.arm_end(record.progress, Span::kC, now + turn_.timers.c, {record.slot, Event::kTimerC, false});
  }
  report(record, row.act, response, flow);
  if (has(row.act, Act::kCancel) && !record.cancel_sent) {
    send_cancel(record, ClientTransactionId{kOwnIds + ++own_ids_}, {}, now);
  }
  if (row.next != record.progress.state) enter(record, row.next, row.why, now);
  if (record.progress.state == State::kTerminated) return erase(record);
  if (has(row.act, Act::kSendHeldCancel) && record.held_cancel) {
    const auto held = std::move(record.held_cancel);
    send_cancel(record, held->id, held->reason, now);
  }
}

void ClientSide::enter(Record& record, State state, std::string_view, Instant now) {
  const TimerKey key{record.slot, {}, false};
  if (!enter_state(turn_, record.progress, state, key, is_stream(record.to.transport), now)) {
    enter(record, State::kTerminated, "on a stream nothing comes twice", now);
  }
}

void ClientSide::report(Record& record, Act act, Message* response, const Flow* flow) {
  if (has(act, Act::kPassStray) || (has(act, Act::kPassUp) && record.quiet &&
                                    response->method() == Method::kInvite && response->status() / 100 == 2)) {
    turn_.out.put(StrayResponse{*flow, std::move(*response)});
    return;
  }
  if (record.quiet) return;
  if (has(act, Act::kPassUp)) turn_.out.put(ResponseReceived{record.id, *flow, std::move(*response)});
  if (has(act, Act::kReportTimeout)) turn_.out.put(RequestFailed{record.id, ClientFailure::kTimeout});
  if (has(act, Act::kReportTransport)) turn_.out.put(RequestFailed{record.id, ClientFailure::kTransport});
}

void ClientSide::send_cancel(Record& invite, ClientTransactionId id, std::string_view reason, Instant now) {
  const auto request = parse(*invite.bytes, kOwnMessage);
  if (!request) return;  // the TU made something that is no message: there is nothing to cancel it with
  invite.cancel_sent = true;
  // §9.1: if no final response comes within 64*T1 the INVITE counts as cancelled.
  turn_.due.arm_end(invite.progress, Span::k64T1, now + 64 * turn_.timers.t1,
                    {invite.slot, Event::kTimerC, false});
  Message cancel = companion_of(*request, Method::kCancel);
  if (!reason.empty()) cancel.add(HeaderName::kReason, reason);
  const auto via = Via::top(cancel);
  Record& record = start(id, invite.to, via ? via->branch() : "", cancel, now);
  record.quiet = id.value > kOwnIds;
}

void ClientSide::store_ack(Record& record, const Message& response) {
  const auto invite = parse(*record.bytes, kOwnMessage);
  record.bytes.reset();
  if (!invite) return;
  Message ack = companion_of(*invite, Method::kAck);
  ack.copy(response, HeaderName::kTo);
  record.bytes = turn_.bytes_of(ack);
}

void ClientSide::erase(Record& record) {
  unlink(record);
  turn_.due.cancel_repeat(record.progress);
  turn_.due.cancel_end(record.progress);
  by_branch_.erase(record.branch_hash);
  by_id_.erase(spread(record.id));
  records_.give_back(record);
}

std::size_t ClientSide::memory_bytes() const {
  constexpr std::size_t kNode = 2 * sizeof(void*);  // of a hash table: a link and the cached hash
  std::size_t sum = records_.memory_bytes() + by_id_.memory_bytes() + by_branch_.memory_bytes();
  sum += by_peer_.size() * (sizeof(std::pair<const Peer, Record*>) + kNode);
  records_.for_each([&](const Record& record) {
    if (record.bytes) sum += kBytesHead + record.bytes->capacity();
  });
  return sum;
}

void ClientSide::link(Record& record) {
  Record*& head = by_peer_[Peer{record.to.transport, record.to.remote}];
  record.next_of_flow = head;
  if (head != nullptr) head->previous_of_flow = &record;
  head = &record;
}

void ClientSide::unlink(Record& record) {
  if (record.next_of_flow != nullptr) record.next_of_flow->previous_of_flow = record.previous_of_flow;
  if (record.previous_of_flow != nullptr) {
    record.previous_of_flow->next_of_flow = record.next_of_flow;
    return;
  }
  const auto head = by_peer_.find(Peer{record.to.transport, record.to.remote});
  if (record.next_of_flow != nullptr) {
    head->second = record.next_of_flow;
  } else {
    by_peer_.erase(head);
  }
}

}  // namespace bw::sip::detail
