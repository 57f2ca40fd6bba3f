#include "webhooks/signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <optional>

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

std::string base64(const unsigned char* data, std::size_t size) {
  std::string out((size + 2) / 3 * 4 + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), data, static_cast<int>(size));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

// OpenSSL counts the padding as zero bytes and forgives blanks; we know how many there are, and forgive none.
std::optional<std::string> decoded(std::string_view text) {
  const auto letters = text.substr(0, std::min(text.find('='), text.size()));
  const std::size_t padding = text.size() - letters.size();
  const bool padded = text.substr(letters.size()).find_first_not_of('=') == text.npos;
  const bool clean = std::ranges::all_of(letters, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  });
  if (text.empty() || text.size() % 4 != 0 || padding > 2 || !padded || !clean) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes(text),
                                     static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  out.resize(static_cast<std::size_t>(length) - padding);
  return out;
}

}  // namespace

std::string key_of(std::string_view secret) {
  if (!secret.starts_with(kSecretPrefix)) return std::string(secret);
  return decoded(secret.substr(kSecretPrefix.size())).value_or(std::string(secret));
}

std::string body_signature(std::string_view secret, std::string_view body) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "sha256=";
  for (const unsigned char byte : hmac(secret, body)) {
    out += kHex[byte >> 4U];
    out += kHex[byte & 15U];
  }
  return out;
}

std::string standard_signature(std::string_view secret, std::string_view id, std::string_view timestamp,
                               std::string_view body) {
  std::string text;
  text.reserve(id.size() + timestamp.size() + body.size() + 2);
  text.append(id).append(".").append(timestamp).append(".").append(body);
  const Digest digest = hmac(key_of(secret), text);
  return "v1," + base64(digest.data(), digest.size());
}

Secret<std::string> new_secret(Rng& rng) {
  std::array<std::byte, 32> chance{};
  rng.fill(chance);
  return Secret(std::string(kSecretPrefix) +
                base64(reinterpret_cast<const unsigned char*>(chance.data()), chance.size()));
}

}  // namespace bw::webhooks
