// Content-Type and one element of Accept (RFC 3261 §20.15, §20.1): "multipart/mixed;boundary=abc".
#pragma once

#include <optional>
#include <string_view>

#include "sip/message.h"
#include "sip/params.h"

namespace bw::sip {

// A view; valid as long as the text it was read from.
struct MediaType {
  std::string_view type;
  std::string_view subtype;
  Params params;

  static std::optional<MediaType> parse(std::string_view value);
  // Without regard to case; '*' in `this` (an Accept range) matches anything.
  bool matches(std::string_view other_type, std::string_view other_subtype) const;
  friend bool operator==(const MediaType&, const MediaType&) = default;
};

// Content-Type is that; false when absent.
bool has_body_of(const Message& message, std::string_view type, std::string_view subtype);
// Accept takes it; without an Accept header application/sdp is taken and nothing else (§20.1).
bool accepts(const Message& message, std::string_view type, std::string_view subtype);

}  // namespace bw::sip
