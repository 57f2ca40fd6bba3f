#include "sip/method.h"

#include <array>

namespace bw::sip {
namespace {

constexpr std::array<std::string_view, 15> kNames = {"",         "INVITE",    "ACK",    "BYE",     "CANCEL",
                                                     "REGISTER", "OPTIONS",   "PRACK",  "UPDATE",  "INFO",
                                                     "REFER",    "SUBSCRIBE", "NOTIFY", "MESSAGE", "PUBLISH"};
static_assert(kNames.size() == static_cast<std::size_t>(Method::kPublish) + 1);

}  // namespace

Method method_from(std::string_view name) {
  for (std::size_t i = 1; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Method>(i);
  }
  return Method::kUnknown;
}

std::string_view name_of(Method method) {
  return kNames[static_cast<std::size_t>(method)];
}

}  // namespace bw::sip
