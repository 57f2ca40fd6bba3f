// Dates in requests: what is read can be written, and means the same when it is read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/moment.h"
#include "base/rfc3339.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto moment = bw::api::parse_moment({reinterpret_cast<const char*>(data), size});
  // An offset may lead out of the years that are read.
  constexpr std::int64_t kEnd = 7'258'118'400;  // of 2199
  if (!moment || moment->since_epoch() < bw::Duration{0} || moment->unix_s() >= kEnd) return 0;
  const auto again = bw::api::parse_moment(bw::rfc3339(*moment));
  if (!again || again->unix_ms() != moment->unix_ms()) std::abort();
  return 0;
}
