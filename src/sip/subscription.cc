#include "sip/subscription.h"

#include <algorithm>
#include <utility>

#include "sip/event.h"
#include "sip/grammar.h"
#include "sip/number.h"
#include "sip/status.h"

namespace bw::sip {
namespace {

std::uint32_t whole_seconds(Duration left) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(left).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 0, UINT32_MAX));
}

}  // namespace

std::string_view name_of(SubscriptionEnd end) {
  switch (end) {
    case SubscriptionEnd::kDeactivated:
      return "deactivated";
    case SubscriptionEnd::kProbation:
      return "probation";
    case SubscriptionEnd::kRejected:
      return "rejected";
    case SubscriptionEnd::kTimeout:
      return "timeout";
    case SubscriptionEnd::kGiveUp:
      return "giveup";
    case SubscriptionEnd::kNoResource:
      return "noresource";
    case SubscriptionEnd::kInvariant:
      return "invariant";
  }
  return {};
}

Subscription::Subscription(Dialog dialog, std::string event, SubscriptionLimits limits)
    : dialog_(std::move(dialog)), event_(std::move(event)), limits_(limits) {}

std::expected<Subscription, Subscription::Refusal> Subscription::accept(const Message& subscribe,
                                                                        std::string_view local_tag,
                                                                        std::string_view contact, bool secure,
                                                                        Instant now, bool pending,
                                                                        SubscriptionLimits limits) {
  const auto event = Event::parse(subscribe.get(HeaderName::kEvent).value_or(""));
  if (!event) return std::unexpected{Refusal{489, 0}};  // RFC 6665 §8.3.2
  auto dialog = Dialog::as_uas(subscribe, local_tag, contact, secure);
  if (!dialog) return std::unexpected{Refusal{400, 0}};
  Subscription subscription{std::move(*dialog), event->to_string(), limits};
  subscription.state_ = pending ? State::kPending : State::kActive;
  if (const auto prolonged = subscription.prolong(subscribe, now); !prolonged) {
    return std::unexpected{prolonged.error()};
  }
  return subscription;
}

std::expected<void, Subscription::Refusal> Subscription::refresh(const Message& subscribe, Instant now) {
  if (state_ == State::kTerminated) return std::unexpected{Refusal{481, 0}};
  if (!dialog_.accept(subscribe)) return std::unexpected{Refusal{500, 0}};
  dialog_.refresh_target(subscribe);
  return prolong(subscribe, now);
}

std::expected<void, Subscription::Refusal> Subscription::prolong(const Message& subscribe, Instant now) {
  const auto least = static_cast<std::uint32_t>(limits_.least.count());
  const auto most = static_cast<std::uint32_t>(limits_.most.count());
  const auto usual = static_cast<std::uint32_t>(limits_.usual.count());
  const std::uint32_t seconds = std::min(seconds_of(subscribe, HeaderName::kExpires).value_or(usual), most);
  if (seconds == 0) {
    expires_ = now;
    end(SubscriptionEnd::kTimeout);
    return {};
  }
  // RFC 6665 §4.2.1.1: 423 only for less than an hour, which `least` is.
  if (seconds < least) return std::unexpected{Refusal{423, least}};
  expires_ = now + std::chrono::seconds{seconds};
  return {};
}

Message Subscription::make_response(const Message& subscribe, Instant now) const {
  Message response = dialog_.make_response(subscribe, 200);
  const bool over = state_ == State::kTerminated;
  response.add(HeaderName::kExpires, over ? "0" : std::to_string(whole_seconds(expires_ - now)));
  return response;
}

void Subscription::write_refusal(const Refusal& refusal, Message& response) {
  if (refusal.status == 423) response.set(HeaderName::kMinExpires, std::to_string(refusal.min_expires_s));
}

void Subscription::agree() {
  if (state_ == State::kPending) state_ = State::kActive;
}

void Subscription::end(SubscriptionEnd why) {
  if (state_ == State::kTerminated) return;
  state_ = State::kTerminated;
  end_ = why;
}

bool Subscription::tick(Instant now) {
  if (state_ == State::kTerminated || now < expires_) return false;
  end(SubscriptionEnd::kTimeout);
  return true;
}

Deadline Subscription::deadline() const {
  if (state_ == State::kTerminated) return Deadline::never();
  return {expires_, "a subscription runs out (RFC 6665 §4.2.2)"};
}

Message Subscription::make_notify(std::string_view content_type, std::string_view body, Instant now) {
  Message notify = dialog_.make_request(Method::kNotify);
  notify.add(HeaderName::kEvent, event_);
  SubscriptionState state;
  if (state_ == State::kTerminated) {
    state.state = "terminated";
    state.reason = name_of(*end_);
  } else {
    state.state = state_ == State::kPending ? "pending" : "active";
    state.expires = whole_seconds(expires_ - now);
  }
  notify.add(HeaderName::kSubscriptionState, state.to_string());
  if (!body.empty()) notify.set_body(content_type, body);
  return notify;
}

void Subscription::on_notify_response(int status) {
  // RFC 6665 §4.2.2 leaves a failed NOTIFY without Retry-After to end the subscription; 401 and 407 are
  // somebody's question, not a refusal.
  if (status >= 300 && status != 401 && status != 407) end(SubscriptionEnd::kNoResource);
}

std::string sipfrag(int status, std::string_view reason) {
  std::string line = "SIP/2.0 " + std::to_string(status) + " ";
  line.append(reason.empty() ? reason_phrase(status) : reason);
  return line.append("\r\n");
}

std::optional<int> parse_sipfrag(std::string_view body) {
  constexpr std::string_view kVersion = "SIP/2.0 ";
  if (body.size() < kVersion.size() + 3 || !iequals(body.substr(0, kVersion.size()), kVersion)) {
    return std::nullopt;
  }
  const std::string_view rest = body.substr(kVersion.size());
  const auto status = to_number<int>(rest.substr(0, 3));
  const bool ends = rest.size() == 3 || rest[3] == ' ' || rest[3] == '\r' || rest[3] == '\n';
  if (!status || !ends || *status < 100 || *status > 699) return std::nullopt;
  return status;
}

Message make_refer_notify(Dialog& dialog, int status, std::chrono::seconds left, std::uint32_t refer_cseq,
                          std::string_view reason) {
  Message notify = dialog.make_request(Method::kNotify);
  std::string event = "refer";
  if (refer_cseq != 0) event.append(";id=").append(std::to_string(refer_cseq));
  notify.add(HeaderName::kEvent, event);
  SubscriptionState state;
  if (status >= 200) {
    state.state = "terminated";
    state.reason = name_of(SubscriptionEnd::kNoResource);
  } else {
    state.state = "active";
    state.expires = whole_seconds(left);
  }
  notify.add(HeaderName::kSubscriptionState, state.to_string());
  notify.set_body(kSipfragType, sipfrag(status, reason));
  return notify;
}

}  // namespace bw::sip
