// SRTP of one direction of a leg, with keys from the signalling (RFC 4568).
#pragma once

#include <optional>

#include "ports/media.h"
#include "rtp/srtp_streams.h"

namespace bw::media {

class Protection : public rtp::SrtpStreams {
 public:
  static std::optional<Protection> make(rtp::SrtpSession::Role role, const SrtpKey& key);
  const SrtpKey& key() const { return key_; }

 private:
  Protection(rtp::SrtpStreams streams, const SrtpKey& key) : SrtpStreams(std::move(streams)), key_(key) {}
  SrtpKey key_;
};

}  // namespace bw::media
