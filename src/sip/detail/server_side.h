// All server transactions: their records, how a request finds its own, and what the rows of their two
// machines mean. Owned by the TransactionLayer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sip/detail/hash_index.h"
#include "sip/detail/matching.h"
#include "sip/detail/slab.h"
#include "sip/detail/turn.h"

namespace bw::sip::detail {

class ServerSide {
 public:
  explicit ServerSide(Turn& turn) : turn_(turn) {}

  void request(MessageArrived&& input, Instant now);
  void send(SendResponse&& input, Instant now);
  void abandon(ServerTransactionId id);
  void ack_received(ServerTransactionId id);
  void timer(TimerKey key, Instant now);

  std::size_t count() const { return records_.count(); }
  std::size_t memory_bytes() const;

 private:
  struct Record : SlabEntry {
    Flow to;  // of its responses (§18.2.2)
    Progress progress;
    SharedBytes bytes;             // the last response
    std::string trying;            // until there is one: a 100, which may never be sent
    std::uint64_t key_hash = 0;    // in by_key_
    std::uint64_t merge_hash = 0;  // 0: not in merges_
    std::string to_tag;            // of our responses to an INVITE, for those to its CANCEL (§9.2)
    bool acknowledged = false;
    bool cancelled = false;

    // Never 0, and never again that of a later transaction in the same place.
    ServerTransactionId id() const { return {(std::uint64_t{generation} << 32U) | (slot + 1U)}; }
  };

  Record* find(ServerTransactionId id);
  void known(Record& record, MessageArrived& input, const RequestFacts& facts, Instant now);
  void first_seen(MessageArrived&& input, const RequestFacts& facts, std::uint64_t key_hash, Instant now);
  void cancel(MessageArrived&& input, const RequestFacts& facts, std::uint64_t key_hash, Instant now);
  bool merged(const RequestFacts& facts, std::uint64_t& hash);
  Record& start(const MessageArrived& input, const RequestFacts& facts, std::uint64_t key_hash, Instant now);
  void transmit(Record& record);
  void forget_trying(Record& record);
  void forget_merge(Record& record);
  void answer_statelessly(const MessageArrived& input, const Flow& to, int status, std::string_view reason);
  void step(Record& record, Event event, const Message* response, Instant now);
  void enter(Record& record, State state, std::string_view why, Instant now);
  void erase(Record& record);

  Turn& turn_;
  Slab<Record> records_;
  HashIndex by_key_;                // §17.2.3
  HashIndex merges_;                // §8.2.2.2
  std::vector<std::string> spare_;  // buffers for `trying`: most are never sent
};

}  // namespace bw::sip::detail
