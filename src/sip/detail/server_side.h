// All server transactions: their records, how a request finds its own, and what the rows of their two
// machines mean. Owned by the TransactionLayer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "sip/detail/matching.h"
#include "sip/detail/turn.h"

namespace bw::sip::detail {

class ServerSide {
 public:
  explicit ServerSide(Turn& turn) : turn_(turn), by_key_(0, turn.hash) {}

  void request(MessageArrived&& input, Instant now);
  void send(SendResponse&& input, Instant now);
  void ack_received(ServerTransactionId id);
  void timer(TimerKey key, Instant now);

  std::size_t count() const { return records_.size(); }
  std::size_t memory_bytes() const;

 private:
  struct Record {
    ServerTransactionId id;
    Flow to;  // of its responses (§18.2.2)
    Progress progress;
    SharedBytes bytes;                 // the last response, at first a 100 that may never be sent
    const std::string* key = nullptr;  // in by_key_
    std::uint64_t merge_hash = 0;      // 0: not in merges_
    std::string to_tag;                // of our responses to an INVITE, for those to its CANCEL (§9.2)
    bool acknowledged = false;
    bool cancelled = false;
  };

  void known(Record& record, MessageArrived& input, const RequestFacts& facts, Instant now);
  void first_seen(MessageArrived&& input, const RequestFacts& facts, Instant now);
  void cancel(MessageArrived&& input, const RequestFacts& facts, Instant now);
  bool merged(const RequestFacts& facts, std::uint64_t& hash);
  Record& start(const MessageArrived& input, const RequestFacts& facts, Instant now);
  void answer_statelessly(const MessageArrived& input, const Flow& to, int status, std::string_view reason);
  void step(Record& record, Event event, const Message* response, Instant now);
  void enter(Record& record, State state, std::string_view why, Instant now);
  void erase(Record& record);

  Turn& turn_;
  std::unordered_map<ServerTransactionId, Record> records_;
  std::unordered_map<std::string, ServerTransactionId, KeyedHash, std::equal_to<>> by_key_;
  // §8.2.2.2 by hash: 64 bits under a secret key, so that two of them meet by neither chance nor design.
  std::unordered_map<std::uint64_t, ServerTransactionId> merges_;
  std::uint64_t last_id_ = 0;
};

}  // namespace bw::sip::detail
