// The non-INVITE client transaction: RFC 3261 §17.1.2 and figure 6.
#include "sip/detail/machine.h"

namespace bw::sip::detail {
namespace {

using enum State;
using enum Event;
using enum Act;

// clang-format off
constexpr Row kRows[] = {
    {kTrying, kTimerE,         kTrying,     kTransmit | kDoubleToT2, "§17.1.2.2: T1, 2*T1, … T2, T2"},
    {kTrying, kTimerF,         kTerminated, kReportTimeout,         "§17.1.2.2: as if 408 had come"},
    {kTrying, kTransportError, kTerminated, kReportTransport,       "§17.1.4"},
    {kTrying, kConnectionLost, kTerminated, kReportTransport,       "§17.1.4"},
    {kTrying, kGot1xx,         kProceeding, kPassUp,                "§17.1.2.2"},
    {kTrying, kGotFinal,       kCompleted,  kPassUp | kForget,      "§17.1.2.2"},
    {kTrying, kAbandoned,      kTerminated, kNothing,               "ours: a late answer matches nothing"},
    {kTrying, kTimerK,         kTrying,     kNothing,               "not started here"},

    {kProceeding, kTimerE,         kProceeding, kTransmit | kEveryT2, "§17.1.2.2"},
    {kProceeding, kTimerF,         kTerminated, kReportTimeout,       "§17.1.2.2"},
    {kProceeding, kTransportError, kTerminated, kReportTransport,     "§17.1.4"},
    {kProceeding, kConnectionLost, kTerminated, kReportTransport,     "§17.1.4"},
    {kProceeding, kGot1xx,         kProceeding, kPassUp,              "§17.1.2.2"},
    {kProceeding, kGotFinal,       kCompleted,  kPassUp | kForget,    "§17.1.2.2"},
    {kProceeding, kAbandoned,      kTerminated, kNothing,             "ours: a late answer matches nothing"},
    {kProceeding, kTimerK,         kProceeding, kNothing,             "not started here"},

    {kCompleted, kTimerK,         kTerminated, kNothing, "§17.1.2.2"},
    {kCompleted, kGot1xx,         kCompleted,  kNothing, "late"},
    {kCompleted, kGotFinal,       kCompleted,  kNothing, "§17.1.2.2: absorbs the answer's retransmissions"},
    {kCompleted, kTransportError, kCompleted,  kNothing, "nothing of ours is on its way"},
    {kCompleted, kConnectionLost, kCompleted,  kNothing, "nothing of ours is on its way"},
    {kCompleted, kAbandoned,      kCompleted,  kNothing, "the TU has its answer"},
    {kCompleted, kTimerE,         kCompleted,  kNothing, "stopped on entry"},
    {kCompleted, kTimerF,         kCompleted,  kNothing, "stopped on entry"},
};

constexpr EntryTimer kTimers[] = {
    {kTrying,     Slot::kRepeat, kTimerE, Span::kT1,   On::kDatagrams},
    {kTrying,     Slot::kEnd,    kTimerF, Span::k64T1, On::kEvery},
    {kProceeding, Slot::kRepeat, kTimerE, Span::kKeep, On::kEvery},
    {kProceeding, Slot::kEnd,    kTimerF, Span::kKeep, On::kEvery},
    {kCompleted,  Slot::kEnd,    kTimerK, Span::kT4,   On::kLingers},
};
// clang-format on

}  // namespace

constinit const Machine kClientNonInvite = make_machine("non-INVITE client", kTrying, kRows, kTimers);

}  // namespace bw::sip::detail
