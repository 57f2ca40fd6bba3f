#include "sip/digest.h"

#include <gtest/gtest.h>

namespace bw::sip {
namespace {

TEST(Digest, ComputesTheExampleOfRfc2617Section35) {
  DigestComputer digest;
  const auto ha1 = digest.ha1(DigestHash::kMd5, "Mufasa", "testrealm@host.com", "Circle Of Life");
  EXPECT_EQ(ha1.view(), "939e7578ed9e3c518a452acee763bce9");
  const DigestInput input{.method = "GET",
                          .uri = "/dir/index.html",
                          .nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093",
                          .nc = "00000001",
                          .cnonce = "0a4f113b"};
  EXPECT_EQ(digest.response(DigestHash::kMd5, ha1.view(), input).view(), "6629fae49393a05397450978507c4ef1");
}

TEST(Digest, ComputesTheExamplesOfRfc7616Section391) {
  DigestComputer digest;
  const DigestInput input{.method = "GET",
                          .uri = "/dir/index.html",
                          .nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
                          .nc = "00000001",
                          .cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"};
  const auto md5 = digest.ha1(DigestHash::kMd5, "Mufasa", "http-auth@example.org", "Circle of Life");
  EXPECT_EQ(digest.response(DigestHash::kMd5, md5.view(), input).view(), "8ca523f5e9506fed4657c9700eebdbec");
  const auto sha = digest.ha1(DigestHash::kSha256, "Mufasa", "http-auth@example.org", "Circle of Life");
  EXPECT_EQ(digest.response(DigestHash::kSha256, sha.view(), input).view(),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

TEST(Digest, WithoutQopIsTheFormOfRfc2069) {
  DigestComputer digest;
  // RFC 2069 §2.4 with the corrected result of its erratum 749.
  const auto ha1 = digest.ha1(DigestHash::kMd5, "Mufasa", "testrealm@host.com", "CircleOfLife");
  const DigestInput input{.method = "GET",
                          .uri = "/dir/index.html",
                          .nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093",
                          .nc = {},
                          .cnonce = {},
                          .qop = {}};
  EXPECT_EQ(digest.response(DigestHash::kMd5, ha1.view(), input).view(), "1949323746fe6a43ef61f9606e7febea");
}

TEST(Digest, ComparesWholeTextsOnly) {
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abcd"));
  EXPECT_FALSE(equal_in_constant_time("", "a"));
}

TEST(Digest, CountsEveryHash) {
  DigestComputer digest;
  digest.ha1(DigestHash::kMd5, "a", "b", "c");
  EXPECT_EQ(digest.operations(), 1U);
  digest.response(DigestHash::kSha256, "00", {.method = "REGISTER", .uri = "sip:b", .nonce = "n"});
  EXPECT_EQ(digest.operations(), 3U);
}

}  // namespace
}  // namespace bw::sip
