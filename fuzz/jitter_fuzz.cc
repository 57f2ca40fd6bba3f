// A jitter buffer fed and emptied as the input says: it must stay bounded, and end every turn.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "rtp/jitter_buffer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bw;
  rtp::JitterBuffer buffer{8'000};
  Instant now{1'800'000'000s};
  std::span rest{data, size};
  rtp::Header header{false, 0, 65'000, 0xffff'0000, 1};
  while (rest.size() >= 4) {
    const std::uint8_t how = rest[0];
    now = now + std::chrono::milliseconds{rest[1]};
    header.sequence = static_cast<std::uint16_t>(header.sequence + static_cast<std::int8_t>(rest[2]));
    const int step = static_cast<std::int8_t>(rest[3]);
    header.timestamp += static_cast<std::uint32_t>((how & 8U) != 0 ? step * 2'000 : step * 80);
    if ((how & 16U) != 0) ++header.ssrc;
    if ((how & 32U) != 0) header.sequence = static_cast<std::uint16_t>(header.sequence + 2'000);
    rest = rest.subspan(4);
    if ((how & 1U) != 0) {
      const std::size_t length = std::min<std::size_t>(how >> 6U, rest.size());
      buffer.push(header, rest.first(length), now);
      rest = rest.subspan(length);
    }
    for (unsigned i = 0; i < (how >> 1U & 3U); ++i) {
      const auto heard = buffer.next(now);
      if (heard.kind == rtp::JitterBuffer::Step::Kind::kGap) {
        if (heard.ticks == 0 || heard.ticks > 8'000) std::abort();
        buffer.played(heard.ticks);
      } else if (heard.kind == rtp::JitterBuffer::Step::Kind::kPacket) {
        buffer.played(160);
        if (heard.surplus) buffer.left_out();
      }
    }
    if (buffer.delay() < 20ms || buffer.delay() > 400ms) std::abort();
  }
  return 0;
}
