// A key pressed during a call, told by INFO: application/dtmf-relay ("Signal=5", "Duration=160") and
// application/dtmf (the key alone). No RFC describes them; phones do what Cisco's and Nortel's did.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bw::sip {

inline constexpr std::string_view kDtmfRelay = "application/dtmf-relay";

// One of 0-9 * # A-D, or nothing if the body is of another kind or names no key. 10 is *, 11 is #, 12 to 15
// are A to D.
std::optional<char> info_digit(std::string_view content_type, std::string_view body);
// An application/dtmf-relay body.
std::string write_info_digit(char digit, std::uint32_t duration_ms);

}  // namespace bw::sip
