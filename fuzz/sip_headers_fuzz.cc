// The first byte chooses a header, the rest is its value: what is read is written back to the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sip/auth_header.h"
#include "sip/contact.h"
#include "sip/cseq.h"
#include "sip/event.h"
#include "sip/grammar.h"
#include "sip/media_type.h"
#include "sip/name_addr.h"
#include "sip/rack.h"
#include "sip/reason.h"
#include "sip/replaces.h"
#include "sip/retry_after.h"
#include "sip/session_expires.h"
#include "sip/via.h"

namespace {

using namespace bw::sip;

void check(bool condition) {
  if (!condition) std::abort();
}

template <typename T>
void round_trip(std::string_view value) {
  const auto parsed = T::parse(value);
  if (!parsed) return;
  const std::string written = parsed->to_string();
  check(T::parse(written) == parsed);
}

void contact(std::string_view value) {
  const auto c = Contact::parse(value);
  if (!c) return;
  check(c->q() <= 1000);
  (void)c->expires();
  (void)c->instance();
  (void)c->reg_id();
}

void name_addr(std::string_view value) {
  round_trip<NameAddr>(value);
  const auto parsed = NameAddr::parse(value);
  if (!parsed) return;
  // One that is full already has no room for a tag.
  if (std::ranges::count(value, ';') < static_cast<std::ptrdiff_t>(Params::kMax))
    check(tag_of(with_tag(value, "x")) == "x");
  check(tag_of(without_tag(value)).empty());
  (void)parsed->display_name();
}

void lists(std::string_view value) {
  std::string_view rest = value;
  std::size_t before = rest.size() + 1;
  for (auto one = next_element(rest); !one.empty(); one = next_element(rest)) {
    check(rest.size() < before);
    before = rest.size();
  }
  (void)unquote(value);
  (void)MediaType::parse(value);
  (void)RetryAfter::parse(value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view value{reinterpret_cast<const char*>(data) + 1, size - 1};
  switch (data[0] % 13) {
    case 0:
      round_trip<Credentials>(value);
      break;
    case 1:
      round_trip<Challenge>(value);
      break;
    case 2:
      name_addr(value);
      break;
    case 3:
      round_trip<Via>(value);
      break;
    case 4:
      contact(value);
      break;
    case 5:
      round_trip<CSeq>(value);
      break;
    case 6:
      round_trip<RAck>(value);
      break;
    case 7:
      round_trip<SessionExpires>(value);
      break;
    case 8:
      round_trip<Replaces>(value);
      break;
    case 9:
      round_trip<Reason>(value);
      break;
    case 10:
      round_trip<Event>(value);
      break;
    case 11:
      round_trip<SubscriptionState>(value);
      break;
    default:
      lists(value);
      break;
  }
  return 0;
}
