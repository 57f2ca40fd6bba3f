// ASCII, hexadecimal and base64.
#include <gtest/gtest.h>

#include <array>
#include <span>
#include <utility>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/hex.h"
#include "base/rng.h"

namespace bw {
namespace {

TEST(Ascii, FoldsItsOwnLettersAndNothingElse) {
  EXPECT_TRUE(iequals("Via", "vIA"));
  EXPECT_FALSE(iequals("Via", "Vi"));
  EXPECT_FALSE(iequals("[", "{"));  // 32 apart, as letters are
  EXPECT_FALSE(iequals("@", "`"));
  EXPECT_FALSE(iequals("\xC4", "\xE4"));
  EXPECT_EQ(lowered("ABCxyz[\xC4"), "abcxyz[\xC4");
}

TEST(Ascii, TrimsSpacesAndTabs) {
  EXPECT_EQ(trimmed(" \t a b\t "), "a b");
  EXPECT_EQ(trimmed("\na"), "\na");
  EXPECT_EQ(trimmed(" \t"), "");
}

TEST(Hex, IsOfSmallLetters) {
  const std::array<std::uint8_t, 4> bytes{0x00, 0x1f, 0xab, 0xff};
  EXPECT_EQ(to_hex(bytes), "001fabff");
  for (const char c : std::string_view{"0123456789abcdefABCDEF"}) {
    EXPECT_TRUE(is_hex(c));
    EXPECT_EQ(kHexDigits[hex_value(c)], to_lower(c));
  }
  for (const char c : std::string_view{"/:@G`g\x80"}) EXPECT_FALSE(is_hex(c));
}

TEST(Base64, WritesTheExamplesOfTheRfc) {
  const std::pair<std::string_view, std::string_view> kExamples[] = {{"", ""},
                                                                     {"f", "Zg=="},
                                                                     {"fo", "Zm8="},
                                                                     {"foo", "Zm9v"},
                                                                     {"foob", "Zm9vYg=="},
                                                                     {"fooba", "Zm9vYmE="},
                                                                     {"foobar", "Zm9vYmFy"},
                                                                     {"\xfb\xff", "+/8="}};
  for (const auto& [plain, text] : kExamples) {
    EXPECT_EQ(to_base64(plain), text);
    EXPECT_EQ(from_base64(text), plain);
  }
  EXPECT_EQ(to_base64("\xfb\xff", Base64::kUrl), "-_8");
  EXPECT_EQ(to_base64("f", Base64::kUnpadded), "Zg");
  EXPECT_EQ(from_base64("-_8", Base64::kUrl), "\xfb\xff");
  EXPECT_EQ(from_base64("Zm8"), "fo");  // padding left out
}

TEST(Base64, RefusesWhatIsNotWrittenSo) {
  for (const char* text :
       {"Z", "Zm9vY", "Zg=", "Zg===", "Zm8==", "Z m8=", "Zm8=\n", "Zm=8", "=", "====", "-_8=", "Zm8\x80"}) {
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  }
  EXPECT_EQ(from_base64("+/8", Base64::kUrl), std::nullopt);
}

TEST(Base64, ReadsWhatItWrote) {
  SeededRng rng(1);
  for (std::size_t size = 0; size < 100; ++size) {
    std::string bytes(size, '\0');
    rng.fill(std::as_writable_bytes(std::span{bytes}));
    for (const Base64 form : {Base64::kPadded, Base64::kUnpadded, Base64::kUrl})
      EXPECT_EQ(from_base64(to_base64(bytes, form), form), bytes);
  }
}

}  // namespace
}  // namespace bw
