#include "access/failure_log.h"

#include "base/rfc3339.h"

namespace bw::access {
namespace {

constexpr int kLocked = 423;

const std::pair<std::string, std::string> kOthers{"*", "*"};  // no address

}  // namespace

std::optional<AuditEntry> FailureLog::add(AuditEntry&& entry) {
  const bool locked = entry.status == kLocked;
  // "*" is an address for no name; an empty name for no login that was looked at.
  auto key = std::pair{entry.from, locked ? std::string{} : entry.who};
  const auto it = counted_.find(key);
  if (it != counted_.end()) {
    ++it->second.more;
    it->second.last = entry.at;
    return std::nullopt;
  }
  const Instant now = entry.at;
  if (counted_.size() >= limits_.subjects) {
    Counted& others = counted_[kOthers];
    if (others.more++ == 0) {
      others.entry = {
          .at = now, .who = "(others)", .way = entry.way, .action = entry.action, .target = "(others)"};
      others.entry.status = entry.status;
      others.until = now + limits_.wrong;
    }
    others.last = now;
    return std::nullopt;
  }
  Counted& first = counted_[std::move(key)];
  first.entry = entry;
  first.until = now + (locked ? limits_.locked : limits_.wrong);
  return std::move(entry);
}

AuditEntry FailureLog::told(Counted&& counted) {
  AuditEntry entry = std::move(counted.entry);
  entry.before.clear();
  entry.after =
      R"({"repeated":)" + std::to_string(counted.more) + R"(,"since":")" + rfc3339(entry.at) + "\"}";
  entry.at = counted.last;
  return entry;
}

std::vector<AuditEntry> FailureLog::take(bool all, Instant now) {
  std::vector<AuditEntry> entries;
  for (auto it = counted_.begin(); it != counted_.end();) {
    if (!all && it->second.until > now) {
      ++it;
      continue;
    }
    if (it->second.more > 0) entries.push_back(told(std::move(it->second)));
    it = counted_.erase(it);
  }
  return entries;
}

std::vector<AuditEntry> FailureLog::due(Instant now) {
  return take(false, now);
}

std::vector<AuditEntry> FailureLog::rest() {
  return take(true, {});
}

}  // namespace bw::access
