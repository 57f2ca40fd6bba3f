// One Reason element (RFC 3326 §2): SIP;cause=200;text="Call completed elsewhere".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sip/message.h"

namespace bw::sip {

// A view; valid as long as the text it was read from.
struct Reason {
  std::string_view protocol;  // "SIP", "Q.850"
  std::optional<std::uint16_t> cause;
  std::string_view text;  // as on the wire, quotes included

  static std::optional<Reason> parse(std::string_view element);
  // The element of that protocol, if the message has one.
  static std::optional<Reason> of(const Message& message, std::string_view protocol);
  std::string plain_text() const;
  std::string to_string() const;
  friend bool operator==(const Reason&, const Reason&) = default;
};

// `text` is plain and is quoted here; empty is left out.
std::string make_reason(std::string_view protocol, std::uint16_t cause, std::string_view text = {});

}  // namespace bw::sip
