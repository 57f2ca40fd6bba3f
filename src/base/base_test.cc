#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <map>

#include "base/address.h"
#include "base/pace.h"
#include "base/rng.h"
#include "base/timer_heap.h"
#include "base/utf8.h"

namespace bw {
namespace {

TEST(Address, TextRoundTripsAndRefusesAmbiguousSpellings) {
  for (const char* text : {"192.0.2.1", "0.0.0.0", "2001:db8::1", "::1"}) {
    const auto ip = IpAddress::parse(text);
    ASSERT_TRUE(ip) << text;
    EXPECT_EQ(ip->to_string(), text);
  }
  EXPECT_EQ(IpAddress::parse("::ffff:192.0.2.1"), IpAddress::parse("192.0.2.1"));
  EXPECT_EQ(IpAddress::parse("[::1]"), IpAddress::parse("::1"));
  for (const char* text :
       {"", "1.2.3", "1.2.3.4.5", "010.1.1.1", "256.1.1.1", "[1.2.3.4]", ":::", "fe80::1%eth0"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(Address, EndpointNeedsBracketsForIpv6) {
  EXPECT_EQ(Endpoint::parse("[2001:db8::1]:5060")->to_string(), "[2001:db8::1]:5060");
  EXPECT_EQ(Endpoint::parse("192.0.2.1:65535")->port, 65535);
  EXPECT_FALSE(Endpoint::parse("2001:db8::1:5060"));
  EXPECT_FALSE(Endpoint::parse("192.0.2.1:65536"));
}

TEST(Address, NetworkContainsByPrefix) {
  const auto ten = Network::parse("10.0.0.0/8");
  ASSERT_TRUE(ten);
  EXPECT_TRUE(ten->contains(*IpAddress::parse("10.255.1.1")));
  EXPECT_FALSE(ten->contains(*IpAddress::parse("11.0.0.1")));
  EXPECT_TRUE(Network::parse("172.16.0.0/12")->contains(*IpAddress::parse("172.31.255.255")));
  EXPECT_FALSE(Network::parse("172.16.0.0/12")->contains(*IpAddress::parse("172.32.0.0")));
  EXPECT_TRUE(Network::parse("fc00::/7")->contains(*IpAddress::parse("fd12::1")));
  EXPECT_FALSE(Network::parse("fc00::/7")->contains(*IpAddress::parse("10.0.0.1")));
  EXPECT_FALSE(Network::parse("10.0.0.0/33"));
}

TEST(Pace, AllowsSoManyAtOnceThenOneEach) {
  Pace pace{10ms, 3};
  const Instant start{1'800'000'000s};
  const auto allowed = [&](Instant at, int tries) {
    int count = 0;
    for (int i = 0; i < tries; ++i) count += pace.allows(at) ? 1 : 0;
    return count;
  };
  EXPECT_EQ(allowed(start, 100), 3);
  EXPECT_EQ(allowed(start + 9ms, 100), 0);
  EXPECT_EQ(allowed(start + 10ms, 100), 1);
  EXPECT_EQ(allowed(start + 30ms, 100), 2);
  EXPECT_EQ(allowed(start + 1h, 100), 3) << "rest is not saved up";
}

TEST(TimerHeap, AgreesWithASortedMapUnderRandomUse) {
  SeededRng rng{7};
  TimerHeap<int> heap;
  std::map<int, TimerHandle> handles;
  std::map<int, Instant> truth;
  Instant now{1s};
  for (int step = 0; step < 20'000; ++step) {
    const int key = static_cast<int>(rng.below(200));
    switch (rng.below(3)) {
      case 0: {
        const Instant at = now + Duration{rng.below(1000)};
        heap.arm(handles[key], at, key);
        truth[key] = at;
        break;
      }
      case 1:
        heap.cancel(handles[key]);
        truth.erase(key);
        break;
      default:
        now = now + Duration{rng.below(100)};
        while (const auto due = heap.pop_due(now)) {
          ASSERT_TRUE(truth.contains(*due));
          ASSERT_LE(truth[*due], now);
          truth.erase(*due);
        }
        for (const auto& [k, at] : truth) ASSERT_GT(at, now) << k;
    }
    ASSERT_EQ(heap.size(), truth.size());
  }
}

TEST(TimerHeap, AHandleThatHasGoneOffTouchesNoOtherTimer) {
  TimerHeap<int> heap;
  TimerHandle first, second;
  heap.arm(first, Instant{1s}, 1);
  EXPECT_TRUE(heap.is_armed(first));
  EXPECT_EQ(heap.pop_due(Instant{1s}), 1);
  EXPECT_FALSE(heap.is_armed(first));
  heap.cancel(first);
  EXPECT_EQ(heap.size(), 0U);
  heap.arm(first, Instant{2s}, 1);
  EXPECT_EQ(heap.pop_due(Instant{2s}), 1);
  heap.arm(second, Instant{3s}, 2);  // in the slot that the first one had
  EXPECT_FALSE(heap.is_armed(first));
  const TimerHandle copy = second;
  heap.arm(first, Instant{4s}, 1);
  EXPECT_EQ(heap.size(), 2U) << "armed anew, not the other one moved";
  heap.cancel(first);
  heap.cancel(first);
  EXPECT_EQ(heap.size(), 1U);
  EXPECT_EQ(heap.pop_due(Instant{3s}), 2);
  EXPECT_FALSE(heap.is_armed(copy));
}

TEST(Utf8, WhatDoesNotFitBecomesAQuestionMarkAndNothingIsCutInTheMiddle) {
  EXPECT_EQ(valid_utf8("Yealink \xff\xfe", 99), "Yealink ??");
  EXPECT_EQ(valid_utf8("M\xc3\xbcller", 99), "M\xc3\xbcller");
  EXPECT_EQ(valid_utf8("M\xc3\xbcller", 2), "M");
  EXPECT_EQ(valid_utf8(std::string_view{"a\0b", 3}, 99), "a?b");
  EXPECT_EQ(valid_utf8("\xed\xa0\x80", 99), "???") << "a surrogate is no character";
}

// The system's own reader is the oracle; it is not used because of its price.
TEST(Address, ReadsAndWritesIpv4LikeTheSystem) {
  for (const std::string text :
       {"0.0.0.0",   "1.2.3.4",   "255.255.255.255", "127.0.0.1",  "10.20.30.240",
        "256.1.1.1", "1.2.3",     "1.2.3.4.5",       "1.2.3.",     ".1.2.3",
        "1..2.3",    "01.2.3.4",  "1.2.3.04",        "1.2.3.1000", "1.2.3.4 ",
        " 1.2.3.4",  "1.2.3.a",   "-1.2.3.4",        "+1.2.3.4",   "1.2.3.4\n",
        "00.0.0.0",  "0x1.2.3.4", "1,2,3,4",         "...",        "9999999999.1.1.1"}) {
    in_addr expected{};
    const bool good = inet_pton(AF_INET, text.c_str(), &expected) == 1;
    const auto read = IpAddress::parse(text);
    ASSERT_EQ(read.has_value(), good) << text;
    if (!good) continue;
    EXPECT_EQ(read->to_v4(), ntohl(expected.s_addr)) << text;
    EXPECT_EQ(read->to_string(), text);
  }
}

}  // namespace
}  // namespace bw
