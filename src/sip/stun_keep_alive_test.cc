#include "sip/stun_keep_alive.h"

#include <gtest/gtest.h>

#include <string>

namespace bw::sip {
namespace {

std::string bytes(std::string_view hex) {
  std::string out;
  int half = -1;
  for (const char c : hex) {
    if (c == ' ') continue;
    const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
    if (half < 0) {
      half = digit;
    } else {
      out += static_cast<char>(half * 16 + digit);
      half = -1;
    }
  }
  return out;
}

constexpr std::string_view kTransaction = "b7e7a701bc34d686fa87dfae";  // of RFC 5769

std::string request(std::string_view attributes = "") {
  const std::string a = bytes(attributes);
  std::string r = bytes("0001");
  r += static_cast<char>(a.size() >> 8U);
  r += static_cast<char>(a.size() & 0xFFU);
  return r + bytes("2112a442") + bytes(kTransaction) + a;
}

// RFC 5769 §2.2 and §2.3: the addresses are 192.0.2.1:32853 and [2001:db8:1234:5678:11:2233:4455:6677]:32853.
TEST(StunKeepAlive, TheAddressIsToldAsTheTestVectorsOfTheRfcWriteIt) {
  const Endpoint four{*IpAddress::parse("192.0.2.1"), 32853};
  EXPECT_EQ(answer_stun(request(), four),
            bytes("0101000c 2112a442") + bytes(kTransaction) + bytes("00200008 0001a147 e112a643"));
  const Endpoint six{*IpAddress::parse("2001:db8:1234:5678:11:2233:4455:6677"), 32853};
  EXPECT_EQ(answer_stun(request(), six), bytes("01010018 2112a442") + bytes(kTransaction) +
                                             bytes("00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9"));
}

// RFC 5769 §2.1, the whole request: its FINGERPRINT is right, and USERNAME and MESSAGE-INTEGRITY are no
// hindrance; PRIORITY (ICE) has to be understood and is not.
TEST(StunKeepAlive, FingerprintIsCheckedAndAttributesNobodyKnowsAreNamed) {
  const std::string sample = bytes(
      "00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74 00240004 "
      "6e0001ff 80290008 932ff9b1 51263b36 00060009 6576746a 3a683676 59202020 00080014 9aeaa70c bfd8cb56 "
      "781ef2b5 b2d3f249 c1b571a2 80280004 e57a3bcf");
  const auto answer = answer_stun(sample, {IpAddress::v4(1), 5060});
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->substr(0, 2), bytes("0111"));
  EXPECT_EQ(answer->substr(20, 16), bytes("00090004 00000414 000a0002 00240000"));
  EXPECT_EQ(answer->substr(36, 4), bytes("80280004"));
  EXPECT_EQ(static_cast<std::size_t>(static_cast<unsigned char>((*answer)[3])), answer->size() - 20);
  std::string wrong = sample;
  wrong.back() = '\0';
  EXPECT_FALSE(answer_stun(wrong, {IpAddress::v4(1), 5060}).has_value());
}

TEST(StunKeepAlive, WhatIsNoWholeBindingRequestIsNotAnswered) {
  const Endpoint from{IpAddress::v4(1), 5060};
  const std::string good = request();
  ASSERT_TRUE(answer_stun(good, from).has_value());
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(answer_stun(good.substr(0, size), from));
  EXPECT_FALSE(answer_stun(good + "1234", from));
  EXPECT_FALSE(answer_stun(bytes("0101") + good.substr(2), from));               // an answer
  EXPECT_FALSE(answer_stun(bytes("00010000 2112a443") + good.substr(8), from));  // RFC 3489
  EXPECT_FALSE(answer_stun(request("00060009 61626364"), from));                 // longer than it is
  EXPECT_FALSE(answer_stun("OPTIONS sip:x SIP/2.0\r\nContent-Length: 0\r\n\r\n ", from));
}

}  // namespace
}  // namespace bw::sip
