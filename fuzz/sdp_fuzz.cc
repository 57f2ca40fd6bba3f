// Session descriptions of strangers: whatever is read must be written and read back equal.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sdp/audio.h"
#include "sdp/crypto.h"
#include "sdp/session_description.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto d = bw::sdp::parse({reinterpret_cast<const char*>(data), size});
  if (!d) {
    if (bw::sdp::to_sentence(d.error()).empty()) std::abort();
    return 0;
  }
  bw::sdp::Limits wide;  // the written form may be longer: CRLF, missing lines filled in
  wide.bytes = 1'000'000;
  wide.line_bytes = 100'000;
  wide.lines = 100'000;
  const auto again = bw::sdp::parse(bw::sdp::to_string(*d), wide);
  if (!again || *again != *d) std::abort();
  for (const bw::sdp::Media& m : d->media) {
    for (const bw::sdp::Codec& c : bw::sdp::codecs(m)) {
      if (c.clock_rate == 0 || c.payload > 127 || c.channels == 0) std::abort();
    }
    for (const bw::sdp::CryptoLine& line : bw::sdp::crypto_lines(m)) {
      const auto back = bw::sdp::parse_crypto(bw::sdp::write_crypto(line));
      if (!back || *back != line) std::abort();
    }
    const auto rtp = bw::sdp::rtp_endpoint(*d, m);
    if (rtp && (rtp->port == 0 || rtp->ip.is_unspecified())) std::abort();
    if (bw::sdp::rtcp_endpoint(*d, m) && !rtp) std::abort();
    bw::sdp::ptime(m);
    bw::sdp::effective_direction(*d, m);
  }
  return 0;
}
