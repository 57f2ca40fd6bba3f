#include "sip/detail/machine.h"

#include <cassert>

namespace bw::sip::detail {

const Row& Machine::row(State state, Event event) const {
  const std::uint8_t number = index[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
  assert(number != 0);
  return rows[number - 1U];
}

std::string_view name_of(State state) {
  switch (state) {
    case State::kCalling:
      return "Calling";
    case State::kTrying:
      return "Trying";
    case State::kProceeding:
      return "Proceeding";
    case State::kCompleted:
      return "Completed";
    case State::kAccepted:
      return "Accepted";
    case State::kConfirmed:
      return "Confirmed";
    case State::kTerminated:
      return "Terminated";
  }
  return {};
}

std::string_view name_of(Event event) {
  switch (event) {
    case Event::kGot1xx:
      return "1xx";
    case Event::kGot2xx:
      return "2xx";
    case Event::kGot300To699:
      return "300-699";
    case Event::kGotFinal:
      return "200-699";
    case Event::kGotRequest:
      return "request again";
    case Event::kGotAck:
      return "ACK";
    case Event::kSend1xx:
      return "1xx from TU";
    case Event::kSend2xx:
      return "2xx from TU";
    case Event::kSend300To699:
      return "300-699 from TU";
    case Event::kSendFinal:
      return "200-699 from TU";
    case Event::kSend408:
      return "408 from TU";
    case Event::kAckReported:
      return "ACK seen by TU";
    case Event::kAbandoned:
      return "abandoned by TU";
    case Event::kTransportError:
      return "transport error";
    case Event::kConnectionLost:
      return "connection lost";
    case Event::kTimerA:
      return "timer A";
    case Event::kTimerB:
      return "timer B";
    case Event::kTimerC:
      return "timer C";
    case Event::kTimerD:
      return "timer D";
    case Event::kTimerE:
      return "timer E";
    case Event::kTimerF:
      return "timer F";
    case Event::kTimerG:
      return "timer G";
    case Event::kTimerH:
      return "timer H";
    case Event::kTimerI:
      return "timer I";
    case Event::kTimerJ:
      return "timer J";
    case Event::kTimerK:
      return "timer K";
    case Event::kTimerL:
      return "timer L";
    case Event::kTimerM:
      return "timer M";
    case Event::kTimer100:
      return "100 is due";
    case Event::kTimer2xx:
      return "2xx is due again";
  }
  return {};
}

}  // namespace bw::sip::detail
