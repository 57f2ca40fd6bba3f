// What a listener would say: mean opinion score by the E-model.
//
// ITU-T G.107 reduced to what the network changes, all else at its defaults: R = 93.2 - Id - Ie,eff.
// Id (delay) by the two straight lines of Cole and Rosenbluth, "Voice over IP performance monitoring" (2001);
// Ie,eff (loss) by G.107 §7.4 with Ie and Bpl of G.113 appendix I; R to MOS by G.107 annex B.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.h"

namespace bw::rtp {

// Wideband codecs are placed on the narrowband scale without loss of their own, so figures of different calls
// can be compared; they sound better than the number says.
enum class VoiceCodec : std::uint8_t { kG711, kG722, kOpus, kG729, kGsm, kOther };
VoiceCodec voice_codec(std::string_view rtpmap_name);

struct NetworkQuality {
  double loss = 0;            // 0…1, after the jitter buffer
  Duration one_way_delay{0};  // mouth to ear: half the round trip, jitter buffer and packet time
  double burst_ratio = 1;     // 1: losses are independent (G.107 §7.4)
};

// R: 0…93.2.
double transmission_rating(VoiceCodec codec, const NetworkQuality& quality);
// 1.0…4.41.
double mean_opinion_score(VoiceCodec codec, const NetworkQuality& quality);

}  // namespace bw::rtp
