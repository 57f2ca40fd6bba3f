// What one authenticated phone may try against the office, and must not get.
#include <string>

#include "story.h"

namespace bw::scenario {
namespace {

TEST(Abuse, AFloodOfInfoNeitherWrapsTheNumbersOfItsPartnerNorEndsTheCall) {
  World office{Seed{3}};
  auto [alice, bob] = office.phones("alice", "bob");
  talk(office, alice, bob);
  for (int burst = 0; burst < 2'300; ++burst) {  // 69,000 requests: more than 16 bits can count
    alice.presses_by_info(std::string(30, '5'));
    office.run_for(12ms);
  }
  EXPECT_TRUE(alice.in_call() && bob.in_call());
  expect_conversation(office, alice, bob);
  alice.hangs_up();
  ASSERT_TRUE(office.until([&] { return all_idle({&alice, &bob}); }, 60s));
  expect_clean(office);
}

}  // namespace
}  // namespace bw::scenario
