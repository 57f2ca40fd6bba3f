// Reliable provisional responses (RFC 3262): numbering, repetition until PRACK, and order at the other end.
// Plain values of an early dialog; their owner keeps the clock.
#pragma once

#include <cstdint>
#include <optional>

#include "base/core.h"
#include "base/rng.h"
#include "sip/dialog.h"
#include "sip/message.h"

namespace bw::sip {

// Does the caller ask for 100rel at all (Supported or Require, §3), or even demand it (Require)?
bool supports_100rel(const Message& invite);
bool requires_100rel(const Message& invite);

// The side that answers an INVITE: at most one unacknowledged response at a time (§3).
class ReliableProvisional {
 public:
  enum class Due : std::uint8_t {
    kNothing,
    kRepeat,  // send response() again
    kGaveUp,  // 64*T1 without PRACK: the INVITE should be refused with a 5xx (§3)
  };

  bool waiting() const { return response_.has_value(); }
  // Adds RSeq and Require: 100rel to a 101-199 and keeps it. Only if not waiting(). The caller sends
  // response().
  const Message& start(Message response, Rng& rng, Instant now, Duration t1 = 500ms);
  const Message& response() const { return *response_; }
  // The PRACK for what is waiting (§3: RSeq, CSeq number and method must match)? Then it waits no more and
  // the PRACK gets 200; otherwise 481.
  bool acknowledged_by(const Message& prack);
  // The INVITE got its final response: nothing is repeated any more.
  void stop() { response_.reset(); }

  Deadline deadline() const;
  Due tick(Instant now);

 private:
  std::optional<Message> response_;
  std::uint32_t rseq_ = 0;  // of the last one; 0: none yet
  Duration interval_{0};
  Instant next_;
  Instant end_;
};

// The side that sent the INVITE; one per early dialog, since each fork numbers on its own (§4).
class ProvisionalOrder {
 public:
  enum class Verdict : std::uint8_t {
    kUnreliable,  // no Require: 100rel, or no RSeq: use it, no PRACK
    kNew,         // use it and send a PRACK
    kRepeated,    // ignore it: the PRACK's own transaction repeats itself
    kOutOfOrder,  // ignore it, no PRACK: an earlier one is missing and will come again
  };
  Verdict take(const Message& response);

 private:
  std::uint32_t last_ = 0;
};

// The PRACK for a reliable response, in its early dialog (§4, §7.2).
Message make_prack(Dialog& dialog, const Message& response);

}  // namespace bw::sip
