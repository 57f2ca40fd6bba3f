// The arithmetic of digest authentication (RFC 2617 §3.2.2, RFC 7616 §3.4.1, RFC 8760), qop=auth.
//
// Header syntax is elsewhere: this file only hashes, and compares without telling where a difference is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace bw::sip {

enum class DigestHash : std::uint8_t { kMd5, kSha256 };
// The value of an algorithm parameter: "MD5", "SHA-256".
std::string_view algorithm_token(DigestHash hash);

// A digest in lower-case hex, on the stack.
class HexDigest {
 public:
  static constexpr std::size_t kMaxBytes = 32;  // SHA-256
  HexDigest() = default;
  explicit HexDigest(std::span<const std::uint8_t> bytes);  // at most kMaxBytes
  std::string_view view() const { return {text_.data(), length_}; }

 private:
  std::array<char, kMaxBytes * 2> text_{};
  std::size_t length_ = 0;
};

// What a response hash covers besides H(A1). With an empty qop the form of RFC 2069 is computed
// (a client of old servers needs it; Bellwire as a server always demands qop=auth).
struct DigestInput {
  std::string_view method;
  std::string_view uri;  // as written in the credentials
  std::string_view nonce;
  std::string_view nc = {};  // eight hex digits as received
  std::string_view cnonce = {};
  std::string_view qop = "auth";
};

// Owns the fetched hash functions and one context, so that a hash costs no look-up and no allocation.
// Belongs to one thread.
class DigestComputer {
 public:
  DigestComputer();  // throws std::runtime_error if the crypto library offers neither hash: start-up only
  ~DigestComputer();
  DigestComputer(DigestComputer&&) noexcept;
  DigestComputer& operator=(DigestComputer&&) noexcept;

  // H(username:realm:password), what is stored instead of a password.
  HexDigest ha1(DigestHash hash, std::string_view username, std::string_view realm,
                std::string_view password);
  // KD(H(A1), nonce:nc:cnonce:qop:H(A2)) with `ha1` in hex.
  HexDigest response(DigestHash hash, std::string_view ha1, const DigestInput& input);

  // How many hashes were computed since construction: equal work is proved by equal counts.
  std::uint64_t operations() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Takes the same time wherever the first difference is; different lengths are simply unequal.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace bw::sip
