#include "store/seal.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "base/base64.h"

namespace bw::store {
namespace {

constexpr std::size_t kNonce = crypto_secretbox_NONCEBYTES;
constexpr std::size_t kTag = crypto_secretbox_MACBYTES;
static_assert(SealKey::kBytes == crypto_secretbox_KEYBYTES);

void start_sodium() {
  static const bool kReady = sodium_init() >= 0;
  if (!kReady) throw std::runtime_error("libsodium does not start: no source of randomness");
}

std::unexpected<std::string> failed(const std::filesystem::path& file, std::string_view what) {
  return std::unexpected(file.string() + ": " + std::string(what));
}

std::string system_reason() {
  return std::system_category().message(errno);
}

class File {  // closes what it holds
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

using KeyBytes = std::array<unsigned char, SealKey::kBytes>;

std::expected<SealKey, std::string> read_key(const std::filesystem::path& path, const File& file) {
  struct stat about{};
  if (::fstat(file.get(), &about) != 0) return failed(path, system_reason());
  if ((about.st_mode & 077U) != 0) return failed(path, "others may read it; it must have mode 0600");
  std::array<char, 2 * SealKey::kBytes + 2> hex{};
  const ssize_t got = ::read(file.get(), hex.data(), hex.size());
  if (got < 0) return failed(path, system_reason());
  const bool ended =
      got == static_cast<ssize_t>(2 * SealKey::kBytes) ||
      (got == static_cast<ssize_t>(2 * SealKey::kBytes + 1) && hex[2 * SealKey::kBytes] == '\n');
  KeyBytes bytes{};
  std::size_t length = 0;
  const bool right = ended && sodium_hex2bin(bytes.data(), bytes.size(), hex.data(), 2 * SealKey::kBytes,
                                             nullptr, &length, nullptr) == 0;
  sodium_memzero(hex.data(), hex.size());
  if (!right || length != bytes.size()) return failed(path, "not a key: 64 hexadecimal digits are expected");
  SealKey key(bytes);
  sodium_memzero(bytes.data(), bytes.size());
  return key;
}

// Written beside its place and linked into it, so that no crash leaves half a key and of two processes that
// start together both get the same one.
std::expected<void, std::string> make_key(const std::filesystem::path& path) {
  const std::filesystem::path draft = path.string() + '.' + std::to_string(::getpid());
  KeyBytes bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  std::array<char, 2 * SealKey::kBytes + 1> hex{};
  sodium_bin2hex(hex.data(), hex.size(), bytes.data(), bytes.size());
  hex.back() = '\n';
  bool written = false;
  {
    const File file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.is_open()) return failed(draft, system_reason());
    written = ::write(file.get(), hex.data(), hex.size()) == static_cast<ssize_t>(hex.size()) &&
              ::fsync(file.get()) == 0;
  }
  sodium_memzero(bytes.data(), bytes.size());
  sodium_memzero(hex.data(), hex.size());
  const bool linked = written && (::link(draft.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const std::string reason = linked ? std::string{} : system_reason();
  ::unlink(draft.c_str());
  if (!linked) return failed(path, reason);
  const File directory(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.is_open()) ::fsync(directory.get());  // the name is durable before anything is sealed with it
  return {};
}

}  // namespace

std::expected<SealKey, std::string> SealKey::load_or_make(const std::filesystem::path& data_directory) {
  start_sodium();
  const std::filesystem::path path = data_directory / "secret.key";
  for (const bool may_make : {true, false}) {
    const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (file.is_open()) return read_key(path, file);
    if (errno != ENOENT || !may_make) return failed(path, system_reason());
    if (auto made = make_key(path); !made) return std::unexpected(std::move(made.error()));
  }
  return failed(path, "cannot be made");
}

SealKey::~SealKey() {
  sodium_memzero(bytes_.data(), bytes_.size());
}

std::string SealKey::seal(std::string_view plain, std::string_view purpose) const {
  start_sodium();
  std::string message = std::string(purpose) + '\0' + std::string(plain);
  std::vector<unsigned char> sealed(kNonce + kTag + message.size());
  randombytes_buf(sealed.data(), kNonce);
  crypto_secretbox_easy(sealed.data() + kNonce, reinterpret_cast<const unsigned char*>(message.data()),
                        message.size(), sealed.data(), bytes_.data());
  sodium_memzero(message.data(), message.size());
  return to_base64(sealed);
}

std::optional<std::string> SealKey::open(std::string_view sealed, std::string_view purpose) const {
  start_sodium();
  if (sealed.size() <= kNonce + kTag) return std::nullopt;
  const auto decoded = from_base64(sealed);
  if (!decoded || decoded->size() < kNonce + kTag) return std::nullopt;
  if (to_base64(*decoded) != sealed) return std::nullopt;  // not as it was written
  const auto* bytes = reinterpret_cast<const unsigned char*>(decoded->data());
  std::string message(decoded->size() - kNonce - kTag, '\0');
  if (crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(message.data()), bytes + kNonce,
                                 decoded->size() - kNonce, bytes, bytes_.data()) != 0) {
    return std::nullopt;
  }
  const std::string head = std::string(purpose) + '\0';
  if (!message.starts_with(head)) return std::nullopt;
  return message.substr(head.size());
}

}  // namespace bw::store
