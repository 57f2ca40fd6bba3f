#include "access/password_hash.h"

#include <sodium.h>

#include <new>

namespace bw::access {
namespace {

constexpr std::size_t kHashBytes = 32;
constexpr unsigned long long kPasses = 2;
constexpr std::size_t kMemory = std::size_t{64} << 20U;

std::string base64(const unsigned char* bytes, std::size_t size) {
  constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
  std::string text(sodium_base64_encoded_len(size, kVariant), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes, size, kVariant);
  text.pop_back();  // the terminating zero
  return text;
}

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
  return "$argon2id$v=19$m=65536,t=2,p=1$" + base64(salt_bytes, salt.size()) + "$" +
         base64(hash.data(), hash.size());
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
