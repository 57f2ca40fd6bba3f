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
  // The one phone that a GRUU names (RFC 5627): `user` and its gr parameter, unescaped; null: not there now.
  virtual const model::Binding* by_gruu(std::string_view user, std::string_view gr, Instant now) const = 0;
};

}  // namespace bw::ports
