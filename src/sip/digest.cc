#include "sip/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cassert>
#include <stdexcept>

#include "base/hex.h"

namespace bw::sip {
namespace {

struct FreeMd {
  void operator()(EVP_MD* md) const { EVP_MD_free(md); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Md = std::unique_ptr<EVP_MD, FreeMd>;
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

}  // namespace

std::string_view algorithm_token(DigestHash hash) {
  switch (hash) {
    case DigestHash::kMd5:
      return "MD5";
    case DigestHash::kSha256:
      return "SHA-256";
  }
  return {};
}

HexDigest::HexDigest(std::span<const std::uint8_t> bytes) {
  assert(bytes.size() <= kMaxBytes);
  for (const std::uint8_t byte : bytes) {
    text_[length_++] = kHexDigits[byte >> 4U];
    text_[length_++] = kHexDigits[byte & 15U];
  }
}

struct DigestComputer::Impl {
  Md md5{EVP_MD_fetch(nullptr, "MD5", nullptr)};
  Md sha256{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  // One for each hash: a context that changes its function frees and allocates its inner state.
  Context md5_context{EVP_MD_CTX_new()};
  Context sha256_context{EVP_MD_CTX_new()};
  std::uint64_t operations = 0;

  // The hash of the parts with ':' between them.
  HexDigest joined(DigestHash hash, std::initializer_list<std::string_view> parts) {
    ++operations;
    const bool is_md5 = hash == DigestHash::kMd5;
    EVP_MD_CTX* context = is_md5 ? md5_context.get() : sha256_context.get();
    bool ok = EVP_DigestInit_ex2(context, is_md5 ? md5.get() : sha256.get(), nullptr) == 1;
    bool first = true;
    for (const std::string_view part : parts) {
      if (!first) ok = ok && EVP_DigestUpdate(context, ":", 1) == 1;
      first = false;
      ok = ok && EVP_DigestUpdate(context, part.data(), part.size()) == 1;
    }
    std::array<std::uint8_t, HexDigest::kMaxBytes> bytes{};
    unsigned length = 0;
    ok = ok && EVP_DigestFinal_ex(context, bytes.data(), &length) == 1;
    // Empty on a failure inside the library: equal to no digest of the right length.
    return ok ? HexDigest{std::span{bytes}.first(length)} : HexDigest{};
  }
};

DigestComputer::DigestComputer() : impl_(std::make_unique<Impl>()) {
  if (!impl_->md5 || !impl_->sha256 || !impl_->md5_context || !impl_->sha256_context) {
    throw std::runtime_error("the crypto library offers no MD5 or SHA-256: is it in FIPS mode?");
  }
}
DigestComputer::~DigestComputer() = default;
DigestComputer::DigestComputer(DigestComputer&&) noexcept = default;
DigestComputer& DigestComputer::operator=(DigestComputer&&) noexcept = default;

HexDigest DigestComputer::ha1(DigestHash hash, std::string_view username, std::string_view realm,
                              std::string_view password) {
  return impl_->joined(hash, {username, realm, password});
}

HexDigest DigestComputer::response(DigestHash hash, std::string_view ha1, const DigestInput& input) {
  const HexDigest ha2 = impl_->joined(hash, {input.method, input.uri});
  if (input.qop.empty()) return impl_->joined(hash, {ha1, input.nonce, ha2.view()});
  return impl_->joined(hash, {ha1, input.nonce, input.nc, input.cnonce, input.qop, ha2.view()});
}

std::uint64_t DigestComputer::operations() const {
  return impl_->operations;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace bw::sip
