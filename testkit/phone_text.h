// How a phone reads the few parts of SIP text it needs, apart from src/sip's own readers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "sip/message.h"

namespace bw::testkit {

// A parameter of a header like `Digest realm="x", qop="auth"` or `<...>;tag=x`, without quotes; empty if
// absent.
std::string_view parameter(std::string_view header, std::string_view name);
std::string tag_of(const sip::Message& m, sip::HeaderName id);
std::uint32_t cseq_of(const sip::Message& m);
bool lists(const sip::Message& m, sip::HeaderName id, std::string_view token);
std::optional<std::uint32_t> leading_number(std::string_view text);
// "sip:1001@host" → "1001"; also out of a From value.
std::string user_of(std::string_view uri);
// Host and port of "sip:user@10.0.0.1:5060;transport=udp" or "<sip:10.0.0.1;lr>"; addresses only.
std::optional<Endpoint> endpoint_of(std::string_view uri);
// %XX of URI headers.
std::string unescaped(std::string_view text);

}  // namespace bw::testkit
