#include "base/json_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace bw {
namespace {

using namespace std::string_view_literals;

std::string quoted(std::string_view text, std::size_t most = 1000) {
  std::string out;
  append_json_text(out, text, most);
  return out;
}

std::string number(double value) {
  std::string out;
  append_json_number(out, value);
  return out;
}

TEST(JsonText, IsQuotedAndEscaped) {
  EXPECT_EQ(quoted(""), R"("")");
  EXPECT_EQ(quoted("Desk 1.2"), R"("Desk 1.2")");
  EXPECT_EQ(quoted("a\"b\\c\n\x01\x1f\x7f/"), "\"a\\\"b\\\\c\\u000a\\u0001\\u001f\x7f/\"");
  EXPECT_EQ(quoted("caf\xC3\xA9 \xff\0."sv), "\"caf\xC3\xA9 ??.\"");
}

TEST(JsonText, IsCutBetweenCharacters) {
  EXPECT_EQ(quoted("abcdef", 3), R"("abc")");
  EXPECT_EQ(quoted("ab\xC3\xA9", 3), R"("ab")");
  EXPECT_EQ(quoted("\"\"\"\"", 2), R"("\"\"")");  // escapes do not count
}

TEST(JsonText, NumbersAreWhatJsonHasWordsFor) {
  EXPECT_EQ(number(4.37), "4.37");
  EXPECT_EQ(number(0), "0");
  EXPECT_EQ(number(-1e300), "-1e+300");
  EXPECT_EQ(number(std::numeric_limits<double>::infinity()), "0");
  EXPECT_EQ(number(std::numeric_limits<double>::quiet_NaN()), "0");
  std::string out;
  append_json_number(out, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(out, "-9223372036854775808");
}

}  // namespace
}  // namespace bw
