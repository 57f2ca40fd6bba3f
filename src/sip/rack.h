// RAck (RFC 3262 §7.2): "776656 1 INVITE".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sip/cseq.h"

namespace bw::sip {

// A view; valid as long as the text it was read from.
struct RAck {
  std::uint32_t rseq = 0;
  CSeq cseq;

  static std::optional<RAck> parse(std::string_view value);
  std::string to_string() const;
  friend bool operator==(const RAck&, const RAck&) = default;
};

}  // namespace bw::sip
