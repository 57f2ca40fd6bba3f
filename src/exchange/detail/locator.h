// Requests to a host that is known by name only: held back until the name service has answered, sent to one
// target after the other until one takes it (RFC 3263 §4.3).
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/rng.h"
#include "exchange/exchange.h"
#include "sip/resolver.h"
#include "sip/transaction.h"

namespace bw::exchange {

struct LocatorLimits {
  std::size_t requests = 1'000;  // beyond: they fail as if nothing had been found
};

class Locator {
 public:
  // What is to be done now: questions to ask, or the request to send, or its failure to report.
  struct Step {
    std::vector<Resolve> questions;
    std::optional<sip::SendRequest> send;
    std::optional<sip::RequestFailed> failed;
  };

  explicit Locator(Rng& rng, LocatorLimits limits = {}) : rng_(rng), limits_(limits) {}

  // A flow without a remote port asks to be located; one with an address goes nowhere else, whatever the name
  // says.
  static bool is_for(const sip::SendRequest& wish) { return wish.to.remote.port == 0; }

  Step start(sip::SendRequest wish);
  Step answered(dns::QueryId id, const dns::Answer& answer);
  // The request failed in transport or time: the next target, if there is one.
  std::optional<sip::SendRequest> next_target(sip::ClientTransactionId id);
  // Something answered, or nobody wants it any more. True if it was still held back and now never leaves.
  bool forget(sip::ClientTransactionId id);

 private:
  struct Request {
    sip::SendRequest wish;
    sip::Resolution resolution;
    bool sent = false;
  };
  struct Question {
    sip::ClientTransactionId request;
    dns::Question question;
  };

  Step proceed(sip::ClientTransactionId id);
  std::optional<sip::SendRequest> towards_next(Request& request);

  Rng& rng_;
  LocatorLimits limits_;
  std::unordered_map<sip::ClientTransactionId, Request> requests_;
  std::unordered_map<dns::QueryId, Question> questions_;
  std::uint64_t last_query_ = 0;
};

}  // namespace bw::exchange
