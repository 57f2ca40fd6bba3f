// The kernel's randomness as the Rng port.
#pragma once

#include <array>
#include <cstddef>

#include "base/rng.h"

namespace bw::io {

// Reads in blocks, because tags and branches are small and many. What was handed out is erased from the
// block. One per thread. Throws std::system_error if the kernel has none, which is only possible at start.
class KernelRng final : public Rng {
 public:
  KernelRng() { refill(); }
  void fill(std::span<std::byte> out) override;

 private:
  void refill();
  std::array<std::byte, 1024> block_{};
  std::size_t used_ = 0;
};

}  // namespace bw::io
