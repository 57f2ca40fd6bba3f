// Codecs of a description as the media plane wants to know them.
#pragma once

#include <vector>

#include "ports/media.h"
#include "sdp/audio.h"

namespace bw::calls {

std::vector<media::PayloadFormat> payload_formats(const std::vector<sdp::Codec>& codecs);

}  // namespace bw::calls
