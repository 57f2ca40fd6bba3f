// The first byte says how the rest is cut into pieces; the frames must not depend on it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "sip/framing.h"

namespace {

using bw::sip::StreamFramer;

std::vector<std::string> frames_of(std::string_view stream, std::size_t piece) {
  StreamFramer framer;
  std::vector<std::string> frames;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    framer.feed(stream.substr(at, piece));
    while (const auto event = framer.next()) {
      if (const auto* frame = std::get_if<StreamFramer::Frame>(&*event)) {
        frames.emplace_back(frame->bytes);
        // What the framer cuts off is what the parser reads: the two agree about where a message ends.
        const auto m = bw::sip::parse(frame->bytes);
        if (!m && m.error() == bw::sip::ParseError::kContentLength) std::abort();
        if (!m && m.error() == bw::sip::ParseError::kNoHeaderEnd) std::abort();
      }
      if (std::holds_alternative<StreamFramer::Broken>(*event)) frames.emplace_back("broken");
    }
  }
  return frames;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view stream{reinterpret_cast<const char*>(data) + 1, size - 1};
  if (frames_of(stream, stream.size()) != frames_of(stream, data[0] % 64 + 1U)) std::abort();
  return 0;
}
