// Numbers in network byte order. The caller has checked that they lie inside.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

namespace bw::rtp::detail {

inline std::uint16_t get16(std::span<const std::uint8_t> b, std::size_t at) {
  assert(at + 2 <= b.size());
  return static_cast<std::uint16_t>(b[at] << 8U | b[at + 1]);
}
inline std::uint32_t get32(std::span<const std::uint8_t> b, std::size_t at) {
  assert(at + 4 <= b.size());
  return std::uint32_t{b[at]} << 24U | std::uint32_t{b[at + 1]} << 16U | std::uint32_t{b[at + 2]} << 8U |
         std::uint32_t{b[at + 3]};
}
inline void put16(std::span<std::uint8_t> b, std::size_t at, std::uint16_t value) {
  assert(at + 2 <= b.size());
  b[at] = static_cast<std::uint8_t>(value >> 8U);
  b[at + 1] = static_cast<std::uint8_t>(value);
}
inline void put32(std::span<std::uint8_t> b, std::size_t at, std::uint32_t value) {
  put16(b, at, static_cast<std::uint16_t>(value >> 16U));
  put16(b, at + 2, static_cast<std::uint16_t>(value));
}

}  // namespace bw::rtp::detail
