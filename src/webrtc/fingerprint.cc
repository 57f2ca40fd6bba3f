#include "webrtc/fingerprint.h"

#include <openssl/evp.h>

#include <array>

#include "base/ascii.h"
#include "base/hex.h"

namespace bw::webrtc {
namespace {

struct Known {
  HashFunction hash;
  std::string_view name;
  std::size_t bytes;
};
constexpr std::array kKnown{Known{HashFunction::kSha256, "sha-256", 32},
                            Known{HashFunction::kSha384, "sha-384", 48},
                            Known{HashFunction::kSha512, "sha-512", 64}};

const EVP_MD* digest_of(HashFunction hash) {
  switch (hash) {
    case HashFunction::kSha256:
      return EVP_sha256();
    case HashFunction::kSha384:
      return EVP_sha384();
    case HashFunction::kSha512:
      return EVP_sha512();
  }
  return EVP_sha256();
}

// Names of hashes are compared without case (RFC 8122 §5 refers to a registry of lower-case ones, and phones
// write SHA-256).
const Known* known(std::string_view name) {
  for (const Known& k : kKnown) {
    if (iequals(name, k.name)) return &k;
  }
  return nullptr;
}

}  // namespace

std::optional<Fingerprint> parse_fingerprint(std::string_view value) {
  const auto space = value.find(' ');
  if (space == value.npos) return std::nullopt;
  const Known* k = known(value.substr(0, space));
  value.remove_prefix(space + 1);
  if (k == nullptr || value.size() != k->bytes * 3 - 1) return std::nullopt;
  Fingerprint f{k->hash, {}};
  f.digest.reserve(k->bytes);
  for (std::size_t i = 0; i < value.size(); i += 3) {
    const bool ends = i + 2 == value.size();
    if (!is_hex(value[i]) || !is_hex(value[i + 1]) || (!ends && value[i + 2] != ':')) return std::nullopt;
    f.digest += static_cast<char>(hex_value(value[i]) * 16 + hex_value(value[i + 1]));
  }
  return f;
}

std::string to_string(const Fingerprint& fingerprint) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out{kKnown.at(static_cast<std::size_t>(fingerprint.hash)).name};
  char separator = ' ';
  for (const char c : fingerprint.digest) {
    const auto byte = static_cast<std::uint8_t>(c);
    out += separator;
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 0xFU];
    separator = ':';
  }
  return out;
}

Fingerprint fingerprint_of(std::span<const std::uint8_t> certificate, HashFunction hash) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(certificate.data(), certificate.size(), digest.data(), &size, digest_of(hash), nullptr);
  return {hash, std::string(digest.begin(), digest.begin() + size)};
}

}  // namespace bw::webrtc
