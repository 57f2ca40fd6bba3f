// Event and Subscription-State (RFC 6665 §8.2.1, §8.2.3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sip/params.h"

namespace bw::sip {

// A view; valid as long as the text it was read from.
struct Event {
  std::string_view package;  // "dialog", "message-summary", "refer"
  Params params;

  static std::optional<Event> parse(std::string_view value);
  std::string_view id() const { return params.get("id").value_or(std::string_view{}); }
  std::string to_string() const;
  // RFC 6665 §4.1.2: package and id decide whether two are the same subscription.
  bool same_as(const Event& other) const { return package == other.package && id() == other.id(); }
  friend bool operator==(const Event&, const Event&) = default;
};

// A view; valid as long as the text it was read from.
struct SubscriptionState {
  std::string_view state;                    // "active", "pending", "terminated" or an extension
  std::string_view reason;                   // "timeout", "noresource", ...
  std::optional<std::uint32_t> expires;      // seconds
  std::optional<std::uint32_t> retry_after;  // seconds

  static std::optional<SubscriptionState> parse(std::string_view value);
  bool is(std::string_view name) const;
  std::string to_string() const;
  friend bool operator==(const SubscriptionState&, const SubscriptionState&) = default;
};

}  // namespace bw::sip
