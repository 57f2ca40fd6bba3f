// The state machines of RFC 3261 §17 as data: one row for each state and event, one line for each timer that
// a state starts. The four tables stand in client_invite.cc, client_non_invite.cc, server_invite.cc and
// server_non_invite.cc; client_side.cc and server_side.cc carry out what a row says.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace bw::sip::detail {

enum class State : std::uint8_t {
  kCalling,
  kTrying,
  kProceeding,
  kCompleted,
  kAccepted,
  kConfirmed,
  kTerminated
};
inline constexpr std::size_t kStateCount = 7;

enum class Event : std::uint8_t {
  // From the wire, at a client.
  kGot1xx,
  kGot2xx,
  kGot300To699,
  kGotFinal,  // 200 to 699, where they make no difference
  // From the wire, at a server.
  kGotRequest,  // the request again
  kGotAck,
  // From the TU.
  kSend1xx,
  kSend2xx,
  kSend300To699,
  kSendFinal,
  kSend408,
  kAckReported,  // the TU saw the ACK to its 2xx
  kAbandoned,    // the TU no longer cares
  // From the transport.
  kTransportError,
  kConnectionLost,  // the stream that was to bring the answer is gone
  // Timers of RFC 3261 table 4 and RFC 6026 §8.
  kTimerA,
  kTimerB,
  kTimerC,
  kTimerD,
  kTimerE,
  kTimerF,
  kTimerG,
  kTimerH,
  kTimerI,
  kTimerJ,
  kTimerK,
  kTimerL,
  kTimerM,
  kTimer100,  // a 100 Trying is due
  kTimer2xx,  // the 2xx again (§13.3.1.4)
};
inline constexpr std::size_t kEventCount = static_cast<std::size_t>(Event::kTimer2xx) + 1;

// What a row makes the transaction do, besides going to its next state.
enum class Act : std::uint16_t {
  kNothing = 0,
  kTransmit = 1 << 0,        // what is stored: a request, its ACK, or the last response
  kDouble = 1 << 1,          // the repeat timer again, after twice the time
  kDoubleToT2 = 1 << 2,      // the same, but never more than T2
  kEveryT2 = 1 << 3,         // the repeat timer again, after T2
  kPassUp = 1 << 4,          // the message goes to the TU
  kPassStray = 1 << 5,       // the response goes to the TU as one without transaction
  kStoreAck = 1 << 6,        // the ACK to this response replaces the stored INVITE (§17.1.1.3)
  kStoreResponse = 1 << 7,   // the TU's response becomes what is stored
  kForget = 1 << 8,          // nothing will be sent again: free the bytes
  kSendHeldCancel = 1 << 9,  // §9.1: a CANCEL waited for the first provisional response
  kCancel = 1 << 10,         // §16.8: send CANCEL now, on our own account
  kRestartC = 1 << 11,       // §16.7 step 2
  kReportTimeout = 1 << 12,
  kReportTransport = 1 << 13,
  kReportAckMissing = 1 << 14,
  kStopRepeating = 1 << 15,
};
constexpr Act operator|(Act a, Act b) {
  return static_cast<Act>(static_cast<std::uint16_t>(a) | static_cast<std::uint16_t>(b));
}
constexpr bool has(Act set, Act one) {
  return (static_cast<std::uint16_t>(set) & static_cast<std::uint16_t>(one)) != 0;
}

struct Row {
  State state;
  Event event;
  State next;
  Act act;
  std::string_view why;  // where it is written
};

// A transaction has two timers: one that repeats, one that ends the state.
enum class Slot : std::uint8_t { kRepeat, kEnd };
enum class Span : std::uint8_t {
  kT1,
  kT4,
  k64T1,
  kC,
  kD,
  k200ms,
  kUntilEIsT2,  // RFC 4320 §4.1: T1 + 2*T1 + … up to the retransmission interval T2
  kKeep,        // goes on as the last state left it
};
inline constexpr std::size_t kSpanCount = static_cast<std::size_t>(Span::kKeep) + 1;
enum class On : std::uint8_t {
  kEvery,
  kDatagrams,  // not started on a stream
  kLingers,    // on a stream of zero length: the state ends at once
};

// On entry into `state`, timers without a line are stopped.
struct EntryTimer {
  State state;
  Slot slot;
  Event fires;
  Span span;
  On on;
};

struct Machine {
  std::string_view name;
  State initial;
  std::span<const Row> rows;
  std::span<const EntryTimer> timers;
  std::array<std::array<std::uint8_t, kEventCount>, kStateCount> index{};  // row number + 1

  // Every event a machine can see has a row in every state but Terminated: make_machine proved it.
  const Row& row(State state, Event event) const;
};

extern const Machine kClientInvite;
extern const Machine kClientNonInvite;
extern const Machine kServerInvite;
extern const Machine kServerNonInvite;

std::string_view name_of(State state);
std::string_view name_of(Event event);

// Refuses to compile a table with a hole or a pair of rows for one state and event.
consteval Machine make_machine(std::string_view name, State initial, std::span<const Row> rows,
                               std::span<const EntryTimer> timers) {
  Machine machine{name, initial, rows, timers, {}};
  std::array<bool, kStateCount> states{};
  std::array<bool, kEventCount> events{};
  std::uint8_t number = 0;
  for (const Row& row : rows) {
    auto& place = machine.index[static_cast<std::size_t>(row.state)][static_cast<std::size_t>(row.event)];
    if (place != 0) throw "two rows for one state and event";
    place = ++number;
    states[static_cast<std::size_t>(row.state)] = true;
    events[static_cast<std::size_t>(row.event)] = true;
  }
  for (std::size_t s = 0; s < kStateCount; ++s) {
    for (std::size_t e = 0; e < kEventCount; ++e) {
      if (states[s] && events[e] && machine.index[s][e] == 0) throw "a state says nothing about an event";
    }
  }
  return machine;
}

}  // namespace bw::sip::detail
