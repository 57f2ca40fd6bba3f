// Subscriptions of webhooks and how far each has come, in the database.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "events/stored.h"
#include "store/store.h"
#include "webhooks/webhooks.h"

namespace bw::store {

// A view: the store outlives it. For the thread that owns the store.
class WebhookTables {
 public:
  explicit WebhookTables(Store& store) : store_(store) {}

  Result<std::vector<webhooks::Saved>> load();
  // Each all or nothing.
  Result<void> keep(const webhooks::Keep& change);
  // Of a subscription that is no longer there nothing is written.
  Result<void> save(std::span<const webhooks::Snapshot> snapshots);

  // Those of `seqs` that the journal still holds, in that order.
  Result<std::vector<events::StoredEvent>> events(std::span<const std::uint64_t> seqs);
  struct Stretch {
    std::uint64_t first = 0;  // 0: there is nothing
    std::uint64_t last = 0;
  };
  // An event by its id, or what happened from `since` to `until`, both included.
  Result<Stretch> find(const std::string& event_id, std::optional<Instant> since,
                       std::optional<Instant> until);

 private:
  Result<Stretch> find(const std::string& event_id);

  Store& store_;
};

}  // namespace bw::store
