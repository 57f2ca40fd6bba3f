#include "stun/message.h"

#include <gtest/gtest.h>

#include <string>

#include "base/rng.h"

namespace bw::stun {
namespace {

using Buffer = std::vector<std::uint8_t>;

Buffer bytes(std::string_view hex) {
  Buffer out;
  int half = -1;
  for (const char c : hex) {
    if (c == ' ') continue;
    const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
    if (half >= 0) out.push_back(static_cast<std::uint8_t>(half * 16 + digit));
    half = half < 0 ? digit : -1;
  }
  return out;
}

// RFC 5769 §2.1 to §2.3.
constexpr std::string_view kPassword = "VOkJxbRl1RmTxUk/WvJxBt";
const Buffer kRequest = bytes(
    "00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74 00240004 "
    "6e0001ff 80290008 932ff9b1 51263b36 00060009 6576746a 3a683676 59202020 00080014 9aeaa70c bfd8cb56 "
    "781ef2b5 b2d3f249 c1b571a2 80280004 e57a3bcf");
const Buffer kAnswer4 = bytes(
    "0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200008 0001a147 "
    "e112a643 00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7 80280004 c07d4c96");
const Buffer kAnswer6 = bytes(
    "01010048 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200014 0002a147 "
    "0113a9fa a5d3f179 bc25f4b5 bed2b9d9 00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41 80280004 "
    "c8fb0b4c");

TEST(StunMessage, TheRequestOfTheTestVectorsIsReadAndItsSumsAreRight) {
  const auto m = Message::parse(kRequest);
  ASSERT_TRUE(m);
  EXPECT_TRUE(m->is_binding_request());
  EXPECT_EQ(m->text(Type::kUsername), "evtj:h6vY");
  EXPECT_EQ(m->number32(Type::kPriority), 0x6e0001ffU);
  EXPECT_EQ(m->number64(Type::kIceControlled), 0x932ff9b151263b36U);
  EXPECT_TRUE(m->has_fingerprint());
  EXPECT_TRUE(m->is_authentic(kPassword));
  EXPECT_FALSE(m->is_authentic("VOkJxbRl1RmTxUk/WvJxBu"));
  EXPECT_FALSE(m->is_authentic(""));
}

TEST(StunMessage, TheAnswersOfTheTestVectorsNameTheAddress) {
  const auto four = Message::parse(kAnswer4);
  const auto six = Message::parse(kAnswer6);
  ASSERT_TRUE(four && six);
  EXPECT_EQ(four->message_class(), Class::kSuccess);
  EXPECT_TRUE(four->is_authentic(kPassword));
  EXPECT_TRUE(six->is_authentic(kPassword));
  EXPECT_EQ(four->mapped_address(), Endpoint::parse("192.0.2.1:32853"));
  EXPECT_EQ(six->mapped_address(), Endpoint::parse("[2001:db8:1234:5678:11:2233:4455:6677]:32853"));
}

// Only the padding of the text differs, which nobody reads but both sums cover.
TEST(StunMessage, WhatIsWrittenIsWhatTheTestVectorsSay) {
  const auto id = Message::parse(kAnswer6)->transaction();
  Writer w{Class::kSuccess, id};
  w.mapped_address(*Endpoint::parse("[2001:db8:1234:5678:11:2233:4455:6677]:32853"));
  const Buffer plain = w.take();
  EXPECT_EQ(Buffer(plain.begin() + 20, plain.end()), Buffer(kAnswer6.begin() + 36, kAnswer6.begin() + 60));
}

TEST(StunMessage, EveryFlippedBitIsNoticed) {
  for (std::size_t i = 0; i < kAnswer4.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Buffer bad = kAnswer4;
      bad[i] = static_cast<std::uint8_t>(bad[i] ^ 1U << bit);
      const auto m = Message::parse(bad);
      EXPECT_FALSE(m && m->has_fingerprint() && m->is_authentic(kPassword)) << i << '.' << bit;
    }
  }
}

TEST(StunMessage, WhatIsCutOffIsNoMessage) {
  for (std::size_t size = 0; size < kRequest.size(); ++size) {
    EXPECT_FALSE(Message::parse(Bytes{kRequest}.first(size))) << size;
  }
}

TEST(StunMessage, WhatFollowsTheIntegrityIsNotBelieved) {
  Writer w{Class::kRequest, {1, 2, 3}};
  w.text(Type::kUsername, "me:you").integrity("secret").flag(Type::kUseCandidate).fingerprint();
  const Buffer written = w.take();
  const auto m = Message::parse(written);
  ASSERT_TRUE(m);
  EXPECT_TRUE(m->is_authentic("secret"));
  EXPECT_FALSE(m->has(Type::kUseCandidate));
}

TEST(StunMessage, EveryMessageComesBackAsItWasWritten) {
  SeededRng rng{5769};
  for (int round = 0; round < 500; ++round) {
    TransactionId id;
    rng.fill(std::as_writable_bytes(std::span{id}));
    const std::string name = rng.token(rng.below(40));
    const std::string password = rng.token(1 + rng.below(100));
    const auto priority = static_cast<std::uint32_t>(rng.u64());
    const std::uint64_t tie = rng.u64();
    std::array<std::uint8_t, 16> six{0x20, 1};
    rng.fill(std::as_writable_bytes(std::span{six}).subspan(2));
    const IpAddress ip =
        rng.below(2) == 0 ? IpAddress::v4(static_cast<std::uint32_t>(rng.u64())) : IpAddress::v6(six);
    const Endpoint address{ip, static_cast<std::uint16_t>(rng.u64())};
    const auto code = static_cast<std::uint16_t>(300 + rng.below(400));
    const auto kind = static_cast<Class>(rng.below(4));
    const auto method = static_cast<std::uint16_t>(rng.below(0x1000));
    Writer w{kind, id, method};
    w.text(Type::kUsername, name).number32(Type::kPriority, priority).number64(Type::kIceControlling, tie);
    w.mapped_address(address).error(code, rng.token(rng.below(9))).integrity(password).fingerprint();
    const Buffer written = w.take();
    const auto m = Message::parse(written);
    ASSERT_TRUE(m);
    EXPECT_EQ(m->message_class(), kind);
    EXPECT_EQ(m->method(), method);
    EXPECT_EQ(m->transaction(), id);
    EXPECT_EQ(m->text(Type::kUsername), name);
    EXPECT_EQ(m->number32(Type::kPriority), priority);
    EXPECT_EQ(m->number64(Type::kIceControlling), tie);
    EXPECT_EQ(m->mapped_address(), address);
    EXPECT_EQ(m->error_code(), code);
    EXPECT_TRUE(m->is_authentic(password) && m->has_fingerprint());
  }
}

TEST(StunMessage, AttributesNobodyKnowsAreNamedOnce) {
  const Buffer message =
      bytes("00010010 2112a442 b7e7a701 bc34d686 fa87dfae 7fff0000 7fff0000 00240000 c0000000");
  const auto m = Message::parse(message);
  ASSERT_TRUE(m);
  const std::array known{Type::kPriority};
  EXPECT_EQ(m->not_in(known), std::vector<std::uint16_t>{0x7fff});
  EXPECT_EQ(m->not_in({}), (std::vector<std::uint16_t>{0x7fff, 0x0024}));
}

}  // namespace
}  // namespace bw::stun
