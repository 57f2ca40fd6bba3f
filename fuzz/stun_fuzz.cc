// An answer is a whole STUN message with the id of the request, and never itself asks for an answer.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sip/stun_keep_alive.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view datagram{reinterpret_cast<const char*>(data), size};
  const bw::Endpoint from{bw::IpAddress::v4(0xC0000201), 32853};
  const auto answer = bw::sip::answer_stun(datagram, from);
  if (!answer) return 0;
  if (answer->size() < 20 || answer->size() % 4 != 0 || answer->size() > 80) std::abort();
  if (answer->substr(4, 16) != datagram.substr(4, 16)) std::abort();
  if (bw::sip::is_stun_request(*answer)) std::abort();
  return 0;
}
