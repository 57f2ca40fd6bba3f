// The journal: every event, in the order of its number (docs/events.md). Written by Store::apply() and
// Store::close_open_calls(); this is the way to read it, and to forget what is old.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "events/stored.h"
#include "store/store.h"

namespace bw::store {

struct JournalFilter {
  std::uint64_t after = 0;                  // only greater numbers
  std::optional<std::uint64_t> until = {};  // and none greater than this
  std::size_t limit = 100;                  // at most kMaxLimit
  bool newest_first = false;
  std::vector<std::string> types = {};  // patterns of events::matches(); empty: all
  std::string call = {};                // empty: all
  std::string extension = {};           // whom it concerns; empty: all
  static constexpr std::size_t kMaxLimit = 2'000;
  // One reading looks at no more, so that it never holds up the commits: who filters goes on from `reached`.
  static constexpr std::uint64_t kMostLookedAt = 50'000;
};

struct JournalPage {
  std::vector<events::StoredEvent> events;
  // Everything up to this number has been looked at: the `after` of the next page. Newest first: everything
  // down to this one; the next page's `until` is one less.
  std::uint64_t reached = 0;
  bool complete = false;  // there is nothing more at present
};

// A view: the store outlives it. For the thread that owns the store.
class Journal {
 public:
  explicit Journal(Store& store) : store_(store) {}

  Result<JournalPage> read(const JournalFilter& filter);
  Result<std::uint64_t> newest_seq();  // 0: none
  Result<std::uint64_t> oldest_seq();
  // The number of the first event that happened then or later; one more than the newest if there is none.
  Result<std::uint64_t> first_since(Instant at);

  // Removes at most so many of the oldest, if they happened earlier; never the newest one, so that numbers
  // are not given twice. Answers how many: fewer than `most` means that nothing old is left.
  Result<std::size_t> remove_before(Instant at, std::size_t most);

 private:
  Store& store_;
};

}  // namespace bw::store
