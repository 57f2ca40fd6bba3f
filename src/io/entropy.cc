#include "io/entropy.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace bw::io {

void KernelRng::fill(std::span<std::byte> out) {
  while (!out.empty()) {
    if (used_ == block_.size()) refill();
    const std::size_t n = std::min(out.size(), block_.size() - used_);
    std::memcpy(out.data(), &block_[used_], n);
    ::explicit_bzero(&block_[used_], n);
    used_ += n;
    out = out.subspan(n);
  }
}

void KernelRng::refill() {
  std::size_t have = 0;
  while (have < block_.size()) {
    const ssize_t n = ::getrandom(&block_[have], block_.size() - have, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw std::system_error(errno, std::system_category(), "getrandom");
    have += static_cast<std::size_t>(n);
  }
  used_ = 0;
}

}  // namespace bw::io
