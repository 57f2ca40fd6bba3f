// RTCP of strangers: every packet of a compound is looked at through every accessor.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "rtp/rtcp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto reader = bw::rtp::RtcpReader::open({data, size});
  if (!reader) return 0;
  const bw::Instant now{bw::Duration{1'800'000'000'000'000'000}};
  std::size_t total = 0;
  while (const auto p = reader->next()) {
    total += p->bytes().size();
    (void)p->sender_ssrc();
    (void)p->sender_info();
    if (p->cname().size() > 255) std::abort();
    for (std::size_t i = 0; i < 32; ++i) (void)p->bye_ssrc(i);
    for (std::size_t i = 0; i < p->report_count(); ++i) {
      const auto rtt = bw::rtp::round_trip(p->report(i), now);
      if (rtt && (*rtt < bw::Duration{0} || *rtt > bw::Duration{61'000'000'000})) std::abort();
    }
  }
  if (total > size) std::abort();
  return 0;
}
