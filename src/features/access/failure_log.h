// Failed logins on their way to the audit log.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "access/records.h"

namespace bw::access {

// What repeats itself becomes one entry more, with a count: whoever guesses must not push the changes of
// others out of the log, nor fill it. Bounded, also in entries per minute.
class FailureLog {
 public:
  struct Limits {
    Duration wrong = 1min;      // of one name from one address
    Duration locked = 15min;    // of one address, whatever name: it only knocks at a locked door
    std::size_t subjects = 30;  // at once; the others share one count
  };
  FailureLog() : FailureLog(Limits{}) {}
  explicit FailureLog(const Limits& limits) : limits_(limits) {}

  // The entry, if it is to be written now; else it was counted.
  std::optional<AuditEntry> add(AuditEntry&& entry);
  // Entries for what was counted, each once its time has passed.
  std::vector<AuditEntry> due(Instant now);
  // The same for all of it, before the end.
  std::vector<AuditEntry> rest();

 private:
  struct Counted {
    AuditEntry entry;  // the first; of the others: without a name
    Instant until;
    Instant last;
    std::uint64_t more = 0;
  };
  static AuditEntry told(Counted&& counted);
  std::vector<AuditEntry> take(bool all, Instant now);

  Limits limits_;
  std::map<std::pair<std::string, std::string>, Counted> counted_;  // by address and name
};

}  // namespace bw::access
