#include "sip/info_digit.h"

#include <gtest/gtest.h>

namespace bw::sip {
namespace {

TEST(InfoDigit, WhatIsWrittenIsRead) {
  for (const char digit : std::string_view{"0123456789*#ABCD"}) {
    EXPECT_EQ(info_digit(kDtmfRelay, write_info_digit(digit, 160)), digit);
  }
}

TEST(InfoDigit, InTheFormsPhonesWriteIt) {
  EXPECT_EQ(info_digit("application/dtmf-relay", "Signal= 5 \r\nDuration= 100\r\n"), '5');
  EXPECT_EQ(info_digit("Application/DTMF-Relay", "signal=10\n"), '*');
  EXPECT_EQ(info_digit("application/dtmf-relay", "Duration=100\r\nSignal=11"), '#');
  EXPECT_EQ(info_digit("application/dtmf-relay", "Signal=15"), 'D');
  EXPECT_EQ(info_digit("application/dtmf", "7"), '7');
  EXPECT_EQ(info_digit("application/dtmf", "\r\nd\r\n"), 'D');
  EXPECT_EQ(info_digit("application/dtmf", "Signal=3"), '3');
}

TEST(InfoDigit, NothingElseIsADigit) {
  EXPECT_EQ(info_digit("application/media_control+xml", "5"), std::nullopt);
  EXPECT_EQ(info_digit("", "Signal=5"), std::nullopt);
  for (const auto* body : {"", "Signal=", "Signal=16", "Signal=E", "Signal=55", "Duration=5", "5"})
    EXPECT_EQ(info_digit("application/dtmf-relay", body), std::nullopt) << body;
  for (const auto* body : {"", "55", "x", "Duration=5"})
    EXPECT_EQ(info_digit("application/dtmf", body), std::nullopt) << body;
}

}  // namespace
}  // namespace bw::sip
