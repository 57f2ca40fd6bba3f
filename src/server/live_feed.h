// What ties the live stream (front thread) to the journal (database thread).
#pragma once

#include "api/live.h"
#include "io/front.h"
#include "store/store_thread.h"

namespace bw::server {

// Answers on the front thread. `listening` is what feed() gives.
api::LiveStream::Journal journal_of(io::Front& front, store::StoreThread& store, store::Listening& listening);
// Tells the stream of every commit, on the front thread, while somebody reads it. To be ended before the
// database thread.
[[nodiscard]] store::Listening feed(api::LiveStream& stream, io::Front& front, store::StoreThread& store);

}  // namespace bw::server
