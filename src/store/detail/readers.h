// Rows back into values. All throw soci::soci_error, also for a row that no version of this program wrote.
#pragma once

#include <soci/soci.h>

#include <vector>

#include "store/store.h"

namespace bw::store::detail {

std::vector<model::Extension> read_extensions(soci::session& sql, const SealKey& key);
std::vector<model::Binding> read_bindings(soci::session& sql, Instant now);
std::vector<model::CallRecord> read_calls(soci::session& sql, const CallFilter& filter);

}  // namespace bw::store::detail
