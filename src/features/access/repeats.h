// Idempotency keys: a request that acts and is sent again is answered as the first time, for 24 hours.
#pragma once

#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>

#include "base/secret.h"
#include "base/strong.h"
#include "base/time.h"

namespace bw::access {

struct RepeatLimits {
  std::size_t entries = 10'000;  // beyond: the oldest go
  std::size_t answer_bytes = 16'384;
  Duration kept = 24h;
};

// In memory alone: an answer may show a password that is written nowhere.
class Repeats {
 public:
  struct Fresh {};      // go on, and say how it ended
  struct Pending {};    // the first is still at work
  struct Different {};  // the key came with another request before
  struct Answered {
    int status = 200;
    Secret<std::string> body;
  };
  using Verdict = std::variant<Fresh, Pending, Different, Answered>;

  explicit Repeats(RepeatLimits limits = {}) : limits_(limits) {}

  // `key`: of one principal; `request`: a digest of what is asked.
  Verdict begin(const std::string& key, const std::string& request, Instant now);
  // A refusal that may pass (503, 429) is forgotten: the next try is a new one.
  void ended(const std::string& key, int status, const std::string& body);
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string key;
    std::string request;
    Instant at;
    std::optional<Answered> answer;
  };
  using Order = std::list<Entry>;  // the oldest first
  void forget(Order::iterator entry);

  RepeatLimits limits_;
  Order order_;
  std::unordered_map<std::string, Order::iterator> entries_;
};

}  // namespace bw::access
