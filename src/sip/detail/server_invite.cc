// The INVITE server transaction: RFC 3261 §17.2.1 and figure 7, both as RFC 6026 §8.5 to §8.7 replace them.
// A transport error changes no state here (RFC 6026 §8.7), so no row speaks of one.
#include "sip/detail/machine.h"

namespace bw::sip::detail {
namespace {

using enum State;
using enum Event;
using enum Act;

// clang-format off
constexpr Row kRows[] = {
    {kProceeding, kTimer100,     kProceeding, kTransmit,              "§17.2.1: silent for 200 ms"},
    {kProceeding, kGotRequest,   kProceeding, kTransmit | kStopRepeating, "§17.2.1: the latest provisional"},
    {kProceeding, kSend1xx,      kProceeding, kStoreResponse | kTransmit | kStopRepeating, "§17.2.1"},
    {kProceeding, kSend2xx,      kAccepted,   kStoreResponse | kTransmit, "RFC 6026 §7.1"},
    {kProceeding, kSend300To699, kCompleted,  kStoreResponse | kTransmit, "§17.2.1"},
    {kProceeding, kGotAck,       kProceeding, kNothing,               "nothing to acknowledge yet"},
    {kProceeding, kAckReported,  kProceeding, kNothing,               "nothing to acknowledge yet"},
    {kProceeding, kTimer2xx,     kProceeding, kNothing,               "not started here"},
    {kProceeding, kTimerG,       kProceeding, kNothing,               "not started here"},
    {kProceeding, kTimerH,       kProceeding, kNothing,               "not started here"},
    {kProceeding, kTimerI,       kProceeding, kNothing,               "not started here"},
    {kProceeding, kTimerL,       kProceeding, kNothing,               "not started here"},

    {kCompleted, kGotRequest,   kCompleted,  kTransmit,              "§17.2.1"},
    {kCompleted, kTimerG,       kCompleted,  kTransmit | kDoubleToT2, "§17.2.1"},
    {kCompleted, kTimerH,       kTerminated, kNothing,               "§17.2.1: no ACK; a refusal needs none"},
    {kCompleted, kGotAck,       kConfirmed,  kForget,                "§17.2.1"},
    {kCompleted, kSend1xx,      kCompleted,  kNothing,               "§17.2.1: the final response stands"},
    {kCompleted, kSend2xx,      kCompleted,  kNothing,               "§17.2.1: the final response stands"},
    {kCompleted, kSend300To699, kCompleted,  kNothing,               "§17.2.1: the final response stands"},
    {kCompleted, kAckReported,  kCompleted,  kNothing,               "of a 2xx only"},
    {kCompleted, kTimer100,     kCompleted,  kNothing,               "stopped on entry"},
    {kCompleted, kTimer2xx,     kCompleted,  kNothing,               "not started here"},
    {kCompleted, kTimerI,       kCompleted,  kNothing,               "not started here"},
    {kCompleted, kTimerL,       kCompleted,  kNothing,               "not started here"},

    {kConfirmed, kTimerI,       kTerminated, kNothing, "§17.2.1"},
    {kConfirmed, kGotAck,       kConfirmed,  kNothing, "§17.2.1: absorbed"},
    {kConfirmed, kGotRequest,   kConfirmed,  kNothing, "late"},
    {kConfirmed, kSend1xx,      kConfirmed,  kNothing, "the final response stands"},
    {kConfirmed, kSend2xx,      kConfirmed,  kNothing, "the final response stands"},
    {kConfirmed, kSend300To699, kConfirmed,  kNothing, "the final response stands"},
    {kConfirmed, kAckReported,  kConfirmed,  kNothing, "of a 2xx only"},
    {kConfirmed, kTimer100,     kConfirmed,  kNothing, "stopped on entry"},
    {kConfirmed, kTimer2xx,     kConfirmed,  kNothing, "not started here"},
    {kConfirmed, kTimerG,       kConfirmed,  kNothing, "stopped on entry"},
    {kConfirmed, kTimerH,       kConfirmed,  kNothing, "stopped on entry"},
    {kConfirmed, kTimerL,       kConfirmed,  kNothing, "not started here"},

    {kAccepted, kGotRequest,   kAccepted,   kNothing,               "RFC 6026 §7.1: absorbed"},
    {kAccepted, kTimer2xx,     kAccepted,   kTransmit | kDoubleToT2, "§13.3.1.4, on every transport"},
    {kAccepted, kGotAck,       kAccepted,   kPassUp,                "RFC 6026 §7.1"},
    {kAccepted, kAckReported,  kAccepted,   kForget | kStopRepeating, "§13.3.1.4"},
    {kAccepted, kSend2xx,      kAccepted,   kStoreResponse | kTransmit, "RFC 6026 §7.1"},
    {kAccepted, kTimerL,       kTerminated, kReportAckMissing,      "RFC 6026 §7.1, §13.3.1.4"},
    {kAccepted, kSend1xx,      kAccepted,   kNothing,               "the final response stands"},
    {kAccepted, kSend300To699, kAccepted,   kNothing,               "RFC 6026 §7.1: the 2xx stands"},
    {kAccepted, kTimer100,     kAccepted,   kNothing,               "stopped on entry"},
    {kAccepted, kTimerG,       kAccepted,   kNothing,               "not started here"},
    {kAccepted, kTimerH,       kAccepted,   kNothing,               "not started here"},
    {kAccepted, kTimerI,       kAccepted,   kNothing,               "not started here"},
};

constexpr EntryTimer kTimers[] = {
    {kProceeding, Slot::kRepeat, kTimer100, Span::k200ms, On::kEvery},
    {kCompleted,  Slot::kRepeat, kTimerG,   Span::kT1,    On::kDatagrams},
    {kCompleted,  Slot::kEnd,    kTimerH,   Span::k64T1,  On::kEvery},
    {kConfirmed,  Slot::kEnd,    kTimerI,   Span::kT4,    On::kLingers},
    {kAccepted,   Slot::kRepeat, kTimer2xx, Span::kT1,    On::kEvery},
    {kAccepted,   Slot::kEnd,    kTimerL,   Span::k64T1,  On::kEvery},
};
// clang-format on

}  // namespace

constinit const Machine kServerInvite = make_machine("INVITE server", kProceeding, kRows, kTimers);

}  // namespace bw::sip::detail
