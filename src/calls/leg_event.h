// What a leg tells its call. Session descriptions are text here; the call gives them their meaning.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "base/strong.h"

namespace bw::calls {

using LegId = StrongId<struct LegTag>;

struct LegTimer {
  enum class Kind : std::uint8_t { kProvisional, kSession, kRetryOffer, kCancel };
  LegId leg;
  Kind kind = Kind::kProvisional;
};

struct LegEvent {
  struct Progressed {  // 18x to our INVITE; an early answer if sdp is not empty
    int status = 180;
    std::string sdp;
  };
  struct Accepted {  // 2xx to our INVITE; the ACK is already sent
    std::string sdp;
  };
  struct Refused {  // final failure of our INVITE
    int status = 480;
    std::string sentence;          // empty if the status says it all
    std::string reason_header;     // as the peer sent it
    std::string redirect;          // Contact of a 3xx
    bool answered_by_peer = true;  // false: time-out or transport
  };
  struct Cancelled {  // their CANCEL; 487 is already sent
    std::string reason_header;
  };
  struct Confirmed {  // their ACK to our 2xx; sdp if it answers our offer
    std::string sdp;
  };
  struct Offered {  // re-INVITE or UPDATE: the call must answer_offer(); empty sdp: they want an offer
    std::string sdp;
  };
  struct OfferAnswered {  // to our offer()
    int status = 200;
    std::string sdp;
  };
  struct ReferAsked {  // the call must answer_refer()
    std::string refer_to;
  };
  struct InfoReceived {
    std::string content_type;
    std::string body;
  };
  struct ProbeAnswered {};
  struct Gone {  // the session is over, by their BYE or by a failure
    bool by_peer = true;
    int status = 0;
    std::string sentence;  // empty for a plain BYE
    std::string reason_header;
  };

  using What = std::variant<Progressed, Accepted, Refused, Cancelled, Confirmed, Offered, OfferAnswered,
                            ReferAsked, InfoReceived, ProbeAnswered, Gone>;
  LegId leg;
  What what;
};

}  // namespace bw::calls
