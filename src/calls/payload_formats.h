// Codecs of a description as the media plane wants to know them.
#pragma once

#include <vector>

#include "ports/media.h"
#include "sdp/audio.h"

namespace bw::calls {

std::vector<media::PayloadFormat> payload_formats(const std::vector<sdp::Codec>& codecs);
// The same for a tone that a browser hears before there is a voice, what it likes least first: in that codec
// the voice will hardly come, and when the codec changes a browser throws away what it has still to play. So
// the voice is heard at once (decision 54).
std::vector<media::PayloadFormat> tone_formats(const std::vector<sdp::Codec>& codecs);

}  // namespace bw::calls
