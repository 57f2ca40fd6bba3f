// Session-Expires and Min-SE (RFC 4028 §4, §5): "1800;refresher=uac".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sip/params.h"

namespace bw::sip {

enum class Refresher : std::uint8_t { kUnspecified, kUac, kUas };

struct SessionExpires {
  std::uint32_t seconds = 0;
  Refresher refresher = Refresher::kUnspecified;

  // Other parameters are allowed and dropped; an unknown refresher is an error.
  static std::optional<SessionExpires> parse(std::string_view value);
  std::string to_string() const;
  friend bool operator==(const SessionExpires&, const SessionExpires&) = default;
};

// The seconds of a Min-SE value.
std::optional<std::uint32_t> parse_min_se(std::string_view value);

}  // namespace bw::sip
