#include "sip/token_list.h"

#include "sip/grammar.h"

namespace bw::sip {
namespace {

// Calls `is_it` for each element of each line until it says yes.
template <typename Predicate>
bool any_element(const Message& message, HeaderName id, Predicate is_it) {
  for (std::size_t i = 0; i < message.header_count(); ++i) {
    const Message::Header h = message.header(i);
    if (h.id != id) continue;
    std::string_view rest = h.value;
    for (auto one = next_element(rest); !one.empty(); one = next_element(rest)) {
      if (is_it(one)) return true;
    }
  }
  return false;
}

}  // namespace

bool lists(const Message& message, HeaderName id, std::string_view token) {
  return any_element(message, id, [&](std::string_view one) { return iequals(one, token); });
}

bool allows(const Message& message, Method method) {
  return any_element(message, HeaderName::kAllow,
                     [&](std::string_view one) { return one == name_of(method); });
}

bool wants_privacy(const Message& message, std::string_view kind) {
  return any_element(message, HeaderName::kPrivacy, [&](std::string_view line) {
    while (!line.empty()) {
      const std::size_t end = line.find(';');
      if (iequals(trim(line.substr(0, end)), kind)) return true;
      line = end == std::string_view::npos ? std::string_view{} : line.substr(end + 1);
    }
    return false;
  });
}

}  // namespace bw::sip
