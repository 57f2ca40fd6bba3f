// A candidate that is read comes back as it was written.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "webrtc/candidate.h"
#include "webrtc/fingerprint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto candidate = bw::webrtc::Candidate::parse(text)) {
    if (bw::webrtc::Candidate::parse(candidate->to_string()) != candidate) std::abort();
  }
  if (const auto fingerprint = bw::webrtc::parse_fingerprint(text)) {
    if (bw::webrtc::parse_fingerprint(bw::webrtc::to_string(*fingerprint)) != fingerprint) std::abort();
  }
  return 0;
}
