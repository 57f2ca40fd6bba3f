// Credentials at rest: sealed with a key that does not lie in the database (libsodium secretbox,
// XSalsa20-Poly1305), so that a copy of the database alone opens nothing.
#pragma once

#include <array>
#include <cstddef>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace bw::store {

// 256 bits; wiped when the object goes. Copied only into the Store that uses it.
class SealKey {
 public:
  static constexpr std::size_t kBytes = 32;

  // Reads `data_directory`/secret.key (mode 0600, 64 hex digits and a newline), or makes it when there is
  // none. The error is a sentence for the operator: unreadable, readable by others, damaged.
  static std::expected<SealKey, std::string> load_or_make(const std::filesystem::path& data_directory);
  explicit SealKey(const std::array<unsigned char, kBytes>& bytes) : bytes_(bytes) {}
  SealKey(const SealKey&) = default;
  SealKey& operator=(const SealKey&) = default;
  ~SealKey();

  // base64 of nonce and box; `purpose` is sealed in, so that a box moved to another row does not open there.
  std::string seal(std::string_view plain, std::string_view purpose) const;
  // None: another key, another purpose, or damaged.
  std::optional<std::string> open(std::string_view sealed, std::string_view purpose) const;

 private:
  std::array<unsigned char, kBytes> bytes_{};
};

}  // namespace bw::store
