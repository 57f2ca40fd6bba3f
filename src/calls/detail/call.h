// A call and its members as plain data. What happens to them is in the Engine.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/pace.h"
#include "base/timer_heap.h"
#include "calls/leg.h"
#include "calls/route.h"
#include "model/call_record.h"
#include "ports/media.h"
#include "sdp/offer_answer.h"
#include "webrtc/peer_description.h"

namespace bw::calls {

using CallKey = StrongId<struct CallKeyTag>;

// A browser that speaks SIP itself (RFC 7118): its media connection lives and ends with its leg.
struct BrowserSide {
  media::SessionId session;
  webrtc::IceCredentials own;
  webrtc::PeerDescription peer{};
  // Of an offer inside the call that has no answer yet: a refused one changes nothing (RFC 3261 §14.1).
  struct Offered {
    webrtc::PeerDescription peer;
    webrtc::PeerDescription::Change change = webrtc::PeerDescription::Change::kNone;
  };
  std::optional<Offered> offered{};
};

// A leg together with what its call knows of it. Outlives the call while its last transaction is open.
struct Member {
  // What it is for its extension. kAsked: our INVITE is out and nothing rings yet; a caller talks from the
  // start.
  enum class Engagement : std::uint8_t { kNone, kAsked, kRinging, kTalking };
  Leg leg;
  CallKey call;           // none once the call let go of it
  std::string extension;  // whose phone it is
  sdp::OfferAnswer media;
  media::PortPair port;
  media::MediaLegId media_leg{};      // none once closed
  sip::ServerTransactionId invite{};  // under which Engine::by_invite_ knows it
  bool holds = false;                 // it put the other side on hold
  bool held_for_it = false;           // by an operator, who has not resumed the call yet
  bool cut = false;                   // its connection ended; it may come back on another one
  bool probing = false;               // media fell silent and the phone was asked whether it is still there
  bool presses_by_info = false;       // its keys come as SIP INFO
  // Of its keys that are told. The shortest that machines hear is 40 ms (Q.24); 64 is what a page may say at
  // once.
  Pace keys{40ms, 64};
  Duration silent_for{0};
  std::string negotiated_codec{};
  std::string device{};  // User-Agent of its registration, for a phone that does not name itself in the call
  std::optional<BrowserSide> browser{};
  std::string media_over{};  // its browser ended the connection, and has not said yet why
  Engagement engagement = Engagement::kNone;
  std::optional<media::Quality> figures{};   // of its media leg, as the media loop said last
  std::optional<model::LegQuality> heard{};  // of what came to a browser, as it said last
  model::LegQuality heard_sum{};             // of all it said
  unsigned heard_count = 0;
};

// Phones that ring for somebody. One at a time in a call.
struct Dialling {
  enum class Purpose : std::uint8_t {
    kFirst,     // for the caller, who waits for an answer
    kClick,     // click to dial: the first phone, for nobody yet
    kTransfer,  // for the party that stays, on the wish of the transferor
  };
  Purpose purpose = Purpose::kFirst;
  LegId origin;                      // who hears the ringing: caller or transferred party; none for kClick
  LegId transferor;                  // who asked and still waits for word; none if gone
  std::string transferor_extension;  // rings back if the transfer fails and nobody is left to talk to
  std::string referred_by;
  std::string target;    // whose phones ring
  std::string instance;  // the one phone of `wanted` that was asked for (GRUU); empty: all
  std::string wanted;    // what the transferor asked for, before any forward
  std::vector<std::string> visited;
  std::vector<LegId> legs;
  std::optional<LegId> early;  // whose early media the origin hears
  Duration ring_for{0};
  bool attended = false;  // a transfer to somebody the transferor consulted
  bool sounds = false;    // the origin hears us ring
  bool recall = false;    // the transferor itself is being rung back
  int best_status = 0;    // RFC 3261 §16.7 step 6, of those who refused so far
  std::string best_sentence;
};

// An offer that one side waits for the other to answer.
struct Negotiation {
  LegId asked{};
  LegId asker{};     // waits for the answer; none: we asked (transfer)
  LegId then_ask{};  // afterwards offer to this one as well
  LegId holder{};    // an operator holds the call for this one
  LegId resumer{};   // an operator resumes it for this one
};

// How a call ends.
struct Ending {
  model::Disposition disposition = model::Disposition::kFailed;
  std::string by = "system";
  int status = 0;  // SIP status for an unanswered caller and cause of the record
  std::string sentence;
  std::string reason_header;
};

struct MediaOwner {
  LegId leg;
  CallKey call;
  std::optional<std::size_t> record_index;  // where in the call record the figures belong
};

struct CallTimer {
  enum class Kind : std::uint8_t { kRing, kDuration, kClosing, kNegotiation, kFarewell };
  CallKey call;
  Kind kind = Kind::kRing;
};

struct Call {
  enum class State : std::uint8_t { kDialling, kUp, kEnding };
  CallKey key;
  State state = State::kDialling;
  model::CallRecord record;
  LegId first;                 // the caller; after a transfer the one who stayed
  LegId second;                // whom it talks to; none while nobody answered, or an echo
  std::string click_to;        // click to dial: whom the first phone wants to reach
  std::vector<LegId> members;  // every leg not yet let go of
  std::optional<Dialling> dialling;
  std::optional<Negotiation> negotiation;
  bool echo = false;
  std::uint32_t told = 0;  // events so far
  bool anonymous = false;  // the caller asked not to be shown
  unsigned max_forwards = 70;
  std::size_t media_open = 0;  // media legs whose figures are still to come
  media::LoopIndex loop = 0;
  TimerHandle ring_timer, duration_timer, closing_timer, negotiation_timer, farewell_timer;
};

}  // namespace bw::calls
