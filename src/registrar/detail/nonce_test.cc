#include "registrar/detail/nonce.h"

#include <gtest/gtest.h>

#include <set>

namespace bw::registrar {
namespace {

const IpAddress kAlice = IpAddress::v4(0x0a000001);
const IpAddress kMallory = IpAddress::v4(0x0a000002);
const Instant kNow{1'700'000'000s};

TEST(Nonce, IsRecognisedOnlyFromTheSourceItWasSentTo) {
  SeededRng rng{1};
  NonceMint mint{rng};
  const std::string nonce = mint.issue(kAlice, kNow);
  const auto id = mint.recognise(nonce, kAlice);
  ASSERT_TRUE(id);
  EXPECT_EQ(id->issued, kNow);
  EXPECT_FALSE(mint.recognise(nonce, kMallory));
  EXPECT_FALSE(NonceMint{rng}.recognise(nonce, kAlice)) << "another process has another key";
}

TEST(Nonce, IsRefusedWhenAnyCharacterIsChanged) {
  SeededRng rng{2};
  NonceMint mint{rng};
  const std::string nonce = mint.issue(kAlice, kNow);
  for (std::size_t i = 0; i < nonce.size(); ++i) {
    std::string changed = nonce;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(mint.recognise(changed, kAlice)) << i;
  }
  EXPECT_FALSE(mint.recognise("", kAlice));
  EXPECT_FALSE(mint.recognise(nonce + "A", kAlice));
  EXPECT_FALSE(mint.recognise(nonce.substr(1), kAlice));
  EXPECT_FALSE(mint.recognise(std::string(32, '='), kAlice));
}

TEST(NonceCounts, AcceptEachCountOnceWithinTheWindow) {
  // Against a model that remembers everything: random walks of counts around a moving front.
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRng rng{seed};
    NonceCounts counts{10};
    const NonceId id{kNow, seed};
    std::set<std::uint32_t> used;
    std::uint32_t front = 1 + static_cast<std::uint32_t>(rng.below(100));
    for (int step = 0; step < 300; ++step) {
      const auto jump = static_cast<std::uint32_t>(rng.below(rng.below(20) == 0 ? 200 : 4));
      const auto back = static_cast<std::uint32_t>(rng.below(90));
      const std::uint32_t count = rng.below(2) == 0 ? front + jump : (front > back ? front - back : 1);
      const std::uint32_t highest = used.empty() ? 0 : *used.rbegin();
      const bool too_old = !used.empty() && highest >= count && highest - count >= NonceCounts::kWindow;
      const bool expected = !used.contains(count) && !too_old;
      ASSERT_EQ(counts.use(id, count), expected) << "seed " << seed << " step " << step;
      if (expected) used.insert(count);
      front = std::max(front, count);
    }
  }
}

TEST(NonceCounts, ForgetTheOldestWhenFullAndNeverTakeThemAgain) {
  NonceCounts counts{3};
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(counts.use({kNow + i * 1s, 7}, 1));
  EXPECT_EQ(counts.size(), 3U);
  EXPECT_TRUE(counts.is_forgotten({kNow, 7}));
  EXPECT_FALSE(counts.is_forgotten({kNow + 1s, 7}));
  EXPECT_FALSE(counts.use({kNow + 1s, 7}, 1));
}

TEST(NonceCounts, OneOlderThanAllOthersInAFullTableIsUsedOnceAndThenForgotten) {
  NonceCounts counts{2};
  EXPECT_TRUE(counts.use({kNow + 5s, 1}, 1));
  EXPECT_TRUE(counts.use({kNow + 6s, 2}, 1));
  EXPECT_TRUE(counts.use({kNow, 3}, 1));
  EXPECT_TRUE(counts.is_forgotten({kNow, 3}));
  EXPECT_LE(counts.size(), 2U);
}

TEST(NonceCounts, NoncesOfTheSameInstantAreToldApart) {
  NonceCounts counts{10};
  EXPECT_TRUE(counts.use({kNow, 1}, 1));
  EXPECT_TRUE(counts.use({kNow, 2}, 1));
  EXPECT_FALSE(counts.use({kNow, 1}, 1));
}

TEST(Source, IsTheAddressOfIpv4AndTheSubscribersNetworkOfIpv6) {
  EXPECT_EQ(source_of(kAlice), kAlice);
  EXPECT_EQ(source_of(*IpAddress::parse("2001:db8:1:2:3:4:5:6")), *IpAddress::parse("2001:db8:1:2::"));
}

}  // namespace
}  // namespace bw::registrar
