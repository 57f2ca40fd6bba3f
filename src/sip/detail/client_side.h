// All client transactions: their records, how a response finds its own, and what the rows of their two
// machines mean. Owned by the TransactionLayer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "sip/detail/hash_index.h"
#include "sip/detail/slab.h"
#include "sip/detail/turn.h"

namespace bw::sip::detail {

class ClientSide {
 public:
  explicit ClientSide(Turn& turn) : turn_(turn) {}

  void send(SendRequest&& input, Instant now);
  void send_stateless(SendStateless&& input);
  void response(MessageArrived&& input, Instant now);
  void transport_failed(const Flow& flow, Instant now);
  void abandon(ClientTransactionId id, Instant now);
  void cancel(CancelRequest&& input, Instant now);
  void timer(TimerKey key, Instant now);

  std::size_t count() const { return records_.count(); }
  std::size_t memory_bytes() const;

 private:
  struct HeldCancel {
    ClientTransactionId id;
    std::string reason;
  };
  struct Record : SlabEntry {
    ClientTransactionId id;
    Flow to;
    Progress progress;
    SharedBytes bytes;              // the request; in Completed of an INVITE the ACK; otherwise nothing
    std::uint64_t branch_hash = 0;  // in by_branch_
    std::unique_ptr<HeldCancel> held_cancel;
    Record* previous_of_flow = nullptr;
    Record* next_of_flow = nullptr;
    bool quiet = false;        // nobody wants to hear of it
    bool cancel_sent = false;  // then timer C is the wait of §9.1 and provisional responses do not extend it
  };
  // A peer as transport errors name it; the connection is compared afterwards.
  struct Peer {
    Transport transport = Transport::kUdp;
    Endpoint remote;
    friend bool operator==(const Peer&, const Peer&) = default;
  };
  struct PeerHash {
    std::size_t operator()(const Peer& peer) const {
      return std::hash<Endpoint>{}(peer.remote) * 8 + static_cast<std::size_t>(peer.transport);
    }
  };

  Record* find(ClientTransactionId id);
  Record& start(ClientTransactionId id, const Flow& to, std::string_view branch, const Message& request,
                Instant now);
  std::uint64_t branch_hash(std::string_view branch, Method method);
  void step(Record& record, Event event, Message* response, const Flow* flow, Instant now);
  void enter(Record& record, State state, std::string_view why, Instant now);
  void report(Record& record, Act act, Message* response, const Flow* flow);
  void send_cancel(Record& invite, ClientTransactionId id, std::string_view reason, Instant now);
  void store_ack(Record& record, const Message& response);
  void erase(Record& record);
  void link(Record& record);
  void unlink(Record& record);

  Turn& turn_;
  Slab<Record> records_;
  HashIndex by_id_;
  HashIndex by_branch_;
  std::unordered_map<Peer, Record*, PeerHash> by_peer_;  // head of the list of its transactions
  std::uint64_t own_ids_ = 0;                            // of transactions no TU asked for
};

}  // namespace bw::sip::detail
