#include "server/retention.h"

#include <gtest/gtest.h>

#include <future>

#include "store/journal.h"

namespace bw::server {
namespace {

using namespace std::chrono_literals;

ports::Tell registered(std::uint64_t number, Instant at) {
  events::ExtensionRegistered e;
  e.extension = "1001";
  return {{events::EventId("event-" + std::to_string(number)), at, 0, e}};
}

std::uint64_t oldest(store::StoreThread& thread) {
  std::promise<std::uint64_t> answer;
  thread.ask([&](store::Store& store) { answer.set_value(store::Journal(store).oldest_seq().value()); });
  return answer.get_future().get();
}

// A round is a chain of questions, each asked by the one before, so a limit of time is only for a chain that
// has broken.
void await_oldest(store::StoreThread& thread, std::uint64_t seq) {
  const auto end = std::chrono::steady_clock::now() + 60s;
  while (oldest(thread) < seq && std::chrono::steady_clock::now() < end) {
  }
  EXPECT_EQ(oldest(thread), seq);
}

TEST(Retention, OldEventsGoInStepsAndTheChoiceMayChangeAtAnyTime) {
  const io::Clock clock;
  Log log({Level::kError, false, "", false});
  auto opened = store::Store::open(store::Sqlite{":memory:"}, store::SealKey({}));
  ASSERT_TRUE(opened);
  std::vector<ports::Change> changes;
  for (std::uint64_t n = 1; n <= 1'200; ++n) changes.emplace_back(registered(n, clock.now() - 72h));
  for (std::uint64_t n = 1'201; n <= 1'210; ++n) changes.emplace_back(registered(n, clock.now() - 36h));
  changes.emplace_back(registered(1'211, clock.now()));
  ASSERT_TRUE(opened->apply(changes));
  store::StoreThread thread(std::move(*opened), [](auto) {}, [](const auto&) {});
  Retention retention(thread, clock, log, 96h);
  retention.round();
  await_oldest(thread, 1);
  retention.keep_events_for(48h);
  retention.round();
  await_oldest(thread, 1'201);
  retention.keep_events_for(24h);
  retention.round();
  await_oldest(thread, 1'211);
  retention.keep_events_for(0h);
  retention.stop();
  retention.round();
  EXPECT_EQ(oldest(thread), 1'211U);
}

}  // namespace
}  // namespace bw::server
