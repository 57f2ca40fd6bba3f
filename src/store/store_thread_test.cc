#include "store/store_thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/rng.h"
#include "store/detail/session.h"
#include "store/detail/statement.h"
#include "store/journal.h"
#include "store/test_databases.h"

namespace bw::store {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

Instant at(std::uint64_t seconds) {
  return Instant{1'700'000'000s + std::chrono::seconds(seconds)};
}

model::CallRecord call(std::uint64_t number) {
  model::CallRecord r;
  r.id = model::CallId("call-" + std::to_string(number));
  r.from_extension = "1001";
  r.started = at(number);
  return r;
}

// A short call: opened and ended in one turn.
ports::Persist turn(std::uint64_t number) {
  model::CallRecord end = call(number);
  end.ended = at(number + 1);
  end.reason = "turn " + std::to_string(number);
  return {ports::Ticket{number}, {ports::OpenCallRecord{call(number)}, ports::CloseCallRecord{end}}};
}

// What the thread told, for a test that waits.
class Told {
 public:
  StoreThread::OnStored on_stored() {
    return [this](std::span<const ports::Stored> answers) {
      const std::scoped_lock lock(mutex_);
      ++commits_;
      for (const ports::Stored& s : answers) (s.ok ? stored_ : lost_).push_back(s.ticket.value);
    };
  }
  StoreThread::OnTrouble on_trouble() {
    return [this](const Failure* failure) {
      const std::scoped_lock lock(mutex_);
      troubles_.push_back(failure == nullptr ? "over" : failure->sentence);
    };
  }
  std::vector<std::uint64_t> stored() const { return copy(stored_); }
  std::vector<std::uint64_t> lost() const { return copy(lost_); }
  std::vector<std::string> troubles() const { return copy(troubles_); }
  int commits() const { return commits_; }

 private:
  template <typename T>
  T copy(const T& from) const {
    const std::scoped_lock lock(mutex_);
    return from;
  }
  mutable std::mutex mutex_;
  std::vector<std::uint64_t> stored_;
  std::vector<std::uint64_t> lost_;
  std::vector<std::string> troubles_;
  std::atomic<int> commits_ = 0;
};

Store open(const Target& target, bool alone = false) {
  auto store = alone ? Store::open_alone(target, test::key_of(1)) : Store::open(target, test::key_of(1));
  if (!store) throw std::runtime_error(store.error().sentence);
  return std::move(*store);
}

std::vector<std::uint64_t> numbers(std::uint64_t from, std::uint64_t to) {
  std::vector<std::uint64_t> out;
  for (; from <= to; ++from) out.push_back(from);
  return out;
}

// Everything queued before it is stored when this returns.
void settle(StoreThread& thread) {
  std::promise<void> reached;
  ASSERT_TRUE(thread.ask([&](Store&) { reached.set_value(); }));
  reached.get_future().wait();
}

class Thread : public testing::TestWithParam<Dialect> {
 protected:
  test::Database database_{GetParam()};
  Told told_;
};

INSTANTIATE_TEST_SUITE_P(On, Thread, testing::Values(Dialect::kSqlite, Dialect::kPostgresql),
                         [](const auto& p) { return p.param == Dialect::kSqlite ? "Sqlite" : "Postgresql"; });

TEST_P(Thread, EveryTicketIsAnsweredInOrderAfterItIsStored) {
  std::promise<void> go;
  StoreThread thread(open(database_.target()), told_.on_stored(), told_.on_trouble());
  ASSERT_TRUE(thread.ask([&](Store&) { go.get_future().wait(); }));  // so that groups can be made
  for (std::uint64_t n = 1; n <= 500; ++n) EXPECT_EQ(thread.persist(turn(n)), Admission::kAccepted);
  ASSERT_TRUE(thread.persist({ports::Ticket{}, turn(501).changes}) == Admission::kAccepted);  // nobody waits
  go.set_value();
  settle(thread);
  EXPECT_EQ(told_.stored(), numbers(1, 500));
  EXPECT_LT(told_.commits(), 100) << "no groups were made";
  EXPECT_EQ(thread.queued_changes(), 0U);
  EXPECT_EQ(told_.troubles().size(), 0U);
  EXPECT_THAT(open(database_.target()).call_records({.limit = 1000}).value(), SizeIs(501));
}

TEST_P(Thread, AQuestionSeesWhatWasQueuedBeforeIt) {
  StoreThread thread(open(database_.target()), told_.on_stored(), told_.on_trouble());
  std::vector<std::future<std::size_t>> answers;
  for (std::uint64_t n = 1; n <= 20; ++n) {
    std::promise<std::size_t> promise;
    answers.push_back(promise.get_future());
    ASSERT_EQ(thread.persist(turn(n)), Admission::kAccepted);
    ASSERT_TRUE(thread.ask([promise = std::move(promise)](Store& store) mutable {
      promise.set_value(store.call_records({}).value().size());
    }));
  }
  for (std::size_t n = 1; n <= 20; ++n) EXPECT_EQ(answers[n - 1].get(), n);
}

TEST_P(Thread, TheEndStoresWhatIsQueued) {
  {
    StoreThread thread(open(database_.target()), told_.on_stored(), told_.on_trouble());
    for (std::uint64_t n = 1; n <= 300; ++n) thread.persist(turn(n));
  }
  EXPECT_EQ(told_.stored(), numbers(1, 300));
}

TEST_P(Thread, OneRefusedTurnDoesNotTakeTheOthersWithIt) {
  std::promise<void> go;
  StoreThread thread(open(database_.target()), told_.on_stored(), told_.on_trouble());
  detail::run_once(*detail::connect(database_.target()),
                   (GetParam() == Dialect::kSqlite
                        ? "CREATE TRIGGER refuse BEFORE INSERT ON call_records WHEN NEW.call_id ="
                          " 'call-3' BEGIN SELECT RAISE(ABORT, 'no'); END"
                        : "ALTER TABLE call_records ADD CONSTRAINT refuse CHECK (call_id <> 'call-3')"));
  ASSERT_TRUE(thread.ask([&](Store&) { go.get_future().wait(); }));  // so that they make one group
  for (std::uint64_t n = 1; n <= 5; ++n) thread.persist(turn(n));
  go.set_value();
  settle(thread);
  EXPECT_THAT(told_.stored(), ElementsAre(1, 2, 4, 5));
  EXPECT_THAT(told_.lost(), ElementsAre(3));
  EXPECT_FALSE(told_.troubles().empty());
  EXPECT_THAT(open(database_.target()).call_records({}).value(), SizeIs(4));
}

TEST_P(Thread, AFullQueueRefusesAndLeavesTheBatchAlone) {
  std::promise<void> go;
  StoreThread thread(open(database_.target()), told_.on_stored(), told_.on_trouble(), {.queued_changes = 10});
  ASSERT_TRUE(thread.ask([&](Store&) { go.get_future().wait(); }));
  std::vector<Admission> admissions;
  for (std::uint64_t n = 1; n <= 5; ++n) admissions.push_back(thread.persist(turn(n)));
  using enum Admission;
  EXPECT_THAT(admissions, ElementsAre(kAccepted, kAccepted, kCrowded, kCrowded, kCrowded));
  ports::Persist sixth = turn(6);
  EXPECT_EQ(thread.persist(std::move(sixth)), kFull);
  EXPECT_THAT(sixth.changes, SizeIs(2));  // NOLINT(bugprone-use-after-move): that is the promise
  go.set_value();
  settle(thread);
  EXPECT_EQ(thread.persist(std::move(sixth)), kAccepted);
  settle(thread);
  EXPECT_EQ(told_.stored(), numbers(1, 6));
}

TEST_P(Thread, QuestionsAreBoundedToo) {
  std::promise<void> running;
  std::promise<void> go;
  StoreThread thread(open(database_.target()), told_.on_stored(), told_.on_trouble(),
                     {.queued_questions = 2});
  ASSERT_TRUE(thread.ask([&](Store&) {
    running.set_value();
    go.get_future().wait();
  }));
  running.get_future().wait();
  EXPECT_TRUE(thread.ask([](Store&) {}));
  EXPECT_TRUE(thread.ask([](Store&) {}));
  EXPECT_FALSE(thread.ask([](Store&) {}));
  go.set_value();
}

// A phone that registers: an event of no call.
ports::Persist event(std::uint64_t number) {
  events::ExtensionRegistered e;
  e.extension = std::to_string(number);
  return {{}, {ports::Tell{{events::EventId("event-" + std::to_string(number)), at(number), 0, e}}}};
}

// Hears what a StoreThread tells, and checks what holds for every batch.
class Listener {
 public:
  explicit Listener(const Target& target) : target_(target) {}
  StoreThread::OnEvents on_events() {
    return [this](const events::StoredBatch& batch, std::uint64_t) {
      // By a connection of its own: what is told is there for everybody.
      Store store = open(target_);
      const std::uint64_t newest = Journal(store).newest_seq().value();
      const std::scoped_lock lock(mutex_);
      for (const events::StoredEvent& e : *batch) {
        EXPECT_LE(e.seq, newest) << "told before it was stored";
        heard_.push_back(e.extensions.at(0) + '=' + std::to_string(e.seq));
      }
    };
  }
  std::vector<std::string> heard() const {
    const std::scoped_lock lock(mutex_);
    return heard_;
  }

 private:
  const Target& target_;
  mutable std::mutex mutex_;
  std::vector<std::string> heard_;
};

TEST_P(Thread, WhoListensHearsWhatIsStoredWhileListening) {
  StoreThread thread(open(database_.target()), told_.on_stored(), told_.on_trouble());
  Listener first(database_.target());
  Listener second(database_.target());
  thread.persist(event(1));
  settle(thread);
  {
    const Listening listening = thread.listen(first.on_events());
    thread.persist(event(2));
    settle(thread);
    Listening other = thread.listen(second.on_events());
    Listening moved = std::move(other);
    thread.persist(event(3));
    thread.persist(turn(1));  // no event
    thread.persist(event(4));
    settle(thread);
    other = std::move(moved);
  }
  thread.persist(event(5));
  settle(thread);
  EXPECT_THAT(first.heard(), ElementsAre("2=2", "3=3", "4=4"));
  EXPECT_THAT(second.heard(), ElementsAre("3=3", "4=4"));
}

TEST_P(Thread, WhoDoesNotHearIsToldHowFarItWentWhenItAsks) {
  StoreThread thread(open(database_.target()), told_.on_stored(), told_.on_trouble());
  Listener first(database_.target());
  Listening listening = thread.listen(first.on_events());
  listening.hear(false);
  thread.persist(event(1));
  settle(thread);
  EXPECT_EQ(thread.newest_event(), 1U);
  listening.hear(true);
  thread.persist(event(2));
  settle(thread);
  EXPECT_THAT(first.heard(), ElementsAre("2=2"));
}

TEST_P(Thread, WhoHearsThatItsChangeIsStoredFindsItsEventTheNewest) {
  const StoreThread* asked = nullptr;
  std::uint64_t found = 0;
  StoreThread thread(
      open(database_.target()), [&](std::span<const ports::Stored>) { found = asked->newest_event(); },
      told_.on_trouble());
  asked = &thread;
  ports::Persist batch = event(1);
  batch.ticket = ports::Ticket{7};
  thread.persist(std::move(batch));
  settle(thread);
  EXPECT_EQ(found, 1U);
}

TEST_P(Thread, ACommitThatBeganUnheardIsToldWithoutItsEvents) {
  Listening listening;
  const auto begin_to_hear = [&](std::span<const ports::Stored>) { listening.hear(true); };
  StoreThread thread(open(database_.target()), begin_to_hear, told_.on_trouble());
  std::vector<std::uint64_t> ends;
  listening = thread.listen([&](const events::StoredBatch& batch, std::uint64_t newest) {
    EXPECT_EQ(batch, nullptr);
    ends.push_back(newest);
  });
  listening.hear(false);
  ports::Persist batch = event(1);
  batch.ticket = ports::Ticket{7};  // the answer to it comes between the commit and the telling
  thread.persist(std::move(batch));
  settle(thread);
  listening = {};
  EXPECT_THAT(ends, ElementsAre(1U));
}

TEST_P(Thread, WhatIsRefusedIsNotHeardOfAndLeavesNoGap) {
  std::promise<void> go;
  StoreThread thread(open(database_.target()), told_.on_stored(), told_.on_trouble());
  Listener listener(database_.target());
  const Listening listening = thread.listen(listener.on_events());
  detail::run_once(*detail::connect(database_.target()),
                   (GetParam() == Dialect::kSqlite
                        ? "CREATE TRIGGER refuse BEFORE INSERT ON call_records WHEN NEW.call_id ="
                          " 'call-3' BEGIN SELECT RAISE(ABORT, 'no'); END"
                        : "ALTER TABLE call_records ADD CONSTRAINT refuse CHECK (call_id <> 'call-3')"));
  ASSERT_TRUE(thread.ask([&](Store&) { go.get_future().wait(); }));  // so that they make one group
  for (std::uint64_t n = 1; n <= 5; ++n) {
    ports::Persist both = event(n);
    both.changes.push_back(turn(n).changes[0]);
    thread.persist(std::move(both));
  }
  go.set_value();
  settle(thread);
  EXPECT_THAT(listener.heard(), ElementsAre("1=1", "2=2", "4=3", "5=4"));
}

TEST(ThreadWithTime, WhoListensDoesNotWaitForCompanyAsLong) {
  const test::Database database(Dialect::kSqlite);
  Told told;
  std::promise<void> heard;
  StoreThread thread(open(database.target()), told.on_stored(), told.on_trouble(),
                     {.gather_unawaited = 600s});
  const Listening listening =
      thread.listen([&](const events::StoredBatch&, std::uint64_t) { heard.set_value(); });
  thread.persist(event(1));
  EXPECT_EQ(heard.get_future().wait_for(60s), std::future_status::ready);
}

TEST(ThreadWithTime, WhoeverWaitsAfterAQuietTimeIsAnsweredAtOnceAndTheRestMayWait) {
  const test::Database database(Dialect::kSqlite);
  std::promise<std::uint64_t> first;
  Told told;
  const auto on_stored = [&](std::span<const ports::Stored> answers) {
    first.set_value(answers[0].ticket.value);
  };
  StoreThread thread(open(database.target()), on_stored, told.on_trouble(),
                     {.gather = 100ms, .gather_unawaited = 60s});
  thread.persist({ports::Ticket{}, turn(1).changes});
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(thread.queued_changes(), 2U);  // waits for company
  thread.persist(turn(2));
  auto answer = first.get_future();
  ASSERT_EQ(answer.wait_for(60s), std::future_status::ready);  // and takes the first with it
  EXPECT_EQ(answer.get(), 2U);
  EXPECT_THAT(open(database.target()).call_records({}).value(), SizeIs(2));
}

TEST(ThreadWithoutItsServer, TriesAgainUntilTheServerIsBack) {
  test::PostgresqlServer server;
  const test::Database database(Dialect::kPostgresql, &server);
  Told told;
  StoreThread thread(open(database.target()), told.on_stored(), told.on_trouble(), {.retry_first = 10ms});
  thread.persist(turn(1));
  settle(thread);
  server.stop();
  thread.persist(turn(2));
  thread.persist(turn(3));
  while (told.troubles().empty()) std::this_thread::sleep_for(5ms);
  EXPECT_THAT(told.stored(), ElementsAre(1));
  server.start();
  settle(thread);
  EXPECT_THAT(told.stored(), ElementsAre(1, 2, 3));
  EXPECT_THAT(open(database.target()).call_records({}).value(), SizeIs(3));
  EXPECT_THAT(told.troubles(), ElementsAre(testing::StartsWith("database: "), "over"));
}

TEST(ThreadWithoutItsServer, GivesUpInTheEndAndSaysSo) {
  test::PostgresqlServer server;
  const test::Database database(Dialect::kPostgresql, &server);
  Told told;
  {
    StoreThread thread(open(database.target()), told.on_stored(), told.on_trouble(),
                       {.retry_first = 10ms, .retry_most = 20ms, .give_up_after = 100ms});
    server.stop();
    thread.persist(turn(1));
    settle(thread);
    EXPECT_THAT(told.lost(), ElementsAre(1));
    thread.persist(turn(2));
  }  // and the end does not wait for a server that is away
  EXPECT_THAT(told.lost(), ElementsAre(1, 2));
  EXPECT_THAT(told.troubles(), SizeIs(1)) << "once that it is away, not with every change";
}

ports::Tell start_of(std::uint64_t number) {
  events::CallStarted e;
  e.call_id = call(number).id;
  return {{events::EventId("start-" + std::to_string(number)), at(number), 1, e}};
}

ports::Tell end_of(std::uint64_t number) {
  events::CallEnded e;
  e.call_id = call(number).id;
  return {{events::EventId("end-" + std::to_string(number)), at(number + 1), 2, e}};
}

// Large, so that most of the time something lies between its beginning and its commit.
std::size_t changes_per_commit(const Target& target) {
  return std::holds_alternative<Sqlite>(target) ? 500 : 30;
}

// The child: stores turns as fast as it can and writes each ticket that was reported to the pipe.
[[noreturn]] void store_until_killed(const Target& target, std::uint64_t first, int pipe) {
  const auto tell = [pipe](std::span<const ports::Stored> answers) {
    for (const ports::Stored& s : answers) {
      if (s.ok && ::write(pipe, &s.ticket.value, sizeof s.ticket.value) != sizeof s.ticket.value) ::_exit(3);
    }
  };
  StoreThread thread(open(target, true), tell, [](const Failure*) { ::_exit(4); },
                     {.queued_changes = 2000, .changes_per_commit = changes_per_commit(target)});
  for (std::uint64_t n = first;; ++n) {
    ports::Persist opening{ports::Ticket{2 * n}, {ports::OpenCallRecord{call(n)}, start_of(n)}};
    ports::Persist closing{ports::Ticket{2 * n + 1}, {turn(n).changes.at(1), end_of(n)}};
    while (thread.persist(std::move(opening)) == Admission::kFull) std::this_thread::yield();
    while (thread.persist(std::move(closing)) == Admission::kFull) std::this_thread::yield();
  }
}

std::vector<std::uint64_t> kill_after(const Target& target, std::uint64_t first, Duration time) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    store_until_killed(target, first, ends[1]);
  }
  ::close(ends[1]);
  std::vector<std::uint64_t> tickets;
  std::uint64_t ticket = 0;
  const auto read_one = [&] { return ::read(ends[0], &ticket, sizeof ticket) == sizeof ticket; };
  if (read_one()) tickets.push_back(ticket);  // it has begun
  std::this_thread::sleep_for(time);
  ::kill(child, SIGKILL);
  while (read_one()) tickets.push_back(ticket);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the child ended by itself: " << status;
  ::close(ends[0]);
  return tickets;
}

// What the journal says of each call, and that its numbers have no gap.
std::map<std::string, std::string> told_of_calls(Store& store) {
  std::map<std::string, std::string> told;
  JournalFilter filter{.limit = JournalFilter::kMaxLimit};
  std::uint64_t count = 0;
  for (bool more = true; more;) {
    const JournalPage page = Journal(store).read(filter).value();
    for (const events::StoredEvent& e : page.events) {
      EXPECT_EQ(e.seq, ++count);
      told[e.call_id] += e.type + ' ';
    }
    filter.after = page.reached;
    more = !page.complete;
  }
  return told;
}

TEST_P(Thread, WhatWasReportedIsThereAfterAKillAndNothingTwice) {
  SeededRng rng(20'261);
  std::set<std::uint64_t> reported;
  std::uint64_t first = 1;
  for (int round = 0; round < 8; ++round) {
    const auto tickets = kill_after(database_.target(), first, std::chrono::microseconds(rng.below(60'000)));
    ASSERT_FALSE(tickets.empty());
    reported.insert(tickets.begin(), tickets.end());
    const Store next = Store::open_alone(database_.target(), test::key_of(1), {.patience = 120s}).value();
    auto sql = detail::connect(database_.target());
    std::set<std::uint64_t> there;  // the same numbering: 2n opened, 2n + 1 closed
    std::string id;
    int is_closed = 0;
    std::string reason;
    soci::statement rows = detail::prepared(
        *sql, "SELECT call_id, CASE WHEN ended_at IS NULL THEN 0 ELSE 1 END, reason FROM call_records",
        soci::into(id), soci::into(is_closed), soci::into(reason));
    rows.execute();
    while (rows.fetch()) {
      const std::uint64_t n = std::stoull(id.substr(5));
      EXPECT_TRUE(there.insert(2 * n).second) << id << " twice";
      if (is_closed != 0) there.insert(2 * n + 1);
      EXPECT_EQ(reason, is_closed != 0 ? "turn " + std::to_string(n) : "") << id;
    }
    ASSERT_TRUE(std::ranges::includes(there, reported)) << "round " << round;
    first = *there.rbegin() / 2 + 1;
  }
  Store store = open(database_.target());
  EXPECT_LE(store.close_open_calls(at(0), rng).value(),
            8 * changes_per_commit(database_.target()));  // at most what one commit held, per kill
  EXPECT_EQ(store.close_open_calls(at(0), rng).value(), 0U);
  for (const auto& [id, told] : told_of_calls(store)) EXPECT_EQ(told, "call.started call.ended ") << id;
}

}  // namespace
}  // namespace bw::store
