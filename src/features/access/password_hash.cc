#include "access/password_hash.h"

#include <sodium.h>

#include <new>

#include "base/base64.h"

namespace bw::access {
namespace {

constexpr std::size_t kHashBytes = 32;
constexpr unsigned long long kPasses = 2;
constexpr std::size_t kMemory = std::size_t{64} << 20U;

}  // namespace

std::string hash_password(const Secret<std::string>& password, std::span<const std::byte, kSaltBytes> salt) {
  static_assert(kSaltBytes == crypto_pwhash_argon2id_SALTBYTES);
  std::array<unsigned char, kHashBytes> hash{};
  const auto* salt_bytes = reinterpret_cast<const unsigned char*>(salt.data());
  const std::string& text = password.reveal();
  if (crypto_pwhash_argon2id(hash.data(), hash.size(), text.data(), text.size(), salt_bytes, kPasses, kMemory,
                             crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
    throw std::bad_alloc{};
  }
  return "$argon2id$v=19$m=65536,t=2,p=1$" + to_base64({salt_bytes, salt.size()}, Base64::kUnpadded) + "$" +
         to_base64(hash, Base64::kUnpadded);
}

bool is_password(const std::string& hash, const Secret<std::string>& password) {
  if (!hash.starts_with("$argon2id$") || hash.size() >= crypto_pwhash_argon2id_STRBYTES) return false;
  const std::string& text = password.reveal();
  return crypto_pwhash_argon2id_str_verify(hash.c_str(), text.data(), text.size()) == 0;
}

const std::string& nobodys_hash() {
  // The hash is of zeros; no password has it.
  static const std::string kHash =
      "$argon2id$v=19$m=65536,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  return kHash;
}

}  // namespace bw::access
