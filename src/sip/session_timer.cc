#include "sip/session_timer.h"

#include <algorithm>

#include "sip/session_expires.h"
#include "sip/token_list.h"

namespace bw::sip {
namespace {

constexpr std::string_view kTimer = "timer";

std::optional<SessionExpires> session_expires_of(const Message& message) {
  const auto value = message.get(HeaderName::kSessionExpires);
  return value ? SessionExpires::parse(*value) : std::nullopt;
}

std::uint32_t min_se_of(const Message& message) {
  const auto value = message.get(HeaderName::kMinSe);
  return value ? parse_min_se(*value).value_or(0) : 0;
}

}  // namespace

SessionTimer::SessionTimer(SessionTimerSettings settings) : settings_(settings) {
  const auto bounded = [](std::chrono::seconds s) {
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(s.count(), kLeast, kMost));
  };
  least_ = min_se_ = bounded(settings.least);
  wanted_ = std::max(bounded(settings.interval), min_se_);
}

void SessionTimer::write_request(Message& request) const {
  if (!lists(request, HeaderName::kSupported, kTimer)) request.add(HeaderName::kSupported, kTimer);
  // §7.4: a refresh keeps the parts as they are; "uac" is whoever sends this request.
  auto refresher = Refresher::kUnspecified;
  if (running()) refresher = ours_ ? Refresher::kUac : Refresher::kUas;
  if (settings_.enabled || running()) {
    const std::uint32_t seconds = std::max(running() ? seconds_ : wanted_, min_se_);
    request.set(HeaderName::kSessionExpires, SessionExpires{seconds, refresher}.to_string());
  }
  if (min_se_ > kLeast) request.set(HeaderName::kMinSe, std::to_string(min_se_));
}

void SessionTimer::read_response(const Message& response) {
  if (response.status() / 100 != 2) return;
  const auto agreed = session_expires_of(response);
  seconds_ = agreed ? std::clamp(agreed->seconds, kLeast, kMost) : 0;
  // §9 demands the parameter in a response; without it the one who asked had better refresh.
  ours_ = agreed && agreed->refresher != Refresher::kUas;
}

bool SessionTimer::read_too_small(const Message& response) {
  const std::uint32_t least = min_se_of(response);
  if (response.status() != 422 || least > kMost) return false;
  if (least <= std::max(running() ? seconds_ : wanted_, min_se_)) return false;  // it refuses what it wants
  min_se_ = least;
  wanted_ = std::max(wanted_, least);
  return true;
}

bool SessionTimer::is_too_small(const Message& request) const {
  const auto asked = session_expires_of(request);
  // §9: a peer that does not know the extension (a proxy added the header) would not understand 422.
  return asked && asked->seconds < least_ && lists(request, HeaderName::kSupported, kTimer);
}

void SessionTimer::write_too_small(Message& response) const {
  response.set(HeaderName::kMinSe, std::to_string(least_));
}

void SessionTimer::write_response(const Message& request, Message& response) {
  const auto asked = session_expires_of(request);
  const bool supported = lists(request, HeaderName::kSupported, kTimer);
  seconds_ = 0;
  if (!asked && (!supported || !settings_.enabled)) return;
  const std::uint32_t least = std::max({kLeast, min_se_of(request), min_se_});
  // §9: we may shorten what was asked, but not below its Min-SE, and may never lengthen it.
  const std::uint32_t shortened = std::max(settings_.enabled ? wanted_ : kMost, least);
  seconds_ = asked ? std::clamp(std::min(asked->seconds, shortened), kLeast, kMost)
                   : std::min(std::max(wanted_, least), kMost);
  // §9 table 2: theirs if they say so; ours if they cannot, or leave it open: then nobody's bug but our own
  // can end a living call.
  ours_ = !supported || !asked || asked->refresher != Refresher::kUac;
  const Refresher refresher = ours_ ? Refresher::kUas : Refresher::kUac;
  response.set(HeaderName::kSessionExpires, SessionExpires{seconds_, refresher}.to_string());
  if (supported) {
    if (!lists(response, HeaderName::kRequire, kTimer)) response.add(HeaderName::kRequire, kTimer);
  }
}

Duration SessionTimer::dies_after() const {
  // §10: the one that waits says BYE a little before the end: a third of the interval, at most 32 s.
  return interval() - std::min<Duration>(32s, interval() / 3);
}

}  // namespace bw::sip
