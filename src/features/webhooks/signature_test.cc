#include "webhooks/signature.h"

#include <gtest/gtest.h>

#include "webhooks/backoff.h"

namespace bw::webhooks {
namespace {

// The example of the Standard Webhooks specification's own libraries.
TEST(Signature, AgreesWithTheStandardsExample) {
  EXPECT_EQ(standard_signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
                               "1614265330", R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

// RFC 4231 §4.3.
TEST(Signature, AgreesWithTheTestVectorsOfHmac) {
  EXPECT_EQ(body_signature("Jefe", "what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Signature, ASecretIsBase64OnlyAfterItsPrefix) {
  EXPECT_EQ(key_of("whsec_YWJj"), "abc");
  EXPECT_EQ(key_of("whsec_YWI="), "ab");
  EXPECT_EQ(key_of("whsec_YQ=="), "a");
  EXPECT_EQ(key_of("YWJj"), "YWJj");
  for (const auto* odd : {"whsec_", "whsec_Y", "whsec_YW J", "whsec_====", "whsec_YW=j", "whsec_Y==="})
    EXPECT_EQ(key_of(odd), odd);
}

TEST(Backoff, GrowsFromTheFirstDelayToAnHour) {
  SeededRng rng(1);
  const auto near = [](Duration d, Duration middle) { return d >= middle * 8 / 10 && d <= middle * 12 / 10; };
  EXPECT_TRUE(near(retry_delay(1, 5s, 3, rng), 5s));
  EXPECT_TRUE(near(retry_delay(2, 5s, 3, rng), 10s));
  EXPECT_TRUE(near(retry_delay(3, 5s, 3, rng), 20s));
  EXPECT_TRUE(near(retry_delay(4, 5s, 3, rng), 60s));
  EXPECT_TRUE(near(retry_delay(5, 5s, 3, rng), 120s));
  EXPECT_TRUE(near(retry_delay(1'000'000'000, 5s, 3, rng), 1h));
  EXPECT_TRUE(near(probe_delay(1'000'000'000, 5s, rng), 60s));
  EXPECT_TRUE(near(retry_delay(1, 0s, 3, rng), 50ms)) << "never without a pause";
  EXPECT_EQ(wait_asked_for(std::chrono::seconds(-5)), 1s);
  EXPECT_EQ(wait_asked_for(std::chrono::hours(1'000'000)), 1h);
}

}  // namespace
}  // namespace bw::webhooks
