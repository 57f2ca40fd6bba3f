#include "registrar/detail/keyed_hash.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>

namespace bw::registrar {

static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8);

KeyedHash::KeyedHash(Rng& rng) {
  rng.fill(std::as_writable_bytes(std::span{key_}));
}

std::uint64_t KeyedHash::operator()(std::string_view bytes) const {
  std::array<std::uint8_t, 8> out{};
  crypto_shorthash(out.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                   key_.data());
  std::uint64_t value = 0;
  std::memcpy(&value, out.data(), sizeof value);
  return value;
}

IpAddress source_of(const IpAddress& address) {
  if (address.is_v4()) return address;
  auto bytes = address.bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return IpAddress::v6(bytes);
}

std::array<char, 17> bytes_of(const IpAddress& address) {
  std::array<char, 17> out{};
  std::memcpy(out.data(), address.bytes().data(), 16);
  out[16] = address.is_v4() ? '4' : '6';
  return out;
}

}  // namespace bw::registrar
