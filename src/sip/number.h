// Headers that are one number: Max-Forwards, Expires, Min-Expires, RSeq (RFC 3261 §20.22, §20.19, RFC 3262
// §7.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "sip/message.h"

namespace bw::sip {

// delta-seconds: digits; more than 32 bits count as the largest number (RFC 4475 §3.1.2.4 allows it).
std::optional<std::uint32_t> parse_delta_seconds(std::string_view text);

// 0..255.
std::optional<std::uint8_t> max_forwards_of(const Message& message);
// Expires or Min-Expires in seconds.
std::optional<std::uint32_t> seconds_of(const Message& message, HeaderName id);
// RSeq: 1..2^31-1.
std::optional<std::uint32_t> rseq_of(const Message& message);

}  // namespace bw::sip
