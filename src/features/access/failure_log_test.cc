#include "access/failure_log.h"

#include <gtest/gtest.h>

namespace bw::access {
namespace {

constexpr Instant kStart{std::chrono::seconds{1'800'000'000}};

AuditEntry wrong(const std::string& who, const std::string& from, Duration after = 0s, int status = 401) {
  return {.at = kStart + after, .who = who, .way = "none", .from = from, .action = "login", .status = status};
}

TEST(FailureLog, WhatRepeatsItselfBecomesOneEntryWithACount) {
  FailureLog log;
  EXPECT_TRUE(log.add(wrong("eve", "192.0.2.1")));
  for (int i = 1; i <= 50; ++i) EXPECT_FALSE(log.add(wrong("eve", "192.0.2.1", 1s * i)));
  EXPECT_TRUE(log.add(wrong("bob", "192.0.2.1")));
  EXPECT_TRUE(log.add(wrong("eve", "192.0.2.2")));
  EXPECT_TRUE(log.due(kStart + 59s).empty());
  const auto entries = log.due(kStart + 60s);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].who, "eve");
  EXPECT_EQ(entries[0].from, "192.0.2.1");
  EXPECT_EQ(entries[0].at, kStart + 50s);
  EXPECT_EQ(entries[0].after, R"({"repeated":50,"since":"2027-01-15T08:00:00.000Z"})");
  EXPECT_TRUE(log.add(wrong("eve", "192.0.2.1", 61s)));
}

TEST(FailureLog, AnAddressThatIsLockedOutIsToldOfOnceHoweverManyNamesItTries) {
  FailureLog log;
  EXPECT_TRUE(log.add(wrong("user0", "192.0.2.1", 0s, 423)));
  for (int i = 1; i < 600; ++i)
    EXPECT_FALSE(log.add(wrong("user" + std::to_string(i), "192.0.2.1", 1s * i, 423)));
  EXPECT_TRUE(log.due(kStart + 600s).empty());
  ASSERT_EQ(log.due(kStart + 900s).size(), 1u);
}

TEST(FailureLog, ManyNamesFromManyAddressesCannotFillTheLog) {
  FailureLog log;
  std::size_t written = 0;
  for (int second = 0; second < 600; ++second) {
    for (int i = 0; i < 20; ++i) {
      const std::string n = std::to_string(second * 20 + i);
      if (log.add(wrong("user" + n, "a" + n, 1s * second))) ++written;
    }
    written += log.due(kStart + 1s * second).size();
  }
  EXPECT_LE(written, 310u);
  const auto rest = log.rest();
  ASSERT_FALSE(rest.empty());
  EXPECT_EQ(rest.front().who, "(others)");
  EXPECT_EQ(rest.front().after.find(R"({"repeated":)"), 0u);
  EXPECT_TRUE(log.rest().empty());
}

}  // namespace
}  // namespace bw::access
