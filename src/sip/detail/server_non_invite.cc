// The non-INVITE server transaction: RFC 3261 §17.2.2 and figure 8, as corrected by RFC 4320 §4.
// A transport error changes no state here: the peer asks again, or has given up.
#include "sip/detail/machine.h"

namespace bw::sip::detail {
namespace {

using enum State;
using enum Event;
using enum Act;

// clang-format off
constexpr Row kRows[] = {
    {kTrying, kGotRequest, kTrying,     kNothing,               "§17.2.2: discarded"},
    {kTrying, kTimer100,   kProceeding, kTransmit,              "RFC 4320 §4.1: 100 when E has grown to T2"},
    {kTrying, kSend1xx,    kTrying,     kNothing, "RFC 4320 §4.1: only 100, and not before that"},
    {kTrying, kSendFinal,  kCompleted,  kStoreResponse | kTransmit, "§17.2.2"},
    {kTrying, kSend408,    kTrying,     kNothing,               "RFC 4320 §4.2: never a 408"},
    {kTrying, kTimerF,     kTerminated, kNothing,               "RFC 4320 §4.2: too late for any answer"},
    {kTrying, kTimerJ,     kTrying,     kNothing,               "not started here"},

    {kProceeding, kGotRequest, kProceeding, kTransmit,              "§17.2.2"},
    {kProceeding, kSend1xx,    kProceeding, kNothing,               "RFC 4320 §4.1"},
    {kProceeding, kSendFinal,  kCompleted,  kStoreResponse | kTransmit, "§17.2.2"},
    {kProceeding, kSend408,    kProceeding, kNothing,               "RFC 4320 §4.2: never a 408"},
    {kProceeding, kTimerF,     kTerminated, kNothing,               "RFC 4320 §4.2: too late for any answer"},
    {kProceeding, kTimer100,   kProceeding, kNothing,               "stopped on entry"},
    {kProceeding, kTimerJ,     kProceeding, kNothing,               "not started here"},

    {kCompleted, kGotRequest, kCompleted,  kTransmit, "§17.2.2"},
    {kCompleted, kTimerJ,     kTerminated, kNothing,  "§17.2.2"},
    {kCompleted, kSend1xx,    kCompleted,  kNothing,  "§17.2.2: the final response stands"},
    {kCompleted, kSendFinal,  kCompleted,  kNothing,  "§17.2.2: the final response stands"},
    {kCompleted, kSend408,    kCompleted,  kNothing,  "§17.2.2: the final response stands"},
    {kCompleted, kTimer100,   kCompleted,  kNothing,  "stopped on entry"},
    {kCompleted, kTimerF,     kCompleted,  kNothing,  "stopped on entry"},
};

// Timer F is the client's; the server counts it too, to know when nobody waits for its answer any more.
constexpr EntryTimer kTimers[] = {
    {kTrying,     Slot::kRepeat, kTimer100, Span::kUntilEIsT2, On::kEvery},
    {kTrying,     Slot::kEnd,    kTimerF,   Span::k64T1,       On::kEvery},
    {kProceeding, Slot::kEnd,    kTimerF,   Span::kKeep,       On::kEvery},
    {kCompleted,  Slot::kEnd,    kTimerJ,   Span::k64T1,       On::kLingers},
};
// clang-format on

}  // namespace

constinit const Machine kServerNonInvite = make_machine("non-INVITE server", kTrying, kRows, kTimers);

}  // namespace bw::sip::detail
