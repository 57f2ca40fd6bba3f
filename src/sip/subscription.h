// Subscriptions at the side that notifies (RFC 6665 §4.2), and the one a REFER makes (RFC 3515 §2.4).
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/core.h"
#include "sip/dialog.h"
#include "sip/message.h"

namespace bw::sip {

struct SubscriptionLimits {
  std::chrono::seconds least{60};    // shorter than this, but not 0, is answered 423 (RFC 6665 §4.2.1.1)
  std::chrono::seconds usual{3600};  // if the subscriber names nothing
  std::chrono::seconds most{86'400};
};

// Why a subscription ended (RFC 6665 §4.2.2): tells the subscriber whether to come back.
enum class SubscriptionEnd : std::uint8_t {
  kDeactivated,  // subscribe again at once
  kProbation,    // later
  kRejected,     // never
  kTimeout,      // its time ran out
  kGiveUp,       // no decision could be had
  kNoResource,   // what was watched is no more
  kInvariant,    // it will never change again
};
std::string_view name_of(SubscriptionEnd end);

// One subscription with its dialog. Owned by whatever knows the watched thing. Each change of state is told
// by the NOTIFY that the owner makes next.
class Subscription {
 public:
  enum class State : std::uint8_t { kPending, kActive, kTerminated };
  struct Refusal {
    int status = 400;  // 423 with Min-Expires, 489 without Event, 400 without dialog
    std::uint32_t min_expires_s = 0;
  };

  // From a SUBSCRIBE outside any dialog. Expires: 0 gives one NOTIFY and ends (a fetch): state() is then
  // kTerminated already. `pending`: somebody must still agree.
  static std::expected<Subscription, Refusal> accept(const Message& subscribe, std::string_view local_tag,
                                                     std::string_view contact, bool secure, Instant now,
                                                     bool pending = false, SubscriptionLimits limits = {});
  // A SUBSCRIBE in its dialog: longer, or Expires: 0 for the end (kTimeout).
  std::expected<void, Refusal> refresh(const Message& subscribe, Instant now);
  // 200 to the SUBSCRIBE that was just accepted, with its Expires.
  Message make_response(const Message& subscribe, Instant now) const;
  static void write_refusal(const Refusal& refusal, Message& response);

  void agree();  // pending → active
  void end(SubscriptionEnd why);
  // True if the time ran out: a last NOTIFY is due.
  bool tick(Instant now);
  Deadline deadline() const;

  // With Event, Subscription-State and body.
  Message make_notify(std::string_view content_type, std::string_view body, Instant now);
  // RFC 6665 §4.2.2: a NOTIFY that fails takes the subscription with it. 408 for a timeout.
  void on_notify_response(int status);

  State state() const { return state_; }
  std::optional<SubscriptionEnd> why_ended() const { return end_; }
  const std::string& event() const { return event_; }
  Dialog& dialog() { return dialog_; }
  const Dialog& dialog() const { return dialog_; }

 private:
  Subscription(Dialog dialog, std::string event, SubscriptionLimits limits);
  std::expected<void, Refusal> prolong(const Message& subscribe, Instant now);

  Dialog dialog_;
  std::string event_;  // the whole Event value, id included
  SubscriptionLimits limits_;
  State state_ = State::kActive;
  std::optional<SubscriptionEnd> end_;
  Instant expires_;
};

// ---- REFER ----
// RFC 3515 §2.4.5: how far the call to the refer target has come, as the body of message/sipfrag;version=2.0.
inline constexpr std::string_view kSipfragType = "message/sipfrag;version=2.0";
std::string sipfrag(int status, std::string_view reason = {});
// The status in such a body; nullopt if it does not begin with a status line.
std::optional<int> parse_sipfrag(std::string_view body);

// Makes a NOTIFY in `dialog` for the implicit subscription of a REFER. A final status ends the subscription.
// `refer_cseq` goes into Event's id for the second and later REFERs of a dialog (§2.4.6); 0: none.
Message make_refer_notify(Dialog& dialog, int status, std::chrono::seconds left, std::uint32_t refer_cseq = 0,
                          std::string_view reason = {});

}  // namespace bw::sip
