#include "rtp/e_model.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace bw::rtp {
namespace {

struct Impairment {
  double equipment = 0;        // Ie
  double loss_robustness = 1;  // Bpl
};

Impairment impairment(VoiceCodec codec) {
  switch (codec) {
    case VoiceCodec::kG711:  // with concealment
    case VoiceCodec::kG722:
      return {0, 25.1};
    case VoiceCodec::kOpus:  // no figure of the ITU: robust through its in-band error correction
      return {0, 30};
    case VoiceCodec::kG729:
      return {11, 19};
    case VoiceCodec::kGsm:  // full rate
      return {20, 43};
    case VoiceCodec::kOther:
      return {10, 15};
  }
  return {};
}

}  // namespace

VoiceCodec voice_codec(std::string_view name) {
  struct Named {
    std::string_view name;
    VoiceCodec codec;
  };
  static constexpr std::array kNames{Named{"PCMU", VoiceCodec::kG711},   Named{"PCMA", VoiceCodec::kG711},
                                     Named{"G722", VoiceCodec::kG722},   Named{"opus", VoiceCodec::kOpus},
                                     Named{"G729", VoiceCodec::kG729},   Named{"G729A", VoiceCodec::kG729},
                                     Named{"G729AB", VoiceCodec::kG729}, Named{"GSM", VoiceCodec::kGsm}};
  for (const Named& n : kNames) {
    if (iequals(n.name, name)) return n.codec;
  }
  return VoiceCodec::kOther;
}

double transmission_rating(VoiceCodec codec, const NetworkQuality& quality) {
  const Impairment own = impairment(codec);
  const double ms = std::max(0.0, static_cast<double>(quality.one_way_delay.count()) / 1e6);
  const double delay = 0.024 * ms + (ms > 177.3 ? 0.11 * (ms - 177.3) : 0.0);
  const double percent = 100.0 * std::clamp(quality.loss, 0.0, 1.0);
  const double burst = std::max(1.0, quality.burst_ratio);
  const double loss =
      own.equipment + (95.0 - own.equipment) * percent / (percent / burst + own.loss_robustness);
  return std::clamp(93.2 - delay - loss, 0.0, 93.2);
}

double mean_opinion_score(VoiceCodec codec, const NetworkQuality& quality) {
  const double r = transmission_rating(codec, quality);
  const double mos = 1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6;
  return std::clamp(mos, 1.0, 4.5);  // the cubic dips below 1 for R under 6.5
}

}  // namespace bw::rtp
