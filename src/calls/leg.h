// One side of a call: an INVITE session with one phone (RFC 3261 §13-15), as caller's or callee's end.
//
// A Leg knows transactions, dialog, CANCEL and BYE, PRACK, UPDATE, session timer and glare; it knows nothing
// of the other leg. Session descriptions pass through it as text. Owned by Calls; lives on after its call let
// go of it until the last transaction is answered.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/rng.h"
#include "base/strong.h"
#include "base/timer_heap.h"
#include "calls/leg_event.h"
#include "sip/dialog.h"
#include "sip/rel100.h"
#include "sip/session_timer.h"
#include "sip/transaction.h"

namespace bw::calls {

// What a leg asks of the transaction layer. The ACK of a 2xx ends its retransmission (AckTaken).
struct AckTaken {
  sip::ServerTransactionId invite;
};
using Wire = std::variant<sip::SendRequest, sip::SendResponse, sip::SendStateless, sip::CancelRequest,
                          sip::AbandonClient, AckTaken>;

// Everything a leg may touch while it handles something. Lives on the caller's stack.
struct LegContext {
  std::deque<Wire>& wire;
  std::deque<LegEvent>& events;
  TimerHeap<LegTimer>& timers;
  Rng& rng;
  Instant now;
};

// How a new outgoing leg presents itself.
struct OutgoingInvite {
  sip::Flow flow;
  std::string target;                                            // Request-URI
  std::vector<std::string> routes;                               // Path of the registration
  std::string from;                                              // From value without tag
  std::string to;                                                // To value
  std::string contact;                                           // our Contact value
  std::vector<std::pair<sip::HeaderName, std::string>> headers;  // identity, Referred-By, …
  std::string offer;                                             // SDP
  unsigned max_forwards = 70;
};

class Leg {
 public:
  enum class State : std::uint8_t {
    kInvited,   // they called us; nothing final sent
    kAnswered,  // our 2xx is out, their ACK is not here
    kCalling,   // our INVITE is out
    kConfirmed,
    kCancelling,  // we sent CANCEL and wait for the final response
    kLeaving,     // our BYE is out
    kEnded,
  };

  // `contact`: our Contact value towards this peer.
  static Leg incoming(LegId id, sip::ServerTransactionId tx, const sip::Flow& flow, sip::Message invite,
                      std::string contact, LegContext& cx);
  static Leg outgoing(LegId id, OutgoingInvite wish, LegContext& cx);

  LegId id() const { return id_; }
  State state() const { return state_; }
  const sip::Flow& flow() const { return flow_; }
  bool is_incoming() const { return incoming_; }
  bool ringing() const { return ringing_; }
  bool finished() const { return state_ == State::kEnded && invite_server_.value == 0; }
  // Is there a session (answered, whether or not the ACK came)?
  bool up() const { return state_ == State::kConfirmed || state_ == State::kAnswered; }
  const std::string& local_tag() const { return local_tag_; }
  // For P-Asserted-Identity in what we send from now on: who the peer is connected to (RFC 3325).
  void set_identity(std::string name_addr) { identity_ = std::move(name_addr); }
  bool is_dialog(std::string_view call_id, std::string_view local_tag, std::string_view remote_tag) const;
  const std::string& call_id() const { return call_id_; }
  bool has_dialog() const { return dialog_.has_value(); }
  const std::string& peer_agent() const { return peer_agent_; }
  sip::ServerTransactionId invite_transaction() const { return invite_server_; }

  // ---- wishes of the call ----
  void ring(LegContext& cx);                            // 180
  void progress(std::string_view sdp, LegContext& cx);  // 183 with an early answer
  void answer(std::string_view sdp, LegContext& cx);    // 200; sdp is answer, or offer if they sent none
  void offer(std::string_view sdp, LegContext& cx, bool retry);  // re-INVITE; retry: after glare by ourselves
  void give_up_offer(LegContext& cx);  // no answer came in time; what is still under way changes nothing
  void answer_offer(int status, std::string_view sdp, LegContext& cx);
  // Ends it, whatever its state: final response, CANCEL, or BYE. `status` is for an unanswered caller.
  void hang_up(int status, std::string_view reason_header, LegContext& cx);
  void answer_refer(int status, LegContext& cx);
  void notify_refer(int status, bool final, LegContext& cx);
  void send_info(std::string_view content_type, std::string_view body, LegContext& cx);
  void probe(LegContext& cx);  // in-dialog OPTIONS: is the peer still there?
  void use_flow(const sip::Flow& flow) { flow_ = flow; }

  // ---- what happened ----
  void on_request(sip::ServerTransactionId tx, const sip::Flow& flow, sip::Message request, LegContext& cx);
  void on_cancel(const sip::Message& cancel, LegContext& cx);
  void on_response(sip::ClientTransactionId id, const sip::Message& response, LegContext& cx);
  void on_stray_answer(const sip::Message& response, LegContext& cx) { on_invite_answer(response, cx); }
  void on_failure(sip::ClientTransactionId id, sip::ClientFailure why, LegContext& cx);
  void on_ack_missing(sip::ServerTransactionId tx, LegContext& cx);
  void on_timer(LegTimer::Kind kind, LegContext& cx);

  // Which leg a client transaction or a To tag of ours belongs to; none if it is not ours.
  static LegId owner_of(sip::ClientTransactionId id) { return LegId{id.value >> kSequenceBits}; }
  static LegId owner_of_tag(std::string_view local_tag);

 private:
  static constexpr unsigned kSequenceBits = 32;       // never wraps: a request a microsecond for an hour
  static constexpr std::size_t kAgentBytes = 128;     // of a User-Agent, kept for the call record
  static constexpr std::size_t kMostProvisional = 2;  // that wait for a PRACK; the final answer tells all
  static constexpr std::size_t kMostInfos = 64;       // that wait for the answer to the one before them
  static constexpr std::size_t kMostDismissed = 8;
  static constexpr std::uint8_t kOfferTries = 5;  // of our own re-INVITE against glare
  static constexpr std::string_view kAllow =
      "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY";
  static constexpr std::string_view kSupported = "100rel, replaces";
  static constexpr std::string_view kSdpType = "application/sdp";
  struct Pending {  // a request of ours that waits for its final response
    sip::ClientTransactionId id;
    sip::Method method;
  };

  Leg() = default;
  void enter(State next, std::string_view why);
  sip::ClientTransactionId send(sip::Message request, LegContext& cx);
  void respond(sip::ServerTransactionId tx, sip::Message response, LegContext& cx);
  void respond(sip::ServerTransactionId tx, const sip::Message& request, int status, LegContext& cx);
  void respond_provisional(int status, std::string_view sdp, LegContext& cx);
  void leave(std::string_view reason_header, LegContext& cx);
  void gone(LegEvent::Gone what, LegContext& cx);
  void close(std::string_view why, LegContext& cx);
  void send_waiting_info(LegContext& cx);
  void retry_offer_later(LegContext& cx);
  void send_waiting_offer(LegContext& cx);
  void repeat_provisional(LegContext& cx);
  void note_peer(const sip::Message& message);
  void arm_session(LegContext& cx);
  void on_session_timer(LegContext& cx);
  void refresh_session(LegContext& cx);
  bool refuse_small_session(sip::ServerTransactionId tx, const sip::Message& request, LegContext& cx);
  void acknowledge_provisional(const sip::Message& response, LegContext& cx);
  bool ask_for_longer_session(const sip::Message& response, LegContext& cx);
  sip::Method take_pending(sip::ClientTransactionId id);
  void remember_ack(sip::Message ack, LegContext& cx);
  void dismiss_extra_answer(const sip::Message& response, LegContext& cx);

  void on_ack(const sip::Message& ack, LegContext& cx);
  void on_bye(sip::ServerTransactionId tx, const sip::Message& request, LegContext& cx);
  void on_reinvite(sip::ServerTransactionId tx, sip::Message request, LegContext& cx);
  void on_update(sip::ServerTransactionId tx, sip::Message request, LegContext& cx);
  void on_prack(sip::ServerTransactionId tx, const sip::Message& request, LegContext& cx);
  void on_refer(sip::ServerTransactionId tx, sip::Message request, LegContext& cx);
  bool refuse_offer_in_glare(sip::ServerTransactionId tx, const sip::Message& request, LegContext& cx);
  void on_invite_response(const sip::Message& response, LegContext& cx);
  void on_invite_provisional(const sip::Message& response, LegContext& cx);
  void on_invite_answer(const sip::Message& response, LegContext& cx);
  void on_invite_refusal(const sip::Message& response, LegContext& cx);
  void on_offer_response(sip::ClientTransactionId id, const sip::Message& response, LegContext& cx);
  void on_dialog_lost(int status, LegContext& cx);

  LegId id_;
  State state_ = State::kInvited;
  bool incoming_ = false;
  bool ringing_ = false;
  bool released_ = false;               // hang_up() was called: no more events
  std::vector<std::string> dismissed_;  // remote tags of second answers that were told goodbye
  bool bye_when_acked_ = false;
  std::string bye_reason_;
  bool refer_active_ = false;
  sip::Flow flow_;
  std::string call_id_, local_tag_, peer_agent_, contact_, identity_;
  std::optional<sip::Dialog> dialog_;

  // The INVITE (or re-INVITE, or UPDATE) in progress, either way. RFC 3261 §14: one at a time.
  sip::ServerTransactionId invite_server_;  // theirs, unanswered or 2xx without ACK
  sip::ServerTransactionId update_server_;
  std::optional<sip::Message> invite_;       // the request itself, ours or theirs, while needed
  std::optional<sip::Message> sent_invite_;  // ours without its body, to tell a second answer goodbye
  sip::ServerTransactionId refer_server_;
  std::optional<sip::Message> refer_;
  sip::ClientTransactionId invite_client_;   // ours, without final response
  sip::ClientTransactionId offer_client_;    // our re-INVITE in flight
  sip::ClientTransactionId offer_done_;      // our last re-INVITE that was answered 2xx
  sip::ClientTransactionId refresh_client_;  // our session refresh in flight
  std::uint32_t invite_cseq_ = 0;
  std::optional<sip::Message> ack_;  // kept to repeat it for a repeated 2xx
  std::string waiting_offer_;        // to be sent when the dialog is free (with own retry after glare)
  bool retry_offer_ = false;
  std::uint8_t offer_tries_ = 0;
  std::string offer_in_flight_;
  bool offer_given_up_ = false;
  bool offer_heard_ = false;  // a provisional response to it came: somebody is there

  struct Info {
    std::string content_type, body;
  };
  sip::ClientTransactionId info_client_;  // our INFO in flight
  std::deque<Info> waiting_info_;

  std::vector<Pending> pending_;
  std::uint64_t next_sequence_ = 1;

  sip::ReliableProvisional reliable_;  // RFC 3262, as UAS
  sip::ProvisionalOrder order_;        // as UAC
  bool early_answer_waits_ = false;    // for PRACK, before the 2xx may go out
  std::deque<std::pair<int, std::string>> waiting_provisional_;
  std::string waiting_answer_;  // until an early answer is acknowledged by PRACK
  sip::SessionTimer session_;
  Instant session_dies_at_;
  std::string last_sdp_;       // of ours; a session refresh by re-INVITE repeats it
  bool peer_updates_ = false;  // its Allow names UPDATE
  TimerHandle provisional_timer_, session_timer_, retry_timer_, cancel_timer_;
};

std::string_view name_of(Leg::State state);

}  // namespace bw::calls
