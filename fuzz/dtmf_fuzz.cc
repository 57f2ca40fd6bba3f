// telephone-event packets in any order: each record is timestamp (2 bytes, times 16), flags, wait and
// payload.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "rtp/dtmf_receiver.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bw::rtp::DtmfReceiver receiver{size % 2 == 0 ? 8000U : 48'000U};
  bw::Instant now{bw::Duration{1'800'000'000'000'000'000}};
  std::size_t digits = 0;
  std::size_t packets = 0;
  const auto count = [&digits](const bw::rtp::Digits& out) {
    if (out.size() > 2) std::abort();
    for (const bw::rtp::Digit& d : out) {
      if (std::string_view{"0123456789*#ABCD"}.find(d.key) == std::string_view::npos) std::abort();
      ++digits;
    }
  };
  for (std::span<const std::uint8_t> rest{data, size}; rest.size() >= 8; rest = rest.subspan(8)) {
    now = now + bw::Duration{std::int64_t{rest[3]} * 4'000'000};
    if (receiver.deadline().at <= now) count(receiver.on_tick(now));
    bw::rtp::Header header;
    header.timestamp = (std::uint32_t{rest[0]} << 8U | rest[1]) << 4U;
    header.marker = (rest[2] & 1U) != 0;
    header.ssrc = rest[2] >> 6U;
    count(receiver.on_packet(header, rest.subspan(4, (rest[2] & 2U) != 0 ? 3 : 4), now));
    ++packets;
  }
  if (receiver.deadline().at != bw::Instant::far_future()) count(receiver.on_tick(receiver.deadline().at));
  if (receiver.deadline().at != bw::Instant::far_future()) std::abort();
  if (digits > packets) std::abort();  // a digit needs a packet of its own
  return 0;
}
