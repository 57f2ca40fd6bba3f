// Two URIs in one input, a line break between them: round trip of each, and a symmetric comparison.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sip/uri.h"

namespace {

void check(bool condition) {
  if (!condition) std::abort();
}

void check_one(std::string_view text) {
  using namespace bw::sip;
  const auto u = Uri::parse(text);
  if (!u) return;
  const std::string written = u->to_string();
  const auto again = Uri::parse(written);
  check(again == u);
  check(equivalent(*u, *again));
  (void)u->decoded_user();
  if (u->is_sip()) check(Uri::parse(u->address_of_record()).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bw::sip;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const std::size_t middle = std::min(text.find('\n'), text.size());
  const std::string_view first = text.substr(0, middle);
  const std::string_view second = middle == text.size() ? std::string_view{} : text.substr(middle + 1);
  check_one(first);
  check_one(second);
  const auto a = Uri::parse(first);
  const auto b = Uri::parse(second);
  if (a && b) check(equivalent(*a, *b) == equivalent(*b, *a));
  return 0;
}
