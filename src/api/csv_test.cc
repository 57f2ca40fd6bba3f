#include "api/csv.h"

#include <gtest/gtest.h>

namespace bw::api {
namespace {

std::string cell(std::string_view text) {
  Csv csv;
  csv.cell(text);
  return std::move(csv).take();
}

TEST(Csv, IsQuotedWhereNeededAndNeverAFormula) {
  EXPECT_EQ(cell("Nina, R\u00e9ception"), "\"Nina, R\u00e9ception\"");
  EXPECT_EQ(cell("a \"b\"\r\n\tc"), "\"a \"\"b\"\"\r\n\tc\"");
  EXPECT_EQ(cell("=1+1"), "'=1+1");
}

TEST(Csv, HoldsNoControlCharactersButBlanksAndLineEnds) {
  EXPECT_EQ(cell("a\x1b[2J\u009b31m\x7f"), "a?[2J?31m?");
}

}  // namespace
}  // namespace bw::api
