// A contact of an extension (RFC 3261 §10, RFC 5626, RFC 5627).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/extension.h"
#include "sip/flow.h"

namespace bw::model {

struct Binding {
  ExtensionNumber extension;
  std::string contact;       // the URI as registered, without header parameters
  std::string instance;      // +sip.instance without <>, empty if none
  std::uint32_t reg_id = 0;  // RFC 5626, 0 if none
  std::string call_id;       // of the REGISTER that made it
  std::uint32_t cseq = 0;
  std::uint16_t q_thousandths = 1000;
  std::vector<std::string> path;  // RFC 3327, topmost first
  sip::Flow flow;                 // where it came from; reused for calls to the phone
  std::string user_agent;
  Instant first_registered;
  Instant last_registered;
  Instant expires_at;
  friend bool operator==(const Binding&, const Binding&) = default;
};

// What a REGISTER, an expiry or a lost connection changes. Applied to memory and database alike.
struct BindingChange {
  enum class Kind : std::uint8_t { kAdded, kRefreshed, kRemoved };
  Kind kind = Kind::kAdded;
  Binding binding;
  std::string why;  // "registered", "refreshed", "unregistered by the phone", "expired", "connection lost"
};
using ChangeSet = std::vector<BindingChange>;

}  // namespace bw::model
