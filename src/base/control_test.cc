#include "base/control.h"

#include <gtest/gtest.h>

namespace bw {
namespace {

using namespace std::string_literals;

TEST(Control, IsC0DelAndC1AndNothingElse) {
  for (const auto& text :
       {"\0"s, "\t"s, "\n"s, "\x1b[2J"s, "\x1f"s, "\x7f"s, "\u0080"s, "a\u009b"s, "\u009f"s})
    EXPECT_TRUE(has_control(text)) << without_controls(text);
  for (const auto& text :
       {""s, " ~"s, "\u00a0"s, "\u00e9"s, "\u0100"s, "\u2028"s, "\xc2"s, "\x9b"s, "\xc2x"s})
    EXPECT_FALSE(has_control(text)) << text;
}

TEST(Control, EachIsReplacedByOneMarkAndTheRestStays) {
  EXPECT_EQ(without_controls("a\x1b[2J\u009b31m\r\n\u00e9\x7f"), "a?[2J?31m??\u00e9?");
  EXPECT_EQ(without_controls("a\nb\u0085", ' '), "a b ");
  EXPECT_EQ(without_controls("\u00c2\u0080\xc2"), "\u00c2?\xc2");
}

}  // namespace
}  // namespace bw
