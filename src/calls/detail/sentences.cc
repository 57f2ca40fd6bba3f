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

model::CallId make_call_id(Rng& rng, Instant now) {
  const auto ms = static_cast<std::uint64_t>(now.unix_ms()) & 0xffff'ffff'ffffU;
  const std::uint64_t a = rng.u64();
  const std::uint64_t b = rng.u64();
  return model::CallId{fmt::format("{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}", ms >> 16U, ms & 0xffffU,
                                   a & 0xfffU, 0x8000U | (a >> 12U & 0x3fffU), b & 0xffff'ffff'ffffU)};
}

}  // namespace bw::calls
