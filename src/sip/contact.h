// One Contact element (RFC 3261 §20.10) with what registration adds (RFC 5626 §4.1, RFC 5627).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "sip/name_addr.h"

namespace bw::sip {

// A view; valid as long as the text it was read from.
struct Contact {
  bool wildcard = false;  // "*": all bindings (§10.2.2)
  NameAddr address;       // empty if wildcard

  static std::optional<Contact> parse(std::string_view element);

  // ;expires in seconds. A number beyond 32 bits counts as the largest one; anything else as absent (§20.19).
  std::optional<std::uint32_t> expires() const;
  // ;q in thousandths, 0..1000; 1000 if absent or malformed.
  std::uint16_t q() const;
  // +sip.instance without quotes and angle brackets: "urn:uuid:..."; empty if absent.
  std::string_view instance() const;
  std::optional<std::uint32_t> reg_id() const;

  friend bool operator==(const Contact&, const Contact&) = default;
};

// qvalue (§25.1) in thousandths: "1", "0.5", "0.333".
std::optional<std::uint16_t> parse_qvalue(std::string_view text);

}  // namespace bw::sip
