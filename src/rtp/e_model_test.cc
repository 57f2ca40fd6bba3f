#include "rtp/e_model.h"

#include <gtest/gtest.h>

namespace bw::rtp {
namespace {

TEST(EModel, PerfectLinesHaveTheScoresOfTheLiterature) {
  // G.107 annex B: R 93.2 is MOS 4.41; G.113: G.729 takes 11, GSM full rate 20.
  EXPECT_NEAR(mean_opinion_score(VoiceCodec::kG711, {}), 4.41, 0.005);
  EXPECT_NEAR(transmission_rating(VoiceCodec::kG729, {}), 82.2, 1e-9);
  EXPECT_NEAR(mean_opinion_score(VoiceCodec::kG729, {}), 4.10, 0.02);
  EXPECT_NEAR(mean_opinion_score(VoiceCodec::kGsm, {}), 3.74, 0.02);
}

TEST(EModel, LossAndDelayAtKnownPoints) {
  // 95 * 5 / (5 + 25.1) = 15.78 for five percent of G.711.
  EXPECT_NEAR(transmission_rating(VoiceCodec::kG711, {.loss = 0.05}), 93.2 - 15.78, 0.01);
  // 0.024 * 300 + 0.11 * (300 - 177.3) = 20.70 for 300 ms.
  EXPECT_NEAR(transmission_rating(VoiceCodec::kG711, {.one_way_delay = 300ms}), 93.2 - 20.70, 0.01);
}

TEST(EModel, MoreLossAndMoreDelayNeverSoundBetterAndTheScaleIsNeverLeft) {
  for (const VoiceCodec codec : {VoiceCodec::kG711, VoiceCodec::kG722, VoiceCodec::kOpus, VoiceCodec::kG729,
                                 VoiceCodec::kGsm, VoiceCodec::kOther}) {
    double before = 5;
    for (int percent = 0; percent <= 100; ++percent) {
      const double mos =
          mean_opinion_score(codec, {.loss = percent / 100.0, .one_way_delay = percent * 10ms});
      EXPECT_LE(mos, before);
      EXPECT_GE(mos, 1.0);
      EXPECT_LE(mos, 4.5);
      before = mos;
    }
    EXPECT_LT(before, 1.6);
  }
  EXPECT_NEAR(mean_opinion_score(VoiceCodec::kG711, {.loss = -1, .one_way_delay = -5s}), 4.41, 0.005);
}

TEST(EModel, BurstsOfLossHurtMore) {
  EXPECT_LT(mean_opinion_score(VoiceCodec::kG711, {.loss = 0.05, .burst_ratio = 4}),
            mean_opinion_score(VoiceCodec::kG711, {.loss = 0.05}));
}

TEST(EModel, CodecNamesAreReadWithoutCase) {
  EXPECT_EQ(voice_codec("pcmu"), VoiceCodec::kG711);
  EXPECT_EQ(voice_codec("G729a"), VoiceCodec::kG729);
  EXPECT_EQ(voice_codec("Opus"), VoiceCodec::kOpus);
  EXPECT_EQ(voice_codec("speex"), VoiceCodec::kOther);
}

}  // namespace
}  // namespace bw::rtp
