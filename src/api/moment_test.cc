#include "api/moment.h"

#include <gtest/gtest.h>

#include "base/rfc3339.h"
#include "base/rng.h"

namespace bw::api {
namespace {

TEST(Moment, ReadsWhatIsWritten) {
  SeededRng rng(5);
  for (int i = 0; i < 5'000; ++i) {
    const Instant t{std::chrono::milliseconds(rng.below(7'258'118'400'000))};  // to the end of 2199
    EXPECT_EQ(parse_moment(rfc3339(t)), t) << rfc3339(t);
  }
}

TEST(Moment, KnowsOffsetsFractionsAndLeapYears) {
  const auto t = parse_moment("2024-02-29T12:00:00Z");
  ASSERT_TRUE(t);
  EXPECT_EQ(parse_moment("2024-02-29t13:30:00+01:30"), t);
  EXPECT_EQ(parse_moment("2024-02-29 07:00:00.000-05:00"), t);
  EXPECT_EQ(parse_moment("2024-02-29T12:00:00.1234567891Z"), *t + Duration{123'456'789});
}

TEST(Moment, RefusesWhatIsNoDate) {
  for (const auto* text : {"", "2024", "2024-02-30T00:00:00Z", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z",
                           "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:61Z",
                           "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00+0100",
                           "2024-01-01T00:00:00Z ", "1969-12-31T23:59:59Z", "2024-1-01T00:00:00Z"}) {
    EXPECT_FALSE(parse_moment(text)) << text;
  }
}

}  // namespace
}  // namespace bw::api
