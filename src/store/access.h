// Users, API keys, sessions and the audit log in the database.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "access/records.h"
#include "store/store.h"

namespace bw::store {

struct AuditFilter {
  std::size_t limit = 100;   // newest first
  std::uint64_t before = 0;  // only smaller numbers; 0: from the newest
  std::string who;           // empty: all
  std::string action;
};

// A view: the store outlives it. For the thread that owns the store.
class AccessTables {
 public:
  // Beyond so many the oldest entries of the audit log go.
  static constexpr std::uint64_t kAuditEntries = 200'000;

  explicit AccessTables(Store& store) : store_(store) {}

  // Sessions that have ended are removed.
  Result<access::Records> load(Instant now);
  // All of them or none.
  Result<void> apply(std::span<const access::Change> changes);
  Result<std::vector<access::AuditEntry>> audit(const AuditFilter& filter);

 private:
  Store& store_;
};

}  // namespace bw::store
