// Who wants to hear what: a subscription, and what may be written into one.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/secret.h"
#include "base/strong.h"
#include "base/time.h"
#include "events/stored.h"

namespace bw::webhooks {

using SubscriptionId = StrongString<struct SubscriptionIdTag>;

enum class Standing : std::uint8_t {
  kActive,
  kPaused,    // by Bellwire, after a long time of nothing but failures: its place in the journal is kept
  kDisabled,  // by a person, or by the receiver's 410: what happens meanwhile is not sent
};

using Headers = std::vector<std::pair<std::string, Secret<std::string>>>;

struct Subscription {
  SubscriptionId id;
  std::string url;
  std::vector<std::string> events = {"*"};  // "*", "call.*", "call.ended"
  std::vector<std::string> extensions;      // only what concerns one of them; empty: everything
  Headers headers;
  Secret<std::string> secret;  // empty: deliveries are not signed
  Secret<std::string> former;  // the one before, which signs as well until `former_until`
  Instant former_until;
  Standing standing = Standing::kActive;
  std::string reason;  // a sentence: why it is paused or disabled, when no person did it
  Instant created_at;
};

bool wants(const Subscription& subscription, const events::StoredEvent& event);

// "receiver.example:8080": what may be logged of a URL, whose path is often a credential.
std::string host_of(std::string_view url);
// The address, where it names one itself ("http://[::1]:9000/", "http://localhost/"). Other names need DNS.
std::optional<IpAddress> address_in(std::string_view url);

// What is wrong with a value, as a sentence; none: it may be used.
std::optional<std::string> fault_of_url(std::string_view url);
std::optional<std::string> fault_of_event(std::string_view pattern);
std::optional<std::string> fault_of_header(std::string_view name, std::string_view value);
std::optional<std::string> fault_of_secret(std::string_view secret);

}  // namespace bw::webhooks
