// What people write into a subscription: nothing that is let through can break out of its header or request.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "webhooks/signature.h"
#include "webhooks/subscription.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const bool breaks = text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos;
  const bool url = !bw::webhooks::fault_of_url(text);
  const bool header =
      !bw::webhooks::fault_of_header(text, "value") || !bw::webhooks::fault_of_header("X-A", text);
  const bool secret = !bw::webhooks::fault_of_secret(text);
  const bool event = !bw::webhooks::fault_of_event(text);
  if (breaks && (url || header || secret || event)) std::abort();
  if (url && bw::webhooks::host_of(text).empty()) std::abort();
  if (bw::webhooks::key_of(text).size() > text.size()) std::abort();
  return 0;
}
