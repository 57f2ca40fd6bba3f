#include "registrar/detail/gruu.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "base/ascii.h"
#include "base/base64.h"

namespace bw::registrar {
namespace {

constexpr std::size_t kText = 32;
constexpr std::size_t kMaxDigits = 18;  // with a leading 1 they fit into 64 bits

// The digits with a 1 before them, so that leading zeros are kept; 0 if it is not a number.
std::uint64_t to_code(std::string_view extension) {
  if (extension.empty() || extension.size() > kMaxDigits) return 0;
  std::uint64_t code = 1;
  for (const char c : extension) {
    if (!is_digit(c)) return 0;
    code = code * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return code;
}

}  // namespace

std::uint64_t GruuMint::mask_of(std::uint64_t nonce) const {
  std::array<char, 8> bytes{};
  std::memcpy(bytes.data(), &nonce, 8);
  return mask_({bytes.data(), bytes.size()});
}

std::uint64_t GruuMint::seal_of(std::uint64_t nonce, const model::Binding& binding) const {
  std::string text(8, '\0');
  std::memcpy(text.data(), &nonce, 8);
  for (const std::string_view part :
       {binding.extension.view(), std::string_view{binding.instance}, std::string_view{binding.call_id}}) {
    text.append(part).push_back('\0');
  }
  return seal_(text);
}

std::optional<std::string> GruuMint::temporary(const model::Binding& binding) {
  const std::uint64_t code = to_code(binding.extension.view());
  if (code == 0) return std::nullopt;
  const std::uint64_t nonce = rng_.u64();
  const std::array<std::uint64_t, 3> words{nonce, code ^ mask_of(nonce), seal_of(nonce, binding)};
  std::array<unsigned char, 24> bytes{};
  std::memcpy(bytes.data(), words.data(), bytes.size());
  return std::string{kTemporaryPrefix} + to_base64(bytes, Base64::kUrl);
}

std::optional<GruuMint::Opened> GruuMint::open(std::string_view user) const {
  if (!user.starts_with(kTemporaryPrefix)) return std::nullopt;
  user.remove_prefix(kTemporaryPrefix.size());
  std::array<std::uint64_t, 3> words{};
  if (user.size() != kText) return std::nullopt;
  const auto bytes = from_base64(user, Base64::kUrl);
  if (!bytes || bytes->size() != sizeof words) return std::nullopt;
  std::memcpy(words.data(), bytes->data(), sizeof words);
  const std::string digits = fmt::format("{}", words[1] ^ mask_of(words[0]));
  if (digits.size() < 2 || digits.front() != '1') return std::nullopt;
  return Opened{digits.substr(1), words[0], words[2]};
}

bool GruuMint::is_of(const Opened& opened, const model::Binding& binding) const {
  return !binding.instance.empty() && seal_of(opened.nonce, binding) == opened.seal;
}

}  // namespace bw::registrar
