// Key presses in every form, from and to peers with every form.
#include "media/transcoding_fixture.h"

namespace bw::media::transcoding {
namespace {

using Keys = Transcoding;

void loses_some(std::vector<Bytes>& packets) {
  static SeededRng rng{11};
  std::vector<Bytes> left;
  for (Bytes& b : packets) {
    if (rng.below(100) < 5) continue;
    if (rng.below(100) < 20) left.push_back(b);
    left.push_back(std::move(b));
    if (left.size() > 1 && rng.below(100) < 20) std::swap(left.back(), left[left.size() - 2]);
  }
  packets = std::move(left);
}

TEST_F(Keys, EveryPressIsOnePressAcrossClocks) {
  call({kOpus, kFastEvents}, {kPcmu, kEvents});
  Talker anna{kOpus, 440, 1};
  Talker bert{kPcmu, 700, 2};
  talk(anna, bert, 20);
  const std::string keys = "0123456789*#ABCD11";
  for (const char key : keys) presses(kAlicePort, alice, key, anna, 110, 48'000, 1, loses_some);
  EXPECT_EQ(told(), keys);
  EXPECT_EQ(keys_in(passed_on, 101, 8'000), keys);
  const auto last = rtp::Packet::parse(passed_on.back());
  EXPECT_EQ(last->payload()[2] << 8 | last->payload()[3], 8 * 160);
}

TEST_F(Keys, AndBack) {
  call({kPcmu, kEvents}, {kOpus, kFastEvents});
  Talker anna{kPcmu, 440, 1};
  Talker bert{kOpus, 700, 2};
  talk(anna, bert, 20);
  const std::string keys = "0123456789*#ABCD11";
  for (const char key : keys) presses(kAlicePort, alice, key, anna, 101, 8'000, 1, loses_some);
  EXPECT_EQ(keys_in(passed_on, 110, 48'000), keys);
}

TEST_F(Keys, PeerWithoutEventsHearsTones) {
  call({kOpus, kFastEvents}, {kPcmu});
  Talker anna{kOpus, 440, 1};
  Talker bert{kPcmu, 700, 2};
  const std::string keys = "0123456789*#ABCD11";
  for (const char key : keys) {
    presses(kAlicePort, alice, key, anna, 110, 48'000, 1, loses_some);
    pass(500ms);
    hear(bert, kBobPort);
  }
  EXPECT_EQ(told(), keys);
  EXPECT_EQ(tones_in(bert, 8'000), keys);
  for (const DigitPressed& d : events_of<DigitPressed>()) EXPECT_TRUE(d.passed_on);
}

TEST_F(Keys, TonesInRelayedVoiceTakeItsPlace) {
  call({kPcmu, kEvents}, {kPcmu});
  Talker anna{kPcmu, 440, 1};
  Talker bert{kPcmu, 700, 2};
  talk(anna, bert, 20);
  presses(kAlicePort, alice, '7', anna, 101, 8'000, 1, unchanged);
  talk(anna, bert, 60);
  EXPECT_EQ(tones_in(bert, 8'000), "7");
  EXPECT_GT(bert.heard_of(440), 0.8);
  for (std::size_t i = 1; i < bert.headers.size(); ++i) {
    EXPECT_EQ(bert.headers[i].ssrc, bert.headers[0].ssrc);
    EXPECT_GT(static_cast<std::int16_t>(bert.headers[i].sequence - bert.headers[i - 1].sequence), 0);
  }
}

TEST_F(Keys, WhereNeitherIsPossibleTheExchangeIsTold) {
  call({kG729, kEvents}, {kG729});
  Talker anna{kPcmu, 440, 1};
  presses(kAlicePort, alice, '7', anna, 101, 8'000, 1, unchanged);
  const auto digits = events_of<DigitPressed>();
  ASSERT_EQ(digits.size(), 1U);
  EXPECT_FALSE(digits[0].passed_on);
}

TEST_F(Keys, TonesOfAPhoneWithoutEventsBecomeEvents) {
  call({kPcma}, {kOpus, kFastEvents});
  const std::string keys = "159D*0#";
  const auto encoder = audio::make_encoder(CodecKind::kPcma, 8'000, {});
  Voice voice{.ssrc = 4, .payload_type = 8};
  std::vector<Bytes> heard;
  const auto say = [&](std::optional<char> key, int ticks) {
    std::vector<std::int16_t> tick(160);
    audio::ToneGenerator tone{key ? audio::sound_of_key(*key) : audio::Sound{}, 8'000};
    for (int i = 0; i < ticks; ++i) {
      tone.fill(tick);
      Bytes packet = voice.next();
      encoder->encode(tick, std::span{packet}.subspan(rtp::kHeaderBytes));
      arrives(kAlicePort, alice, packet);
      pass(20ms);
      for (const Bytes& b : made_for(kBobPort)) heard.push_back(b);
    }
  };
  say(std::nullopt, 20);
  for (const char key : keys) {
    say(key, 6);
    say(std::nullopt, 20);
  }
  EXPECT_EQ(told(), keys);
  EXPECT_EQ(keys_in(heard, 110, 48'000), keys);
}

// SIP INFO of a phone, to a phone with telephone-event: voice and key are one stream.
TEST_F(Keys, DigitFromTheExchangeIsFittedIntoRelayedVoice) {
  call({kPcmu}, {kPcmu, kEvents});
  Talker anna{kPcmu, 440, 1};
  Talker bert{kPcmu, 700, 2};
  talk(anna, bert, 20);
  tell(SendDigit{kBob, '3', 100});
  talk(anna, bert, 60);
  EXPECT_EQ(keys_in(bert.others, 101, 8'000), "3");
  EXPECT_GT(bert.heard_of(440), 0.8);
  const auto event = rtp::Packet::parse(bert.others.at(0))->header();
  EXPECT_EQ(event.ssrc, bert.headers.back().ssrc);
  EXPECT_GE(bert.headers.size(), 80U) << "no voice is left out";
  EXPECT_GT(static_cast<std::int16_t>(bert.headers.back().sequence - event.sequence), 0);
  EXPECT_GT(static_cast<std::int32_t>(bert.headers.back().timestamp - event.timestamp), 0);
  EXPECT_EQ(keys_in(anna.others, 101, 8'000), "");
}

TEST_F(Keys, DigitFromTheExchangeReachesThePeerInItsForm) {
  call({kPcmu}, {kPcma, kEvents});
  for (const char key : std::string{"42"}) tell(SendDigit{kBob, key, 100});
  tell(SendDigit{kAlice, '9', 100});
  pass(2s);
  EXPECT_EQ(keys_in(made_for(kBobPort), 101, 8'000), "42");
  Talker anna{kPcmu, 440, 1};
  hear(anna, kAlicePort);
  EXPECT_EQ(tones_in(anna, 8'000), "9");
}

}  // namespace
}  // namespace bw::media::transcoding
