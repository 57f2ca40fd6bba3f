// The first byte says in how large pieces the rest arrives; what is said about it must not depend on that.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "io/http_head.h"

namespace {

using bw::io::HeadWatch;

HeadWatch seen(std::string_view bytes, std::size_t piece) {
  HeadWatch watch{2'000};
  for (std::size_t end = 0; end < bytes.size();) {
    end = std::min(end + piece, bytes.size());
    if (watch.look(bytes.substr(0, end)) != HeadWatch::State::kMore) break;
  }
  return watch;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  const HeadWatch whole = seen(bytes, bytes.size());
  const HeadWatch pieces = seen(bytes, data[0] % 32 + 1U);
  if (whole.status() != pieces.status() || whole.size() != pieces.size() || whole.begin() != pieces.begin()) {
    std::abort();
  }
  if (whole.size() == 0) return 0;
  const std::string_view head = bytes.substr(whole.begin(), whole.size());
  if (!head.ends_with("\r\n\r\n") || head.find("\r\n\r\n") + 4 != head.size()) std::abort();
  for (std::size_t i = 0; i < head.size(); ++i) {
    if (head[i] == '\n' && (i == 0 || head[i - 1] != '\r')) std::abort();
  }
  return 0;
}
