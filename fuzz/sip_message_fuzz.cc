// Whatever parses must survive being written and read again, and every reader of its headers must stay within
// it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sip/validate.h"
#include "sip/via.h"

namespace {

void check(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bw::sip;
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  Message salvage;
  const auto m = parse(bytes, {}, &salvage);
  (void)validate_response(salvage);
  if (!m) return 0;
  const auto again = parse(to_string(*m));
  check(again.has_value() && *again == *m);
  const bool taken = m->is_request() ? !validate(*m) : !validate_response(*m);
  if (!taken) return 0;
  const auto via = Via::top(*m);
  check(via.has_value());
  Message changed = *m;
  changed.replace_first_element(HeaderName::kVia, via->with_source({bw::IpAddress::v4(0x01020304), 5060}));
  check(Via::top(changed).has_value());
  while (changed.has(HeaderName::kVia)) changed.remove_first_element(HeaderName::kVia);
  const auto without = parse(to_string(changed));
  check(without.has_value() && *without == changed);
  return 0;
}
