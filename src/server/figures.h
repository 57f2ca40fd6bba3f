// What is counted on the threads that do the work, and read by whoever wants to know.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "model/call_record.h"

namespace bw::server {

struct Figures {
  using Count = std::atomic<std::uint64_t>;
  Count datagrams_in = 0;  // of SIP
  Count datagrams_out = 0;
  Count stream_messages_in = 0;
  Count stream_messages_out = 0;
  std::array<Count, 5> ended_calls{};  // by model::Disposition
};

}  // namespace bw::server
