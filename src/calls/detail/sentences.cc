#include "calls/detail/sentences.h"

#include <fmt/format.h>

#include "sip/status.h"

namespace bw::calls {

std::string refusal_sentence(const std::string& target, const LegEvent::Refused& what) {
  if (!what.answered_by_peer) {
    if (what.status == 408) return target + "'s phone did not respond";
    return target + "'s phone could not be reached";
  }
  switch (what.status) {
    case 486:
    case 600:
      return target + " is busy";
    case 603:
      return target + " declined the call";
    case 480:
      return target + " is not available";
    case 404:
      return target + "'s phone does not know the number";
    case 415:
    case 488:
    case 606:
      return target + "'s phone cannot use the media that was offered";
    case 487:
      return target + "'s phone ended the call";
    default:
      return fmt::format("{}'s phone answered {} {}", target, what.status, sip::reason_phrase(what.status));
  }
}

model::Disposition disposition_of(int status) {
  switch (status) {
    case 486:
    case 600:
    case 603:
      return model::Disposition::kBusy;
    case 408:
    case 480:
      return model::Disposition::kNoAnswer;
    case 487:
      return model::Disposition::kCancelled;
    default:
      return model::Disposition::kFailed;
  }
}

}  // namespace bw::calls
