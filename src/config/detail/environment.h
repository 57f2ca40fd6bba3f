// ${NAME} and ${NAME:-default} in a value. Nothing else is special; what a variable holds is not looked into
// again, so it can neither name another variable nor add YAML.
#pragma once

#include <string>
#include <string_view>

#include "config/load.h"

namespace bw::config::detail {

struct Expansion {
  enum class Kind : std::uint8_t { kDone, kMissing, kMalformed, kTooLong };
  Kind kind = Kind::kDone;
  std::string text{};             // kDone
  std::string name{};             // kMissing: of the variable
  bool from_environment = false;  // a variable was put in: the result may be a secret
};

Expansion expand(std::string_view raw, const Environment& env, const Limits& limits);

}  // namespace bw::config::detail
