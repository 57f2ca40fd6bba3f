#include "calls/payload_formats.h"

namespace bw::calls {

std::vector<media::PayloadFormat> payload_formats(const std::vector<sdp::Codec>& codecs) {
  std::vector<media::PayloadFormat> out;
  out.reserve(codecs.size());
  for (const sdp::Codec& c : codecs) out.push_back({c.payload, c.name, c.clock_rate, c.channels, c.fmtp});
  return out;
}

}  // namespace bw::calls
