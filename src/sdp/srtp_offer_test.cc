// Offers and answers with SRTP keys (RFC 4568), each leg with its own.
#include <gtest/gtest.h>

#include "sdp/offer_answer.h"
#include "sdp/test_leg.h"

namespace bw::sdp {
namespace {

using test::leg;
using test::ours;
using test::phone;
using test::sample;

constexpr std::string_view kKeyLine =
    "a=crypto:5 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj|2^31\r\n";

std::string crypto_of(const CryptoLine& line) {
  return "a=crypto:" + write_crypto(line) + "\r\n";
}

TEST(SrtpOffer, EncryptedPhoneTalksToAPlainOneThroughUs) {
  OfferAnswer a = leg(10'000);
  OfferAnswer b = leg(20'000);
  ASSERT_TRUE(a.remote_offer(sample("yealink_srtp")));
  const auto on = ours(b.relay_offer(a));
  EXPECT_EQ(on.media[0].protocol, "RTP/AVP");
  EXPECT_FALSE(on.media[0].attributes.has("crypto"));
  ASSERT_TRUE(b.remote_answer(sample("sipp")));
  const auto back = ours(a.relay_answer(b));
  EXPECT_EQ(back.media[0].protocol, "RTP/SAVP");
  const auto lines = crypto_lines(back.media[0]);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].tag, 1u);
  EXPECT_EQ(lines[0].suite, SrtpSuite::kAesCm128HmacSha1_80);
  const auto n = a.negotiated();
  ASSERT_TRUE(n && n->send && n->receive);
  EXPECT_EQ(*n->send, lines[0]);
  EXPECT_EQ(n->receive->master.reveal(), "70xwPH5@/,L:S1wY\"~='EpgT%(i_Vc");
  EXPECT_NE(n->send->master, n->receive->master);
  EXPECT_FALSE(b.negotiated()->send);
}

TEST(SrtpOffer, SecureOfferHasALinePerSuiteAndTheAnswerPicksOne) {
  OfferAnswer b = leg(20'000, SrtpPolicy::kOptional, SrtpOffer::kSecure);
  const auto offer = ours(b.own_offer());
  EXPECT_EQ(offer.media[0].protocol, "RTP/SAVP");
  const auto lines = crypto_lines(offer.media[0]);
  ASSERT_EQ(lines.size(), 4u);
  CryptoLine theirs = lines[2];
  theirs.master = Secret{std::string(30, 'k')};
  ASSERT_TRUE(b.remote_answer(phone("m=audio 6004 RTP/SAVP 0\r\n" + crypto_of(theirs))));
  EXPECT_EQ(*b.negotiated()->send, lines[2]);
  EXPECT_EQ(*b.negotiated()->receive, theirs);
  // The same keys for the whole leg, so that a re-offer does not restart the cipher.
  EXPECT_EQ(crypto_lines(ours(b.repeat_offer(Direction::kSendOnly)).media[0]), lines);
}

TEST(SrtpOffer, AnswersThatDropOrMixUpTheKeysAreRefused) {
  const auto answer = [](SrtpPolicy policy, SrtpOffer how, const std::string& media) {
    OfferAnswer b = leg(20'000, policy, how);
    ours(b.own_offer());
    const auto result = b.remote_answer(phone(media));
    return result ? std::optional<OfferError>{} : result.error();
  };
  const std::string plain = "m=audio 6004 RTP/AVP 0\r\n";
  const std::string secure = "m=audio 6004 RTP/SAVP 0\r\n";
  EXPECT_EQ(answer(SrtpPolicy::kOptional, SrtpOffer::kSecure, plain), OfferError::kSrtpRequired);
  EXPECT_EQ(answer(SrtpPolicy::kOptional, SrtpOffer::kSecure, secure), OfferError::kSrtpKeys);
  EXPECT_EQ(answer(SrtpPolicy::kOptional, SrtpOffer::kSecure, secure + std::string{kKeyLine}),
            OfferError::kSrtpKeys);  // a tag we never offered
  EXPECT_EQ(answer(SrtpPolicy::kRequired, SrtpOffer::kPlain, plain), OfferError::kSrtpRequired);
  EXPECT_FALSE(answer(SrtpPolicy::kOptional, SrtpOffer::kBestEffort, plain));
}

TEST(SrtpOffer, BestEffortIsEncryptedWhenThePeerTakesALine) {
  OfferAnswer b = leg(20'000, SrtpPolicy::kOptional, SrtpOffer::kBestEffort);
  const auto offer = ours(b.own_offer());
  EXPECT_EQ(offer.media[0].protocol, "RTP/AVP");
  const CryptoLine line = crypto_lines(offer.media[0]).at(0);
  ASSERT_TRUE(b.remote_answer(phone("m=audio 6004 RTP/AVP 0\r\n" + crypto_of(line))));
  EXPECT_TRUE(b.negotiated()->send && b.negotiated()->receive);
  // A plain answer to the same offer is a plain call, and stays one.
  OfferAnswer c = leg(20'000, SrtpPolicy::kOptional, SrtpOffer::kBestEffort);
  ours(c.own_offer());
  ASSERT_TRUE(c.remote_answer(phone("m=audio 6004 RTP/AVP 0\r\n")));
  EXPECT_FALSE(c.negotiated()->send);
  EXPECT_FALSE(ours(c.repeat_offer()).media[0].attributes.has("crypto"));
}

TEST(SrtpOffer, PlainProfileWithKeysIsAnsweredEncrypted) {
  OfferAnswer a = leg(10'000);
  ASSERT_TRUE(a.remote_offer(phone("m=audio 5004 RTP/AVP 0\r\n" + std::string{kKeyLine})));
  const auto d = ours(a.own_answer());
  EXPECT_EQ(d.media[0].protocol, "RTP/AVP");
  EXPECT_EQ(crypto_lines(d.media[0]).at(0).tag, 5u);
  EXPECT_TRUE(a.negotiated()->receive);
}

TEST(SrtpOffer, PolicyDecidesWhatIsAccepted) {
  const auto offer = [](SrtpPolicy policy, const std::string& media) {
    OfferAnswer a = leg(10'000, policy);
    const auto result = a.remote_offer(phone(media));
    if (result) ours(a.own_answer());
    return result ? std::optional<OfferError>{} : result.error();
  };
  const std::string plain = "m=audio 5004 RTP/AVP 0\r\n";
  const std::string secure = "m=audio 5004 RTP/SAVP 0\r\n";
  const std::string keys{kKeyLine};
  EXPECT_FALSE(offer(SrtpPolicy::kOff, plain + keys));
  EXPECT_EQ(offer(SrtpPolicy::kOff, secure + keys), OfferError::kSrtpOff);
  EXPECT_EQ(offer(SrtpPolicy::kOptional, secure), OfferError::kSrtpKeys);
  EXPECT_EQ(offer(SrtpPolicy::kRequired, plain), OfferError::kSrtpRequired);
  EXPECT_FALSE(offer(SrtpPolicy::kRequired, plain + keys));
  EXPECT_FALSE(offer(SrtpPolicy::kRequired, secure + keys));
  OfferAnswer off = leg(10'000, SrtpPolicy::kOff, SrtpOffer::kSecure);
  EXPECT_EQ(ours(off.own_offer()).media[0].protocol, "RTP/AVP");
}

TEST(SrtpOffer, OfTwoSectionsTheEncryptedOneIsTakenAndTheOtherRefused) {
  OfferAnswer a = leg(10'000);
  OfferAnswer b = leg(20'000);
  ASSERT_TRUE(a.remote_offer(sample("polycom_two_sections")));
  const auto on = ours(b.relay_offer(a));
  ASSERT_EQ(on.media.size(), 1u);
  ASSERT_TRUE(b.remote_answer(phone("m=audio 6004 RTP/AVP 9\r\n")));
  const auto back = ours(a.relay_answer(b));
  ASSERT_EQ(back.media.size(), 2u);
  EXPECT_EQ(back.media[0].port, 10'000);
  EXPECT_EQ(back.media[1].port, 0);
  EXPECT_TRUE(a.negotiated()->send);

  OfferAnswer later = leg(10'000);  // also when it is listed last
  ASSERT_TRUE(later.remote_offer(
      phone("m=audio 5004 RTP/AVP 0\r\nm=audio 5004 RTP/SAVP 0\r\n" + std::string{kKeyLine})));
  EXPECT_EQ(ours(later.own_answer()).media[1].port, 10'000);

  OfferAnswer plain = leg(10'000, SrtpPolicy::kOff);
  ASSERT_TRUE(plain.remote_offer(sample("polycom_two_sections")));
  const auto second = ours(plain.own_answer());
  EXPECT_EQ(second.media[0].port, 0);
  EXPECT_EQ(second.media[1].port, 10'000);
}

}  // namespace
}  // namespace bw::sdp
