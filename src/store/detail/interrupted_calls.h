// Calls that were cut off by the end of the last run.
#pragma once

#include <soci/soci.h>

#include <cstddef>
#include <string_view>

#include "base/rng.h"
#include "base/time.h"
#include "store/detail/journal_writer.h"

namespace bw::store::detail {

struct Restart {
  Instant now;
  Rng& rng;
  std::string_view sentence;  // for the records
};

// Ends each open record, and in the journal each call that has begun there and not ended. Answers how many
// records were open. Throws soci::soci_error; inside the caller's transaction.
std::size_t end_open_calls(soci::session& sql, JournalWriter& journal, const Restart& restart);

}  // namespace bw::store::detail
