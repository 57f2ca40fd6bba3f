// Request methods of RFC 3261 and its extensions. Unknown ones are carried by name.
#pragma once

#include <cstdint>
#include <string_view>

namespace bw::sip {

enum class Method : std::uint8_t {
  kUnknown,
  kInvite,
  kAck,
  kBye,
  kCancel,
  kRegister,
  kOptions,
  kPrack,      // RFC 3262
  kUpdate,     // RFC 3311
  kInfo,       // RFC 6086
  kRefer,      // RFC 3515
  kSubscribe,  // RFC 6665
  kNotify,     // RFC 6665
  kMessage,    // RFC 3428
  kPublish,    // RFC 3903
};

// Methods are case-sensitive (RFC 3261 §7.1).
Method method_from(std::string_view name);
// Empty for kUnknown.
std::string_view name_of(Method method);

}  // namespace bw::sip
