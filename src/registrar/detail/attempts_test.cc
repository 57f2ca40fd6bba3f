#include "registrar/detail/attempts.h"

#include <gtest/gtest.h>

namespace bw::registrar {
namespace {

const Instant kNow{1'700'000'000s};
const model::RateLimit kLimit{.max_attempts = 3, .window = 60s, .lockout = 600s};

TEST(Attempts, LockWithTheLastAllowedFailureInTheWindow) {
  Attempts attempts{10};
  EXPECT_FALSE(attempts.fail(1, kLimit, kNow).lock_began);
  EXPECT_FALSE(attempts.fail(1, kLimit, kNow).lock_began);
  EXPECT_FALSE(attempts.is_locked(1, kNow));
  EXPECT_TRUE(attempts.fail(1, kLimit, kNow).lock_began);
  EXPECT_TRUE(attempts.is_locked(1, kNow + 599s));
  EXPECT_FALSE(attempts.is_locked(2, kNow));
}

TEST(Attempts, AreForgivenWhenTheWindowIsOver) {
  Attempts attempts{10};
  attempts.fail(1, kLimit, kNow);
  attempts.fail(1, kLimit, kNow + 30s);
  EXPECT_FALSE(attempts.fail(1, kLimit, kNow + 60s).lock_began);
}

TEST(Attempts, DuringALockDoNotProlongIt) {
  Attempts attempts{10};
  for (int i = 0; i < 3; ++i) attempts.fail(1, kLimit, kNow);
  EXPECT_FALSE(attempts.fail(1, kLimit, kNow + 500s).lock_began);
  EXPECT_FALSE(attempts.is_locked(1, kNow + 600s));
  EXPECT_FALSE(attempts.fail(1, kLimit, kNow + 600s).lock_began) << "counting begins anew";
}

TEST(Attempts, OfManySubjectsStayWithinTheTable) {
  Attempts attempts{100};
  for (std::uint64_t subject = 0; subject < 10'000; ++subject) attempts.fail(subject, kLimit, kNow);
  EXPECT_EQ(attempts.size(), 100U);
  attempts.expire(kNow + 60s);
  EXPECT_EQ(attempts.size(), 0U);
}

}  // namespace
}  // namespace bw::registrar
