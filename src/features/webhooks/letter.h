// An event on its way to a subscription: its body, rendered once, and the request of one attempt.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"
#include "events/stored.h"
#include "ports/outbound_http.h"
#include "webhooks/subscription.h"

namespace bw::webhooks {

struct Letter {
  std::string event_id;
  std::string type;
  std::string body;
};

Letter letter_of(const events::StoredEvent& event);

// What must stay in order: the events of one call, else those of one extension; an event of neither is alone.
std::string order_key(const events::StoredEvent& event);

struct Posting {
  std::uint64_t id = 0;
  Duration timeout{};
  std::string user_agent;
};

// Signed for this moment: every attempt has a timestamp of its own, so that a receiver can refuse old ones.
http::Call call_of(const Letter& letter, const Subscription& subscription, const Posting& posting,
                   Instant now);

}  // namespace bw::webhooks
