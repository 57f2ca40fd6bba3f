// The table of event types. A type of the variant Event that stands not here, or a member of it that is not
// listed, does not compile (description.cc).
#pragma once

#include <string_view>
#include <tuple>
#include <vector>

#include "events/event.h"

namespace bw::events::detail {

template <typename Struct, typename Member>
struct Entry {
  std::string_view name;
  Member Struct::* member;
  std::string_view about;
};
template <typename Struct, typename Member>
Entry(std::string_view, Member Struct::*, std::string_view) -> Entry<Struct, Member>;

// kType, kAbout, kFields, and concerned(): whose business it is.
template <typename T>
struct Table;

using Extensions = std::vector<std::string_view>;

template <>
struct Table<CallStarted> {
  using T = CallStarted;
  static constexpr std::string_view kType = "call.started";
  static constexpr std::string_view kAbout = "A call begins. Exactly one for each call.";
  static constexpr auto kFields = std::tuple{
      Entry{"call_id", &T::call_id, "the call, as in its record"},
      Entry{"from_extension", &T::from_extension, "the caller; empty: from outside"},
      Entry{"to_extension", &T::to_extension, "who is called; empty: outside, a service, or nobody"},
      Entry{"from_number", &T::from_number, "the caller's number"},
      Entry{"to_number", &T::to_number, "as dialled"},
      Entry{"direction", &T::direction, "internal, inbound, outbound"},
      Entry{"caller_name", &T::caller_name, "the name shown to who is called"},
  };
  static Extensions concerned(const T& e) { return {e.from_extension, e.to_extension}; }
};

template <>
struct Table<CallRinging> {
  using T = CallRinging;
  static constexpr std::string_view kType = "call.ringing";
  static constexpr std::string_view kAbout = "A phone rings.";
  static constexpr auto kFields = std::tuple{
      Entry{"call_id", &T::call_id, "the call"},
      Entry{"extension", &T::extension, "whose phone it is"},
      Entry{"device", &T::device, "the phone: its User-Agent"},
  };
  static Extensions concerned(const T& e) { return {e.extension}; }
};

template <>
struct Table<CallAnswered> {
  using T = CallAnswered;
  static constexpr std::string_view kType = "call.answered";
  static constexpr std::string_view kAbout = "A call is answered.";
  static constexpr auto kFields = std::tuple{
      Entry{"call_id", &T::call_id, "the call"},
      Entry{"from_extension", &T::from_extension, "the caller; empty: from outside"},
      Entry{"to_extension", &T::to_extension, "who was called"},
      Entry{"extension", &T::extension, "who answered"},
      Entry{"device", &T::device, "the phone that answered: its User-Agent"},
      Entry{"ring_seconds", &T::ring_seconds, "from the start of the call to the answer"},
  };
  static Extensions concerned(const T& e) { return {e.from_extension, e.to_extension, e.extension}; }
};

template <>
struct Table<CallEnded> {
  using T = CallEnded;
  static constexpr std::string_view kType = "call.ended";
  static constexpr std::string_view kAbout = "A call is over. Exactly one for each call, its last event.";
  static constexpr auto kFields = std::tuple{
      Entry{"call_id", &T::call_id, "the call"},
      Entry{"from_extension", &T::from_extension, "the caller; empty: from outside"},
      Entry{"to_extension", &T::to_extension, "who was called, after forwards"},
      Entry{"duration", &T::duration, "whole seconds from start to end"},
      Entry{"billsec", &T::billsec, "whole seconds from answer to end"},
      Entry{"disposition", &T::disposition, "answered, no_answer, busy, failed, cancelled"},
      Entry{"hangup_by", &T::hangup_by, "caller, callee, system"},
      Entry{"cause_code", &T::cause_code, "the SIP status, 0: none"},
      Entry{"reason", &T::reason, "a sentence; server_restart: cut off by the end of the server"},
      Entry{"recording", &T::recording, "of the call; empty: none"},
      Entry{"quality", &T::quality,
            "one object for each side: party, mos (null: unknown), loss (percent), jitter_ms"},
  };
  static Extensions concerned(const T& e) { return {e.from_extension, e.to_extension}; }
};

template <>
struct Table<CallHold> {
  using T = CallHold;
  static constexpr std::string_view kType = "call.hold";
  static constexpr std::string_view kAbout = "One side puts the other on hold.";
  static constexpr auto kFields = std::tuple{
      Entry{"call_id", &T::call_id, "the call"},
      Entry{"extension", &T::extension, "who put the other side on hold"},
  };
  static Extensions concerned(const T& e) { return {e.extension}; }
};

template <>
struct Table<CallResume> {
  using T = CallResume;
  static constexpr std::string_view kType = "call.resume";
  static constexpr std::string_view kAbout = "A held call goes on.";
  static constexpr auto kFields = std::tuple{
      Entry{"call_id", &T::call_id, "the call"},
      Entry{"extension", &T::extension, "who resumed"},
  };
  static Extensions concerned(const T& e) { return {e.extension}; }
};

template <>
struct Table<CallTransfer> {
  using T = CallTransfer;
  static constexpr std::string_view kType = "call.transfer";
  static constexpr std::string_view kAbout = "A transfer has come to its result.";
  static constexpr auto kFields = std::tuple{
      Entry{"call_id", &T::call_id, "the call that is transferred"},
      Entry{"from_extension", &T::from_extension, "who transfers"},
      Entry{"to_extension", &T::to_extension, "the target"},
      Entry{"kind", &T::kind, "blind, attended"},
      Entry{"result", &T::result, "completed, failed"},
  };
  static Extensions concerned(const T& e) { return {e.from_extension, e.to_extension}; }
};

template <>
struct Table<CallDtmf> {
  using T = CallDtmf;
  static constexpr std::string_view kType = "call.dtmf";
  static constexpr std::string_view kAbout = "A key was pressed; only where that is switched on.";
  static constexpr auto kFields = std::tuple{
      Entry{"call_id", &T::call_id, "the call"},
      Entry{"extension", &T::extension, "who pressed it"},
      Entry{"digit", &T::digit, "0 to 9, *, #, A to D"},
  };
  static Extensions concerned(const T& e) { return {e.extension}; }
};

template <typename E>
struct RegistrationTable {
  static constexpr auto kFields = std::tuple{
      Entry{"extension", &E::extension, "whose phone it is"},
      Entry{"ip_address", &E::ip_address, "where the phone is"},
      Entry{"port", &E::port, "its port"},
      Entry{"user_agent", &E::user_agent, "the phone, in its own words"},
      Entry{"transport", &E::transport, "udp, tcp, tls, ws, wss; browser: a page"},
      Entry{"reason", &E::reason, "why, as a sentence"},
  };
  static Extensions concerned(const E& e) { return {e.extension}; }
};

template <>
struct Table<ExtensionRegistered> : RegistrationTable<ExtensionRegistered> {
  static constexpr std::string_view kType = "extension.registered";
  static constexpr std::string_view kAbout =
      "A phone that was not registered before has registered. Refreshes tell nothing.";
};

template <>
struct Table<ExtensionUnregistered> : RegistrationTable<ExtensionUnregistered> {
  static constexpr std::string_view kType = "extension.unregistered";
  static constexpr std::string_view kAbout = "A phone is registered no longer.";
};

template <>
struct Table<PresenceChanged> {
  using T = PresenceChanged;
  static constexpr std::string_view kType = "presence.changed";
  static constexpr std::string_view kAbout = "Whether somebody can be reached has changed.";
  static constexpr auto kFields = std::tuple{
      Entry{"extension", &T::extension, "who"},
      Entry{"status", &T::status, "available, ringing, in_call, away, dnd, offline"},
      Entry{"custom_message", &T::custom_message, "in that person's words; empty: none"},
  };
  static Extensions concerned(const T& e) { return {e.extension}; }
};

template <>
struct Table<SecurityLockout> {
  using T = SecurityLockout;
  static constexpr std::string_view kType = "security.lockout";
  static constexpr std::string_view kAbout =
      "An address or an extension is locked out after failed attempts.";
  static constexpr auto kFields = std::tuple{
      Entry{"subject_kind", &T::subject_kind, "address, extension, user"},
      Entry{"subject", &T::subject, "which one"},
      Entry{"attempts", &T::attempts, "failed ones that led to it"},
      Entry{"seconds", &T::seconds, "how long it lasts"},
  };
  static Extensions concerned(const T& e) {
    return e.subject_kind == "extension" ? Extensions{e.subject} : Extensions{};
  }
};

}  // namespace bw::events::detail
