// SipHash-2-4 under a key of this process: table keys nobody can collide, and the seal of nonces and GRUUs.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/address.h"
#include "base/rng.h"

namespace bw::registrar {

class KeyedHash {
 public:
  explicit KeyedHash(Rng& rng);
  std::uint64_t operator()(std::string_view bytes) const;

 private:
  std::array<std::uint8_t, 16> key_{};
};

// Whom failures are counted against: an IPv4 address, or the /64 of an IPv6 one, because a subscriber has all
// of that (RFC 6177 §2).
IpAddress source_of(const IpAddress& address);
// Seventeen bytes that are the address, to be put into a hash.
std::array<char, 17> bytes_of(const IpAddress& address);

}  // namespace bw::registrar
