#include "pages/assets.h"

#include <gtest/gtest.h>

#include <set>

namespace bw::pages {
namespace {

constexpr Asset kOne{.name = "a.js",
                     .content_type = "text/javascript",
                     .etag = "W/\"x1\"",
                     .plain = "plain",
                     .gzip = "gzip",
                     .brotli = "brotli"};

TEST(Pages, ThePhoneIsEmbeddedWithWhatItLoads) {
  const Asset* page = find("index.html");
  ASSERT_NE(page, nullptr);
  EXPECT_TRUE(page->content_type.starts_with("text/html"));
  EXPECT_FALSE(page->forever);
  std::set<std::string_view> etags;
  for (const Asset& asset : assets()) {
    EXPECT_FALSE(asset.plain.empty()) << asset.name;
    EXPECT_TRUE(asset.gzip.starts_with("\x1f\x8b")) << asset.name;
    EXPECT_LT(asset.brotli.size(), asset.plain.size()) << asset.name;
    EXPECT_TRUE(etags.insert(asset.etag).second) << asset.name;
    if (asset.forever) {
      EXPECT_NE(page->plain.find(asset.name), std::string_view::npos) << asset.name;
    }
  }
  EXPECT_GE(etags.size(), 3U);
  EXPECT_EQ(find("nothing.js"), nullptr);
  EXPECT_EQ(find(""), nullptr);
}

TEST(Pages, TheSmallestFormThatIsAcceptedIsTaken) {
  const auto coding = [](std::string_view accepted) { return coded_for(kOne, accepted).coding; };
  EXPECT_EQ(coding("gzip, deflate, br"), "br");
  EXPECT_EQ(coding("gzip"), "gzip");
  EXPECT_EQ(coding("GZIP;q=0.5"), "gzip");
  EXPECT_EQ(coding(""), "");
  EXPECT_EQ(coding("identity"), "");
  EXPECT_EQ(coding("*"), "br");
  EXPECT_EQ(coding("br;q=0, *"), "gzip");
  EXPECT_EQ(coding("br ; q=0.000 , gzip;q=0"), "");
  EXPECT_EQ(coding("brotli, ,,"), "");
  EXPECT_EQ(coded_for(kOne, "br").bytes, "brotli");
  EXPECT_EQ(coded_for(kOne, "gzip").bytes, "gzip");
  EXPECT_EQ(coded_for(kOne, "zstd").bytes, "plain");
}

TEST(Pages, WhoHasItAlreadyIsKnownByAnyOfItsTags) {
  EXPECT_TRUE(is_known(kOne, "W/\"x1\""));
  EXPECT_TRUE(is_known(kOne, "\"y\", \"x1\""));
  EXPECT_TRUE(is_known(kOne, "*"));
  EXPECT_FALSE(is_known(kOne, ""));
  EXPECT_FALSE(is_known(kOne, "\"x\""));
  EXPECT_FALSE(is_known(kOne, "\"x1"));
}

}  // namespace
}  // namespace bw::pages
