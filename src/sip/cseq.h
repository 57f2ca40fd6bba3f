// CSeq (RFC 3261 §20.16): "4711 INVITE".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sip/method.h"

namespace bw::sip {

struct CSeq {
  std::uint32_t number = 0;  // less than 2^31 (§8.1.1.5)
  Method method = Method::kUnknown;
  std::string_view method_name;  // a view into what was parsed, or a name that lives for ever

  static std::optional<CSeq> parse(std::string_view value);
  static CSeq of(std::uint32_t number, Method method) { return {number, method, name_of(method)}; }
  std::string to_string() const;
  friend bool operator==(const CSeq&, const CSeq&) = default;
};

}  // namespace bw::sip
