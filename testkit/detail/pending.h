// A request of a phone that waits for its response.
#pragma once

#include <cstdint>

#include "testkit/phone.h"

namespace bw::testkit {

struct Phone::Pending {
  sip::Message request;
  sip::Flow flow;
  std::uint32_t line = 0;  // 0: outside any call
  bool answered_challenge = false;
};

}  // namespace bw::testkit
