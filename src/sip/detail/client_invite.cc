// The INVITE client transaction: RFC 3261 §17.1.1 and figure 5, both as RFC 6026 §8.4 replaces them.
#include "sip/detail/machine.h"

namespace bw::sip::detail {
namespace {

using enum State;
using enum Event;
using enum Act;

// clang-format off
constexpr Row kRows[] = {
    {kCalling, kTimerA,         kCalling,    kTransmit | kDouble,    "§17.1.1.2: T1, 2*T1, 4*T1, …"},
    {kCalling, kTimerB,         kTerminated, kReportTimeout,         "§17.1.1.2: as if 408 had come"},
    {kCalling, kTransportError, kTerminated, kReportTransport,       "§17.1.4, §8.1.3.1: as if 503"},
    {kCalling, kConnectionLost, kTerminated, kReportTransport,       "§17.1.4"},
    {kCalling, kGot1xx,         kProceeding, kPassUp | kSendHeldCancel, "§17.1.1.2, §9.1"},
    {kCalling, kGot2xx,         kAccepted,   kPassUp | kForget,      "RFC 6026 §7.2"},
    {kCalling, kGot300To699,    kCompleted,  kStoreAck | kTransmit | kPassUp, "§17.1.1.2"},
    {kCalling, kAbandoned,      kCalling,    kStopRepeating,         "ours: wait for an answer, ask no more"},
    {kCalling, kTimerC,         kCalling,    kNothing,               "not started here"},
    {kCalling, kTimerD,         kCalling,    kNothing,               "not started here"},
    {kCalling, kTimerM,         kCalling,    kNothing,               "not started here"},

    {kProceeding, kGot1xx,         kProceeding, kPassUp | kRestartC,    "§17.1.1.2, §16.7 step 2"},
    {kProceeding, kGot2xx,         kAccepted,   kPassUp | kForget,      "RFC 6026 §7.2"},
    {kProceeding, kGot300To699,    kCompleted,  kStoreAck | kTransmit | kPassUp, "§17.1.1.2"},
    {kProceeding, kTimerC,         kTerminated, kCancel | kReportTimeout, "§16.8"},
    {kProceeding, kTransportError, kProceeding, kNothing,               "nothing of ours is on its way"},
    {kProceeding, kConnectionLost, kTerminated, kReportTransport,       "§17.1.4: no answer can come"},
    {kProceeding, kAbandoned,      kProceeding, kNothing, "ours: ACK to what comes, in silence"},
    {kProceeding, kTimerA,         kProceeding, kNothing,               "stopped on entry"},
    {kProceeding, kTimerB,         kProceeding, kNothing,               "stopped on entry"},
    {kProceeding, kTimerD,         kProceeding, kNothing,               "not started here"},
    {kProceeding, kTimerM,         kProceeding, kNothing,               "not started here"},

    {kCompleted, kGot300To699, kCompleted,  kTransmit, "§17.1.1.2: the ACK again, not the TU"},
    {kCompleted, kTimerD,      kTerminated, kNothing,  "§17.1.1.2"},
    // Figure 5 tells the TU once more; it has its final answer already and needs no second one.
    {kCompleted, kTransportError, kTerminated, kNothing,   "§17.1.1.2: the ACK cannot be sent"},
    {kCompleted, kConnectionLost, kTerminated, kNothing,   "§17.1.1.2: the ACK cannot be sent"},
    {kCompleted, kGot1xx,         kCompleted,  kNothing,   "late"},
    {kCompleted, kGot2xx,         kCompleted,  kPassStray, "§16.7 step 5: another branch of a fork"},
    {kCompleted, kAbandoned,      kCompleted,  kNothing,   "the TU has its answer"},
    {kCompleted, kTimerA,         kCompleted,  kNothing,   "stopped on entry"},
    {kCompleted, kTimerB,         kCompleted,  kNothing,   "stopped on entry"},
    {kCompleted, kTimerC,         kCompleted,  kNothing,   "stopped on entry"},
    {kCompleted, kTimerM,         kCompleted,  kNothing,   "not started here"},

    {kAccepted, kGot2xx,         kAccepted,   kPassUp,  "RFC 6026 §7.2: each one, for its ACK"},
    {kAccepted, kTimerM,         kTerminated, kNothing, "RFC 6026 §7.2"},
    {kAccepted, kGot1xx,         kAccepted,   kNothing, "late"},
    {kAccepted, kGot300To699,    kAccepted,   kNothing, "RFC 6026 §8.4: the proxy keeps these"},
    {kAccepted, kTransportError, kAccepted,   kNothing, "the ACK is the TU's"},
    {kAccepted, kConnectionLost, kAccepted,   kNothing, "the ACK is the TU's"},
    {kAccepted, kAbandoned,      kAccepted,   kNothing, "the TU has its answer"},
    {kAccepted, kTimerA,         kAccepted,   kNothing, "stopped on entry"},
    {kAccepted, kTimerB,         kAccepted,   kNothing, "stopped on entry"},
    {kAccepted, kTimerC,         kAccepted,   kNothing, "stopped on entry"},
    {kAccepted, kTimerD,         kAccepted,   kNothing, "not started here"},
};

constexpr EntryTimer kTimers[] = {
    {kCalling,    Slot::kRepeat, kTimerA, Span::kT1,   On::kDatagrams},
    {kCalling,    Slot::kEnd,    kTimerB, Span::k64T1, On::kEvery},
    {kProceeding, Slot::kEnd,    kTimerC, Span::kC,    On::kEvery},
    {kCompleted,  Slot::kEnd,    kTimerD, Span::kD,    On::kLingers},
    {kAccepted,   Slot::kEnd,    kTimerM, Span::k64T1, On::kEvery},
};
// clang-format on

}  // namespace

constinit const Machine kClientInvite = make_machine("INVITE client", kCalling, kRows, kTimers);

}  // namespace bw::sip::detail
