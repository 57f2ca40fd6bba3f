// The session timer (RFC 4028): a call whose peer vanished without BYE does not last for ever.
//
// A value per dialog that reads and writes headers; its owner keeps the clock: after each successful INVITE
// or UPDATE, in either direction, it asks refresh_after() and dies_after() and starts its timers again.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "sip/message.h"

namespace bw::sip {

struct SessionTimerSettings {
  std::chrono::seconds interval{1800};  // what we ask for
  std::chrono::seconds least{90};       // what we accept (Min-SE); never less than 90 s (RFC 4028 §4)
  bool enabled = true;                  // false: we never ask, but still do as we are asked
};

class SessionTimer {
 public:
  explicit SessionTimer(SessionTimerSettings settings = {});

  // ---- as UAC (§7) ----
  // Session-Expires, Min-SE and Supported for an INVITE or UPDATE of ours.
  void write_request(Message& request) const;
  // A 2xx to it: the timer runs, starts again, or is off (no Session-Expires: §7.2).
  void read_response(const Message& response);
  // A 422 to it: true if a longer interval was agreed to and the request is worth sending again (§7.3).
  bool read_too_small(const Message& response);

  // ---- as UAS (§9) ----
  // Must `request` be refused with 422 and write_too_small()?
  bool is_too_small(const Message& request) const;
  void write_too_small(Message& response) const;
  // Session-Expires and Require for the 2xx to an INVITE or UPDATE; the timer runs, or is off.
  void write_response(const Message& request, Message& response);

  bool running() const { return seconds_ != 0; }
  bool we_refresh() const { return running() && ours_; }
  Duration interval() const { return std::chrono::seconds{seconds_}; }
  // §7.4: half of the interval; only if we_refresh().
  Duration refresh_after() const { return interval() / 2; }
  // §10: when to send BYE if no refresh came, or ours was not answered.
  Duration dies_after() const;

 private:
  static constexpr std::uint32_t kLeast = 90;
  static constexpr std::uint32_t kMost = 7 * 24 * 3600;  // a peer that demands more is not worth asking again

  SessionTimerSettings settings_;
  std::uint32_t wanted_ = 0;
  std::uint32_t least_ = kLeast;   // our own Min-SE
  std::uint32_t min_se_ = kLeast;  // the largest we know of: our own, or a 422's
  std::uint32_t seconds_ = 0;      // agreed; 0: off
  bool ours_ = false;              // we refresh
};

}  // namespace bw::sip
