#include "sdp/crypto.h"

#include <gtest/gtest.h>

#include <set>

namespace bw::sdp {
namespace {

TEST(Crypto, LineOfTheRfcWithItsLifetimeIsRead) {
  // RFC 4568 §9.1, without the key identifier.
  const auto line =
      parse_crypto("1 AES_CM_128_HMAC_SHA1_80 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj|2^20");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->tag, 1u);
  EXPECT_EQ(line->suite, SrtpSuite::kAesCm128HmacSha1_80);
  EXPECT_EQ(line->master.reveal(), "70xwPH5@/,L:S1wY\"~='EpgT%(i_Vc");
  EXPECT_EQ(write_crypto(*line), "1 AES_CM_128_HMAC_SHA1_80 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj");
}

TEST(Crypto, LinesThatCannotBeUsedSayWhy) {
  const std::string key = "inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj";
  const auto reason = [](const std::string& text) { return parse_crypto(text).error(); };
  EXPECT_TRUE(parse_crypto("7 aes_cm_128_hmac_sha1_32  " + key + "|1048576 WSH=64 -X"));
  EXPECT_EQ(reason(""), CryptoError::kSyntax);
  EXPECT_EQ(reason("x AES_CM_128_HMAC_SHA1_80 " + key), CryptoError::kSyntax);
  EXPECT_EQ(reason("1 F8_128_HMAC_SHA1_80 " + key), CryptoError::kSuite);
  EXPECT_EQ(reason("1 AES_CM_128_HMAC_SHA1_80"), CryptoError::kSyntax);
  EXPECT_EQ(reason("1 AES_CM_128_HMAC_SHA1_80 " + key + "|x"), CryptoError::kSyntax);
  EXPECT_EQ(reason("1 AES_CM_128_HMAC_SHA1_80 " + key + "AA"), CryptoError::kKey);
  EXPECT_EQ(reason("1 AEAD_AES_128_GCM " + key), CryptoError::kKey);
  EXPECT_EQ(reason("1 AES_CM_128_HMAC_SHA1_80 inline:????"), CryptoError::kKey);
  EXPECT_EQ(reason("1 AES_CM_128_HMAC_SHA1_80 " + key + "|2^20|1:4"), CryptoError::kMki);
  EXPECT_EQ(reason("1 AES_CM_128_HMAC_SHA1_80 " + key + "|1:32"), CryptoError::kMki);
  EXPECT_EQ(reason("1 AES_CM_128_HMAC_SHA1_80 " + key + ";" + key), CryptoError::kMki);
  EXPECT_EQ(reason("1 AES_CM_128_HMAC_SHA1_80 " + key + " UNENCRYPTED_SRTP"), CryptoError::kParameter);
  EXPECT_EQ(reason("1 AES_CM_128_HMAC_SHA1_80 " + key + " KDR=1"), CryptoError::kParameter);
}

TEST(Crypto, FreshLinesAreReadBackAndNoKeyComesTwice) {
  SeededRng rng{3};
  std::set<std::string> keys;
  for (int i = 0; i < 20; ++i) {
    std::uint32_t tag = 0;
    for (const CryptoLine& line : fresh_crypto(rng)) {
      EXPECT_EQ(line.tag, ++tag);
      const auto again = parse_crypto(write_crypto(line));
      ASSERT_TRUE(again);
      EXPECT_EQ(*again, line);
      keys.insert(line.master.reveal());
    }
  }
  EXPECT_EQ(keys.size(), 80u);
}

TEST(Crypto, UsableLinesKeepTheirOrderAndOnlyTheFirstAreLookedAt) {
  SeededRng rng{3};
  const auto lines = fresh_crypto(rng);
  Media m;
  m.attributes.add("crypto", "1 UNKNOWN inline:AAAA");
  m.attributes.add("crypto", write_crypto(lines[2]));
  m.attributes.add("crypto", write_crypto(lines[0]));
  EXPECT_EQ(crypto_lines(m), (std::vector{lines[2], lines[0]}));
  Media many;
  for (int i = 0; i < 16; ++i) many.attributes.add("crypto", "1 UNKNOWN inline:AAAA");
  many.attributes.add("crypto", write_crypto(lines[0]));
  EXPECT_TRUE(crypto_lines(many).empty());
}

}  // namespace
}  // namespace bw::sdp
