// What happens, as values: the closed set of event types (docs/events.md). One struct per type, its members
// are the fields of `data` under the same names. A new type does not compile until it is described
// (events/description.h) and serialised.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/secret.h"
#include "base/strong.h"
#include "base/time.h"
#include "model/call_record.h"

namespace bw::events {

using EventId = StrongString<struct EventIdTag>;  // UUIDv7 text

struct CallStarted {
  model::CallId call_id;
  std::string from_extension;  // empty: from outside
  std::string to_extension;    // empty: to outside, a service, or a number nobody has
  Personal<std::string> from_number;
  Personal<std::string> to_number;
  std::string direction;  // "internal", "inbound", "outbound"
  Personal<std::string> caller_name;
};
struct CallRinging {  // one phone of an extension rings (180, or 183)
  model::CallId call_id;
  std::string extension;
  std::string device;  // its User-Agent
};
struct CallAnswered {
  model::CallId call_id;
  std::string from_extension;
  std::string to_extension;
  std::string extension;  // who answered
  std::string device;
  double ring_seconds = 0;
};
struct LegQuality {
  std::string party;
  double mos = 0;   // 0: unknown
  double loss = 0;  // percent
  double jitter_ms = 0;
};
struct CallEnded {
  model::CallId call_id;
  std::string from_extension;
  std::string to_extension;
  std::uint32_t duration = 0;  // whole seconds from start to end
  std::uint32_t billsec = 0;   // whole seconds from answer to end
  model::Disposition disposition = model::Disposition::kFailed;
  std::string hangup_by;
  int cause_code = 0;
  std::string reason;
  std::string recording;  // empty: none
  std::vector<LegQuality> quality;
};
struct CallHold {
  model::CallId call_id;
  std::string extension;  // who put the other side on hold
};
struct CallResume {
  model::CallId call_id;
  std::string extension;
};
struct CallTransfer {
  model::CallId call_id;
  std::string from_extension;  // the transferor
  std::string to_extension;    // the target
  std::string kind;            // "blind", "attended"
  std::string result;          // "completed", "failed"
};
struct CallDtmf {  // only where events of digits are switched on
  model::CallId call_id;
  std::string extension;
  std::string digit;
};
struct ExtensionRegistered {  // a phone that was not registered before; refreshes tell nothing
  std::string extension;
  std::string ip_address;
  std::uint16_t port = 0;
  std::string user_agent;
  std::string transport;  // "udp", "tcp", "tls", "ws", "wss", "browser"
  std::string reason;
};
struct ExtensionUnregistered {
  std::string extension;
  std::string ip_address;
  std::uint16_t port = 0;
  std::string user_agent;
  std::string transport;
  std::string reason;
};
struct PresenceChanged {
  std::string extension;
  std::string status;  // "available", "ringing", "in_call", "away", "dnd", "offline"
  std::string custom_message;
};
struct SecurityLockout {
  std::string subject_kind;  // "address", "extension"
  std::string subject;
  std::uint32_t attempts = 0;
  std::uint32_t seconds = 0;  // how long it is locked out
};

using Event =
    std::variant<CallStarted, CallRinging, CallAnswered, CallEnded, CallHold, CallResume, CallTransfer,
                 CallDtmf, ExtensionRegistered, ExtensionUnregistered, PresenceChanged, SecurityLockout>;

// An entry of the journal on its way to the database, which gives it its number.
struct Entry {
  EventId id;
  Instant at;
  std::uint32_t call_seq = 0;  // from 1 within a call; 0: not of a call
  Event event;
};

}  // namespace bw::events
