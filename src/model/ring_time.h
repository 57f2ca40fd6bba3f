// How long phones may ring before a call goes elsewhere.
#pragma once

#include <cstdint>

namespace bw::model {

inline constexpr std::uint32_t kShortestRingSeconds = 5;  // about one ring
inline constexpr std::uint32_t kLongestRingSeconds = 600;

}  // namespace bw::model
