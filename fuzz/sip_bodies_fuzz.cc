// Bodies of SIP messages: the first line is the Content-Type, the rest the body.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sip/info_digit.h"
#include "sip/session_body.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bw::sip;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto end = text.find('\n');
  const std::string_view type = text.substr(0, end);
  const std::string_view body = end == text.npos ? std::string_view{} : text.substr(end + 1);

  auto message = Message::request(Method::kInvite, "sip:1@example.com");
  message.set_body(type, body);
  const std::string_view found = session_description(message);
  if (!found.empty() && message.body().find(found) == std::string_view::npos) std::abort();

  if (const auto digit = info_digit(type, body)) {
    if (info_digit(kDtmfRelay, write_info_digit(*digit, 100)) != digit) std::abort();
  }
  return 0;
}
