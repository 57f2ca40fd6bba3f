// One server per database: who is refused, who waits, and what becomes of a server whose connection was lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <future>
#include <optional>

#include "store/detail/session.h"
#include "store/detail/statement.h"
#include "store/store_thread.h"
#include "store/test_databases.h"

namespace bw::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr auto kAtOnce = Duration::zero();

class Alone : public testing::TestWithParam<Dialect> {
 protected:
  Result<Store> server(Duration patience = 120s) {
    return Store::open_alone(database_.target(), test::key_of(1), {.patience = patience});
  }
  Result<Store> command() { return Store::open(database_.target(), test::key_of(1)); }

  test::Database database_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(On, Alone, testing::Values(Dialect::kSqlite, Dialect::kPostgresql),
                         [](const auto& p) { return p.param == Dialect::kSqlite ? "Sqlite" : "Postgresql"; });

TEST_P(Alone, ASecondServerIsRefusedAndToldWhoIsThere) {
  {
    const Store first = server().value();
    const auto second = server(kAtOnce);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, FailureKind::kHeld);
    EXPECT_THAT(second.error().sentence, StartsWith("database: another Bellwire server uses it: "));
    EXPECT_THAT(second.error().sentence, HasSubstr("process " + std::to_string(::getpid())));
  }
  EXPECT_TRUE(server());
}

TEST_P(Alone, CommandsWorkBesideTheServer) {
  Store first = server().value();
  ASSERT_TRUE(first.set_meta("colour", "red"));
  EXPECT_EQ(command().value().meta("colour").value(), "red");
  ASSERT_TRUE(first.set_meta("colour", "blue"));
}

TEST_P(Alone, WhoWaitsComesInWhenTheOtherHasEnded) {
  std::optional<Store> first = server().value();
  std::vector<std::string> told;
  const auto end_the_first = [&](const std::string& sentence) {
    told.push_back(sentence);
    first.reset();
  };
  EXPECT_TRUE(Store::open_alone(database_.target(), test::key_of(1), {120s, end_the_first}));
  EXPECT_THAT(told, ElementsAre(HasSubstr("process " + std::to_string(::getpid()))));
}

TEST_P(Alone, OtherDatabasesHaveTheirOwnServer) {
  const Store first = server().value();
  const test::Database other(GetParam());
  EXPECT_TRUE(Store::open_alone(other.target(), test::key_of(1), {.patience = kAtOnce}));
}

TEST(AloneInAFile, ASecondNameOfTheFileIsTheSameDatabase) {
  const test::Database database(Dialect::kSqlite);
  const auto first = Store::open_alone(database.target(), test::key_of(1));
  std::filesystem::create_directory_symlink(database.directory(), database.directory() / "other");
  const Sqlite other{(database.directory() / "other" / "bellwire.db").string()};
  const auto second = Store::open_alone(other, test::key_of(1), {.patience = kAtOnce});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, FailureKind::kHeld);
}

class AloneInAServer : public testing::Test {
 protected:
  Store server() {
    return std::move(Store::open_alone(database_.target(), test::key_of(1), {.patience = 120s}).value());
  }
  bool is_free() {
    return Store::open_alone(database_.target(), test::key_of(1), {.patience = kAtOnce}).has_value();
  }
  // As a restart of PostgreSQL or a broken network would, and waits for the end.
  void cut_connections() {
    const auto sql = detail::connect(database_.target());
    for (int others = 1; others != 0;) {
      detail::run_once(*sql,
                       "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                       " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                       " AND backend_type = 'client backend'",
                       soci::into(others));
    }
  }

  test::Database database_{Dialect::kPostgresql};
};

TEST_F(AloneInAServer, AConnectionMadeAgainHoldsTheDatabaseAgain) {
  Store first = server();
  for (int i = 0; i < 3; ++i) {
    cut_connections();
    EXPECT_EQ(first.set_meta("colour", "red").error().kind, FailureKind::kUnavailable);
    ASSERT_TRUE(first.set_meta("colour", "red"));
    EXPECT_FALSE(is_free());
  }
}

TEST_F(AloneInAServer, WhatAnotherServerHasTakenIsNotWrittenAnyMore) {
  Store first = server();
  ASSERT_TRUE(first.set_meta("colour", "red"));
  cut_connections();
  {
    const Store second = server();
    EXPECT_EQ(first.meta("colour").error().kind, FailureKind::kUnavailable);
    const Failure failure = first.set_meta("colour", "blue").error();
    EXPECT_EQ(failure.kind, FailureKind::kHeld);
    EXPECT_THAT(failure.sentence, HasSubstr("has taken it over: bellwire, process "));
  }
  EXPECT_EQ(first.set_meta("colour", "blue").error().kind, FailureKind::kHeld) << "what it knows is old";
  EXPECT_EQ(server().meta("colour").value(), "red");
}

TEST_F(AloneInAServer, AServerThatWasThereMeanwhileAndEndedCountsToo) {
  Store first = server();
  ASSERT_TRUE(first.set_meta("colour", "red"));
  cut_connections();
  ASSERT_TRUE(server().set_meta("colour", "green"));
  EXPECT_EQ(first.set_meta("colour", "blue").error().kind, FailureKind::kUnavailable);
  EXPECT_EQ(first.set_meta("colour", "blue").error().kind, FailureKind::kHeld);
  Store third = server();  // whom the first does not keep out
  EXPECT_EQ(third.meta("colour").value(), "green");
}

TEST_F(AloneInAServer, TheLogHearsOnceThatAnotherHasTakenIt) {
  std::vector<std::string> troubles;
  std::vector<bool> stored;
  std::optional<Store> second;
  {
    StoreThread thread(
        server(),
        [&](std::span<const ports::Stored> answers) {
          for (const ports::Stored& s : answers) stored.push_back(s.ok);
        },
        [&](const Failure* failure) { troubles.push_back(failure == nullptr ? "over" : failure->sentence); },
        {.retry_first = 1ms});
    cut_connections();
    second = server();
    for (std::uint64_t n = 1; n <= 3; ++n) {
      thread.persist({ports::Ticket{n}, {ports::DropExtension{model::ExtensionNumber("1001")}}});
      std::promise<void> reached;
      ASSERT_TRUE(thread.ask([&](Store&) { reached.set_value(); }));
      reached.get_future().wait();
    }
  }
  EXPECT_THAT(stored, ElementsAre(false, false, false));
  EXPECT_THAT(troubles, ElementsAre(StartsWith("database: "), HasSubstr("has taken it over")));
}

}  // namespace
}  // namespace bw::store
