#include "testkit/phone_digest.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "testkit/phone_text.h"

namespace bw::testkit {
namespace {

std::string hex_of(const EVP_MD* algorithm, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &length, algorithm, nullptr);
  std::string out;
  for (unsigned i = 0; i < length; ++i) out += fmt::format("{:02x}", digest[i]);
  return out;
}

}  // namespace

std::string md5_hex(std::string_view text) {
  return hex_of(EVP_md5(), text);
}
std::string sha256_hex(std::string_view text) {
  return hex_of(EVP_sha256(), text);
}

std::string answer_challenge(std::string_view challenge, std::string_view method, std::string_view uri,
                             std::string_view user, std::string_view password, std::string_view cnonce,
                             std::uint32_t nonce_count) {
  const std::string_view realm = parameter(challenge, "realm");
  const std::string_view nonce = parameter(challenge, "nonce");
  const std::string_view opaque = parameter(challenge, "opaque");
  const std::string_view algorithm = parameter(challenge, "algorithm");
  const bool qop = parameter(challenge, "qop").find("auth") != std::string_view::npos;
  const auto hash = [&](std::string_view text) {
    return algorithm == "SHA-256" ? sha256_hex(text) : md5_hex(text);
  };
  const std::string ha1 = hash(fmt::format("{}:{}:{}", user, realm, password));
  const std::string ha2 = hash(fmt::format("{}:{}", method, uri));
  const std::string nc = fmt::format("{:08x}", nonce_count);
  const std::string response = qop ? hash(fmt::format("{}:{}:{}:{}:auth:{}", ha1, nonce, nc, cnonce, ha2))
                                   : hash(fmt::format("{}:{}:{}", ha1, nonce, ha2));
  std::string out = fmt::format(R"(Digest username="{}", realm="{}", nonce="{}", uri="{}", response="{}")",
                                user, realm, nonce, uri, response);
  if (!algorithm.empty()) out += fmt::format(", algorithm={}", algorithm);
  if (!opaque.empty()) out += fmt::format(R"(, opaque="{}")", opaque);
  if (qop) out += fmt::format(R"(, qop=auth, nc={}, cnonce="{}")", nc, cnonce);
  return out;
}

}  // namespace bw::testkit
