#include "calls/payload_formats.h"

#include <algorithm>

namespace bw::calls {

std::vector<media::PayloadFormat> payload_formats(const std::vector<sdp::Codec>& codecs) {
  std::vector<media::PayloadFormat> out;
  out.reserve(codecs.size());
  for (const sdp::Codec& c : codecs) out.push_back({c.payload, c.name, c.clock_rate, c.channels, c.fmtp});
  return out;
}

std::vector<media::PayloadFormat> tone_formats(const std::vector<sdp::Codec>& codecs) {
  auto out = payload_formats(codecs);
  std::ranges::reverse(out);
  return out;
}

}  // namespace bw::calls
