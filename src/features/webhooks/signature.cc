#include "webhooks/signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/base64.h"
#include "base/hex.h"

namespace bw::webhooks {
namespace {

using Digest = std::array<unsigned char, 32>;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Digest hmac(std::string_view key, std::string_view text) {
  Digest digest{};
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes(text), text.size(), digest.data(),
       &length);
  return digest;
}

}  // namespace

std::string key_of(std::string_view secret) {
  if (!secret.starts_with(kSecretPrefix)) return std::string(secret);
  const auto key = from_base64(secret.substr(kSecretPrefix.size()));
  return key && !key->empty() ? *key : std::string(secret);
}

std::string body_signature(std::string_view secret, std::string_view body) {
  return "sha256=" + to_hex(hmac(secret, body));
}

std::string standard_signature(std::string_view secret, std::string_view id, std::string_view timestamp,
                               std::string_view body) {
  std::string text;
  text.reserve(id.size() + timestamp.size() + body.size() + 2);
  text.append(id).append(".").append(timestamp).append(".").append(body);
  const Digest digest = hmac(key_of(secret), text);
  return "v1," + to_base64(digest);
}

Secret<std::string> new_secret(Rng& rng) {
  std::array<std::byte, 32> chance{};
  rng.fill(chance);
  const std::string_view key{reinterpret_cast<const char*>(chance.data()), chance.size()};
  return Secret(std::string(kSecretPrefix) + to_base64(key));
}

}  // namespace bw::webhooks
