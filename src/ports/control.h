// What people and programs ask of the running system through the API, and the answers. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/secret.h"
#include "base/strong.h"
#include "base/time.h"
#include "model/binding.h"
#include "model/call_record.h"
#include "ports/browser.h"

namespace bw::ports {

using RequestId = StrongId<struct RequestTag>;

struct GetStatus {};
struct ListPhones {  // of one extension, or all if empty
  std::string extension;
};
struct ListCalls {};
struct StartCall {  // click to dial: rings `from`, then connects it to `to`
  std::string from;
  std::string to;
};
struct HangUpCall {
  model::CallId call;
};
struct ShowCall {  // answered by Calls with this one, legs that left it included
  model::CallId call;
};
// What the phone of `extension` could ask for itself in a call it is in. Done means: asked of the phones.
struct TransferCall {  // blind: its other side goes to `to`
  model::CallId call;
  std::string extension;
  std::string to;
};
struct JoinCalls {  // attended: the other sides of its two calls talk to each other, in `call`
  model::CallId call;
  std::string extension;
  model::CallId with;
};
struct HoldCall {
  model::CallId call;
  std::string extension;
};
struct ResumeCall {
  model::CallId call;
  std::string extension;
};
// What people say of themselves; the rest of a status is derived from phones and calls.
enum class OwnStatus : std::uint8_t { kAvailable, kAway, kDoNotDisturb };
struct ListPresence {  // of one extension, or all if empty
  std::string extension;
};
struct SetPresence {  // kept until the server ends; kDoNotDisturb refuses calls
  std::string extension;
  OwnStatus status = OwnStatus::kAvailable;
  std::string custom_message;  // at most 200 bytes of UTF-8
};
struct ListLockouts {};  // of phones; those of logins are kept by who judges them
struct LiftLockout {
  std::string subject;  // as listed, or an address within one
};
using Request =
    std::variant<GetStatus, ListPhones, ListCalls, StartCall, HangUpCall, ShowCall, TransferCall, JoinCalls,
                 HoldCall, ResumeCall, ListPresence, SetPresence, ListLockouts, LiftLockout, AskBrowser>;

struct Status {
  std::size_t registered_extensions = 0;
  std::size_t registered_contacts = 0;
  std::size_t active_calls = 0;
  std::uint64_t total_calls = 0;
  std::size_t transactions = 0;
  Instant since;  // start of the server
};
using model::LegQuality;
struct LegView {
  std::string party;
  std::string device;  // User-Agent
  std::string state;   // "trying", "ringing", "up", "held", "ended"
  std::string codec;
  bool secured = false;
  std::optional<LegQuality> quality;     // of what came from it so far; known some seconds after the first
  std::optional<LegQuality> heard = {};  // of what came to it, as a browser measured it last
  std::optional<std::uint64_t> packets_refused = {};  // a stranger's; none: not known, or it has left
};
struct CallView {
  model::CallId id;
  std::string state;  // "ringing", "up", "held"
  std::string from;
  std::string to;
  Instant started;
  std::optional<Instant> answered;
  std::vector<LegView> legs;
};
struct Phones {
  std::vector<model::Binding> bindings;
};
struct Calls {
  std::vector<CallView> calls;
};
struct PresenceView {
  std::string extension;
  Personal<std::string> name;
  std::string status;  // "available", "ringing", "in_call", "away", "dnd", "offline"
  std::string custom_message;
  bool in_call = false;
  std::optional<Instant> last_activity;  // none since the start of the server
};
struct Presences {
  std::vector<PresenceView> people;  // by number
};
struct LockoutView {
  std::string kind;     // "address", "extension"
  std::string subject;  // the address (an IPv6 one as its /64), or the user name that was tried
  std::uint32_t attempts = 0;
  Instant until;
};
struct Lockouts {
  std::vector<LockoutView> lockouts;
};
struct CallStarted {
  model::CallId call;
};
struct Done {};
struct Refused {
  int status = 400;  // HTTP
  std::string code;  // one word: "not_found", "busy", …
  std::string sentence;
};
using Reply =
    std::variant<Status, Phones, Calls, Presences, Lockouts, CallStarted, Done, Refused, BrowserReply>;

// The answer to AskBrowser, if it is of that kind.
template <typename T>
const T* browser_reply(const Reply& reply) {
  const auto* answer = std::get_if<BrowserReply>(&reply);
  return answer == nullptr ? nullptr : std::get_if<T>(answer);
}

struct Answered {
  RequestId id;
  Reply reply;
};

// For the log: what an operator wants to know, without secrets; persons masked.
struct Note {
  enum class Level : std::uint8_t { kDebug, kInfo, kWarning };
  Level level = Level::kInfo;
  std::string text;
};

}  // namespace bw::ports
