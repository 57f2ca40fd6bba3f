// Globally routable URIs of one phone of an extension (RFC 5627).
//
// Public: "sip:1001@host;gr=urn:uuid:…". Temporary: "sip:tgruu.<32 characters>@host;gr", which names neither
// the extension nor the phone: random, the extension under a mask made from it, and a seal over these, the
// instance and the Call-ID of the registration. So no table is kept, and all temporary ones end when the
// phone registers with another Call-ID (RFC 5627 §4.2), unregisters, or this process ends.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/rng.h"
#include "model/binding.h"
#include "registrar/detail/keyed_hash.h"

namespace bw::registrar {

class GruuMint {
 public:
  static constexpr std::string_view kTemporaryPrefix = "tgruu.";

  explicit GruuMint(Rng& rng) : rng_(rng), mask_(rng), seal_(rng) {}

  // The user part of a fresh temporary GRUU; nothing if the extension is not a number of at most 18 digits.
  std::optional<std::string> temporary(const model::Binding& binding);

  // What a temporary user part says; the seal is still to be compared with seal_of() of each binding.
  struct Opened {
    std::string extension;
    std::uint64_t nonce = 0;
    std::uint64_t seal = 0;
  };
  std::optional<Opened> open(std::string_view user) const;
  bool is_of(const Opened& opened, const model::Binding& binding) const;

 private:
  std::uint64_t mask_of(std::uint64_t nonce) const;
  std::uint64_t seal_of(std::uint64_t nonce, const model::Binding& binding) const;

  Rng& rng_;
  KeyedHash mask_;
  KeyedHash seal_;
};

}  // namespace bw::registrar
