// Figures over the calls of a period, summed by the database.
#pragma once

#include "model/call_statistics.h"
#include "store/store.h"

namespace bw::store {

// Of the calls that started in [from, before). For the thread that owns the store.
Result<model::CallStatistics> call_statistics(Store& store, Instant from, Instant before);

}  // namespace bw::store
