// The transaction layer (RFC 3261 §17 with RFC 6026 and RFC 4320): retransmissions, matching, timers.
// A Core: every transaction of the process in one object, owned by the exchange.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/core.h"
#include "base/rng.h"
#include "sip/flow.h"
#include "sip/message.h"

namespace bw::sip {

// Given out by the layer for a received request; by the caller for a sent one (any unique non-zero number).
using ServerTransactionId = StrongId<struct ServerTransactionTag>;
using ClientTransactionId = StrongId<struct ClientTransactionTag>;

struct TransactionTimers {  // RFC 3261 table 4
  Duration t1 = 500ms;
  Duration t2 = 4s;
  Duration t4 = 5s;
  Duration d = 32s;   // wait in Completed of an INVITE client over UDP
  Duration c = 180s;  // INVITE client in Proceeding without a final response (§16.6 step 11)
};

struct TransactionLimits {
  std::size_t server_transactions = 200'000;  // beyond: new requests are answered 503 statelessly
  std::size_t client_transactions = 200'000;
};

// ---- in ----
struct MessageArrived {  // parsed by the caller, which also answers what cannot be parsed
  Flow flow;
  Message message;
};
struct SendRequest {  // not for ACK to a 2xx: that one is SendStateless
  ClientTransactionId id;
  Flow to;
  Message request;  // without Via: the layer adds its own (sent-by from `to.local` unless `sent_by` is set)
  std::string sent_by;  // "host:port" to put into Via; empty: `to.local`
};
struct SendResponse {
  ServerTransactionId id;
  Message response;
};
struct SendStateless {  // ACK to a 2xx and its retransmissions (the TU keeps them); Via is added
  Flow to;
  Message message;
  std::string sent_by;
};
struct TransportFailed {  // from io: could not be sent or connection lost
  Flow flow;
};
// The TU lost interest: no more retransmissions, no more reports (never sends CANCEL). A final response to an
// INVITE is still acknowledged here; a 2xx to it comes as StrayResponse.
struct AbandonClient {
  ClientTransactionId id;
};
// The TU will never answer: forgotten without a word (a sender that is locked out). What comes again is new.
struct AbandonServer {
  ServerTransactionId id;
};
// RFC 3261 §9.1: held back until a provisional response came; same branch, own id. If a final response to the
// INVITE comes first, no CANCEL is sent and nothing is ever reported for `id`. After 64*T1 without a final
// response the INVITE has failed (kTimeout).
struct CancelRequest {
  ClientTransactionId invite;
  ClientTransactionId id;
  std::string reason;  // value of a Reason header (RFC 3326), may be empty
};

// ---- out ----
// Bytes to put on the wire. Shared so that retransmissions and stored responses cost no copy.
struct Transmit {
  Flow to;
  std::shared_ptr<const std::string> bytes;
};
// A new request (never a retransmission, never an ACK to a non-2xx). received/rport are already in its top
// Via.
struct RequestReceived {
  ServerTransactionId id;  // none for an ACK to a 2xx
  Flow flow;
  Message request;
};
// RFC 3261 §9.2: the CANCEL itself was answered 200 by the layer; the TU answers the INVITE with 487.
struct CancelReceived {
  ServerTransactionId invite;
  Message cancel;
};
struct ResponseReceived {
  ClientTransactionId id;
  Flow flow;
  Message response;  // 2xx to INVITE: each one, also retransmitted and forked (RFC 6026), for the TU to ACK
};
// An INVITE 2xx that matches no transaction any more, so the TU can ACK and BYE it (RFC 3261 §13.2.2.4).
struct StrayResponse {
  Flow flow;
  Message response;
};
enum class ClientFailure : std::uint8_t { kTimeout, kTransport };
struct RequestFailed {  // timer B, F or C, or transport: as if 408 or 503 had come
  ClientTransactionId id;
  ClientFailure why;
};
struct AckMissing {  // 64*T1 after a 2xx no ACK came (RFC 3261 §13.3.1.4): the TU sends BYE
  ServerTransactionId id;
};

class TransactionLayer {
 public:
  using Input = std::variant<Tick, MessageArrived, SendRequest, SendResponse, SendStateless, TransportFailed,
                             AbandonClient, AbandonServer, CancelRequest>;
  using Output = std::variant<Transmit, RequestReceived, CancelReceived, ResponseReceived, StrayResponse,
                              RequestFailed, AckMissing>;

  explicit TransactionLayer(Rng& rng, TransactionTimers timers = {}, TransactionLimits limits = {});
  ~TransactionLayer();

  void handle(const Input& input, Instant now);
  void handle(Input&& input, Instant now);  // the hot path: messages are moved, not copied
  std::optional<Output> poll();
  Deadline deadline() const;

  // The layer retransmits a 2xx to INVITE itself over T1..T2 until the TU says the ACK came (RFC 6026 leaves
  // this to the TU; here it is one place, on every transport as §13.3.1.4 demands).
  void ack_received(ServerTransactionId invite);

  std::size_t server_count() const;
  std::size_t client_count() const;
  std::size_t memory_bytes() const;  // what the transactions hold on the heap; walks over all of them

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

static_assert(Core<TransactionLayer>);

}  // namespace bw::sip
