#include "calls/payload_formats.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bw::calls {
namespace {

std::vector<std::string> names(const std::vector<media::PayloadFormat>& formats) {
  std::vector<std::string> out;
  for (const auto& f : formats) out.push_back(f.codec);
  return out;
}

const std::vector<sdp::Codec> kChromium{
    {.payload = 111, .name = "opus", .clock_rate = 48'000, .channels = 2, .fmtp = "minptime=10"},
    {.payload = 63, .name = "red", .clock_rate = 48'000, .channels = 2},
    {.payload = 9, .name = "G722", .clock_rate = 8'000},
    {.payload = 8, .name = "PCMA", .clock_rate = 8'000},
    {.payload = 13, .name = "CN", .clock_rate = 8'000},
    {.payload = 126, .name = "telephone-event", .clock_rate = 8'000}};

TEST(PayloadFormats, AreInTheOrderOfTheDescription) {
  EXPECT_EQ(names(payload_formats(kChromium)),
            (std::vector<std::string>{"opus", "red", "G722", "PCMA", "CN", "telephone-event"}));
  EXPECT_EQ(payload_formats(kChromium).front().fmtp, "minptime=10");
}

TEST(PayloadFormats, OfAToneBeginWithWhatIsLikedLeast) {
  EXPECT_EQ(names(tone_formats(kChromium)),
            (std::vector<std::string>{"telephone-event", "CN", "PCMA", "G722", "red", "opus"}));
  EXPECT_TRUE(tone_formats({}).empty());
}

}  // namespace
}  // namespace bw::calls
