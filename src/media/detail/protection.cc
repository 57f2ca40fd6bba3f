#include "media/detail/protection.h"

namespace bw::media {
namespace {

rtp::SrtpSuite suite_of(SrtpSuite suite) {
  switch (suite) {
    case SrtpSuite::kAesCm128HmacSha1_80:
      return rtp::SrtpSuite::kAesCm128HmacSha1_80;
    case SrtpSuite::kAesCm128HmacSha1_32:
      return rtp::SrtpSuite::kAesCm128HmacSha1_32;
    case SrtpSuite::kAeadAes128Gcm:
      return rtp::SrtpSuite::kAeadAes128Gcm;
    case SrtpSuite::kAeadAes256Gcm:
      return rtp::SrtpSuite::kAeadAes256Gcm;
  }
  return rtp::SrtpSuite::kAesCm128HmacSha1_80;
}

}  // namespace

std::optional<Protection> Protection::make(rtp::SrtpSession::Role role, const SrtpKey& key) {
  auto streams = rtp::SrtpStreams::make(role, suite_of(key.suite), key.master.reveal());
  if (!streams) return std::nullopt;
  return Protection{std::move(*streams), key};
}

}  // namespace bw::media
