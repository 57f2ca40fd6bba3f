// One call as a phone sees it. Plain state; Phone does the work.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "sip/dialog.h"
#include "sip/flow.h"
#include "sip/message.h"
#include "sip/transaction.h"
#include "testkit/phone_sdp.h"

namespace bw::testkit {

enum class LineState : std::uint8_t {
  kDialing,     // INVITE sent
  kProceeding,  // 180 or 183 came
  kRinging,     // INVITE came, no final answer yet
  kAnswered,    // 200 sent, no ACK yet
  kUp,
  kCancelling,  // CANCEL sent, waits for the end of the INVITE
  kEnding,      // BYE sent
  kEnded,
};
std::string_view name_of(LineState s);

struct Heard {
  Instant last;
  std::uint64_t packets = 0;
};

struct Line {
  std::uint32_t id = 0;
  bool outgoing = false;
  LineState state = LineState::kDialing;
  std::string peer;  // number dialled, or user part of From
  sip::Flow flow;

  sip::Message invite = sip::Message::request(sip::Method::kInvite, "sip:nobody@invalid");
  sip::ClientTransactionId client;  // of our INVITE
  sip::ServerTransactionId server;  // of theirs
  std::string local_tag;
  std::optional<sip::Dialog> dialog;
  std::map<std::string, sip::Dialog> early;  // outgoing: by remote tag
  std::map<std::string, sip::Message> acks;  // by "tag cseq": sent again when a 2xx comes again
  bool bye_when_acked = false;

  PhoneSdp local;
  std::optional<PhoneSdp> remote;
  bool offer_in_ack_awaited = false;  // we offered in a 2xx: the answer comes in the ACK
  bool held_by_me = false;
  sip::ClientTransactionId change;  // our re-INVITE or UPDATE that is on the way
  sip::ServerTransactionId theirs;  // their re-INVITE whose 2xx waits for an ACK
  std::uint32_t glares = 0;

  std::uint32_t rseq = 0;  // of our reliable provisional response
  bool prack_awaited = false;
  std::uint32_t seen_rseq = 0;  // highest RSeq that we acknowledged
  std::uint32_t pracks = 0;     // sent or received

  std::uint32_t session_s = 0;  // RFC 4028; 0: none
  bool refresher = false;
  std::uint32_t session_round = 0;
  std::uint32_t refreshes = 0;  // sent or received

  std::optional<int> transfer_status;  // last sipfrag that came for our REFER
  std::uint32_t referred_by = 0;       // line whose REFER made this one
  bool referred_report = false;        // a NOTIFY is still owed for it

  std::map<std::uint32_t, Heard> heard;  // by tone
  std::string digits;                    // RFC 4733 and INFO, as heard
  std::optional<std::uint32_t> digit_timestamp;
  std::uint16_t rtp_sequence = 0;
  std::uint32_t rtp_timestamp = 0;

  int ended_status = 0;      // 200 after BYE, else the final response; 408 for silence
  std::string ended_reason;  // Reason header, whole
  bool ended_by_peer = false;

  bool is_over() const { return state == LineState::kEnded; }
};

}  // namespace bw::testkit
