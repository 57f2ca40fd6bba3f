// What every message must be before anybody acts on it (RFC 3261 §8.1.1, §8.2, §16.3, §18, RFC 4475).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sip/message.h"

namespace bw::sip {

struct Rejection {
  int status = 400;
  std::string_view why;  // one sentence, lives for ever; serves as the reason phrase of a 400
  HeaderName header = HeaderName::kUnknown;  // to add to the response: Unsupported (420), Accept (415), ...
  std::string header_value;
};

struct ValidationRules {
  // Option tags that Require may name; others are 420 (§8.2.2.3).
  std::span<const std::string_view> supported;
};

// Nullopt: the request can be handed on. Fast enough for every request: nothing is allocated unless it is
// rejected. Not looked at here, because only the user of the request can tell: whether the method is known
// (405, 501), the resource (404), credentials (401), and Max-Forwards 0, which ends a request only where it
// would be forwarded.
std::optional<Rejection> validate(const Message& request, const ValidationRules& rules = {});

// A response that fails this is dropped without a word (§16.7, §18.1.2).
std::optional<Rejection> validate_response(const Message& response);

// The status with which to answer bytes that parse() refused; nullopt: no answer (RFC 3261 §21.4.1).
std::optional<int> status_of(ParseError error);

}  // namespace bw::sip
