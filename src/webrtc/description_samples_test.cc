// What browsers really write: Chromium and Firefox by themselves, SIP.js with candidates and video.
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <iterator>
#include <string>

#include "base/rng.h"
#include "sdp/audio.h"
#include "webrtc/description.h"

namespace bw::webrtc {
namespace {

constexpr const char* kPrint =
    "sha-256 01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F:FF";

sdp::SessionDescription sample(const std::string& name) {
  std::ifstream in(std::string(BW_SOURCE_DIR "/fuzz/corpus/browser_sdp/") + name);
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  return sdp::parse(text).value();
}

OwnParameters ours() {
  return {{"ourU", Secret<std::string>{"our-password-of-22-char"}},
          kPrint,
          {*IpAddress::parse("198.51.100.1")},
          10'000};
}

std::vector<std::string> names(const sdp::Media& media) {
  std::vector<std::string> out;
  for (const sdp::Codec& c : sdp::codecs(media)) out.push_back(c.name + '/' + std::to_string(c.clock_rate));
  return out;
}

struct Sample {
  const char* file;
  const char* ufrag;
  std::vector<std::string> codecs;
  std::size_t sections;
};
const std::vector<Sample> kSamples{
    {"chromium.sdp",
     "lJGR",
     {"opus/48000", "G722/8000", "PCMU/8000", "PCMA/8000", "telephone-event/48000", "telephone-event/8000"},
     2},
    {"firefox.sdp",
     "7d1b3f05",
     {"opus/48000", "G722/8000", "PCMU/8000", "PCMA/8000", "telephone-event/8000"},
     1},
    {"sipjs.sdp",
     "Gm3p",
     {"opus/48000", "G722/8000", "PCMU/8000", "PCMA/8000", "telephone-event/48000", "telephone-event/8000"},
     2},
};

class Samples : public ::testing::TestWithParam<Sample> {};
INSTANTIATE_TEST_SUITE_P(Browsers, Samples, ::testing::ValuesIn(kSamples), [](const auto& given) {
  const std::string file = given.param.file;
  return file.substr(0, file.find('.'));
});

TEST_P(Samples, AreUnderstoodAndAnsweredInTheFormTheyNeed) {
  const auto offer = sample(GetParam().file);
  const auto undressed = undress(offer, Kind::kOffer);
  ASSERT_TRUE(undressed) << to_sentence(undressed.error());
  EXPECT_EQ(undressed->remote.ice.ufrag, GetParam().ufrag);
  EXPECT_EQ(undressed->remote.fingerprints.size(), 1U);
  EXPECT_EQ(names(undressed->plain.media.at(0)), GetParam().codecs);
  const auto answer =
      sdp::parse(dress_answer(undressed->plain, offer, undressed->remote.our_role, ours())).value();
  // RFC 3264 §6: one section for each, in order; RFC 8843 §7.3.3: only what is accepted is bundled.
  ASSERT_EQ(answer.media.size(), GetParam().sections);
  EXPECT_EQ(answer.attributes.find("group")->text(), "BUNDLE 0");
  for (std::size_t i = 0; i < answer.media.size(); ++i) {
    const sdp::Media& m = answer.media[i];
    EXPECT_EQ(m.type, offer.media[i].type);
    EXPECT_EQ(m.port != 0, i == 0);
    EXPECT_EQ(m.attributes.find("mid")->text(), offer.media[i].attributes.find("mid")->text());
  }
  EXPECT_EQ(names(answer.media[0]), GetParam().codecs);
  for (const char* name : {"extmap", "ssrc", "rtcp-fb", "rtcp-rsize"}) {
    EXPECT_FALSE(answer.media[0].attributes.has(name))
        << name << " was not understood, so it is not answered";
  }
}

// Whatever audio we have to say: dressed for a browser and undressed by one's rules it is the same.
TEST(Description, WhatIsDressedComesBackWhenUndressed) {
  static constexpr std::array<std::string_view, 5> kNames{"opus/48000/2", "G722/8000", "PCMU/8000",
                                                          "PCMA/8000", "telephone-event/8000"};
  SeededRng rng{8829};
  for (int round = 0; round < 300; ++round) {
    sdp::SessionDescription plain;
    plain.origin = {"-", std::to_string(rng.below(1'000'000)), "1", "IN", "IP4", "192.0.2.1"};
    sdp::Media& m = plain.media.emplace_back();
    m.type = "audio";
    m.port = 9;
    for (const std::string_view name : kNames) {
      if (rng.below(2) == 0 && m.formats.size() + 1 < kNames.size()) continue;
      const std::string number = std::to_string(96 + m.formats.size());
      m.formats.push_back(number);
      m.attributes.add("rtpmap", number + ' ' + std::string{name});
      if (rng.below(2) == 0) m.attributes.add("fmtp", number + " x=" + rng.token(5));
    }
    m.attributes.add(sdp::to_string(static_cast<sdp::Direction>(rng.below(4))));
    const auto back = undress(sdp::parse(dress_offer(plain, nullptr, ours())).value(), Kind::kOffer);
    ASSERT_TRUE(back || m.formats.empty());
    if (!back) continue;
    EXPECT_EQ(back->plain.media[0].formats, m.formats);
    EXPECT_EQ(sdp::codecs(back->plain.media[0]), sdp::codecs(m));
    EXPECT_EQ(sdp::direction(back->plain, back->plain.media[0]), sdp::direction(plain, m));
    EXPECT_EQ(back->remote.ice, ours().ice);
  }
}

}  // namespace
}  // namespace bw::webrtc
