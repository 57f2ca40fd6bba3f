// Where phones are, as far as the call logic needs to know.
#pragma once

#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/binding.h"

namespace bw::ports {

class Contacts {
 public:
  virtual ~Contacts() = default;
  // What a call to this extension rings, best first; the pointers are good until something registers.
  virtual std::vector<const model::Binding*> contacts(std::string_view extension, Instant now) const = 0;
};

}  // namespace bw::ports
