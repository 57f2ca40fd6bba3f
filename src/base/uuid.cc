#include "base/uuid.h"

#include <array>
#include <cstdint>
#include <string_view>

#include "base/hex.h"

namespace bw {

std::string uuid_v7(Instant now, Rng& rng) {
  constexpr std::string_view kShape = "00000000-0000-7000-8000-000000000000";
  const std::uint64_t time = static_cast<std::uint64_t>(now.unix_ms()) & 0xFFFF'FFFF'FFFFU;
  const std::uint64_t chance = rng.u64();
  // rand_a (12 bits) and rand_b (62 bits); the four bits of the version and the two of the variant are fixed.
  const std::uint64_t high = time << 16U | 0x7000U | (rng.u64() & 0x0FFFU);
  const std::uint64_t low = (chance & 0x3FFF'FFFF'FFFF'FFFFU) | 0x8000'0000'0000'0000U;
  std::string text(kShape);
  unsigned digit = 0;
  for (char& c : text) {
    if (c == '-') continue;
    const std::uint64_t word = digit < 16 ? high : low;
    c = kHexDigits[word >> (60U - digit % 16 * 4U) & 0xFU];
    ++digit;
  }
  return text;
}

}  // namespace bw
