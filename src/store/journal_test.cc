// The journal, on both databases.
#include "store/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/uuid.h"
#include "store/detail/session.h"
#include "store/detail/statement.h"
#include "store/test_databases.h"

namespace bw::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Instant at(int seconds) {
  return Instant{1'700'000'000s + std::chrono::seconds(seconds) + 7ns};
}

class InJournal : public testing::TestWithParam<Dialect> {
 protected:
  Store open() {
    auto store = Store::open(database_.target(), test::key_of(1));
    if (!store) throw std::runtime_error(store.error().sentence);
    return std::move(*store);
  }
  void sql(const std::string& statement) {
    detail::run_once(*detail::connect(database_.target()), statement);
  }

  ports::Tell tell(int second, std::uint32_t call_seq, events::Event event) {
    return {{events::EventId(uuid_v7(at(second), rng_)), at(second), call_seq, std::move(event)}};
  }
  ports::Tell started(const std::string& call, int second = 0) {
    events::CallStarted e;
    e.call_id = model::CallId(call);
    e.from_extension = "1001";
    e.to_extension = "1002";
    return tell(second, 1, e);
  }
  ports::Tell answered(const std::string& call, int second) {
    events::CallAnswered e;
    e.call_id = model::CallId(call);
    e.from_extension = "1001";
    e.to_extension = "1002";
    e.extension = "1002";
    return tell(second, 2, e);
  }
  ports::Tell ended(const std::string& call, int second, std::uint32_t call_seq = 3) {
    events::CallEnded e;
    e.call_id = model::CallId(call);
    e.from_extension = "1001";
    e.to_extension = "1002";
    return tell(second, call_seq, e);
  }
  ports::Tell registered(const std::string& extension, int second = 0) {
    events::ExtensionRegistered e;
    e.extension = extension;
    return tell(second, 0, e);
  }
  static ports::OpenCallRecord record(const std::string& call, int second = 0) {
    model::CallRecord r;
    r.id = model::CallId(call);
    r.from_extension = "1001";
    r.to_extension = "1002";
    r.started = at(second);
    return {r};
  }

  static void apply(Store& store, std::vector<ports::Change> changes) {
    const auto done = store.apply(std::span<const ports::Change>(changes));
    ASSERT_TRUE(done) << done.error().sentence;
  }
  // So many registrations, a second apart.
  void fill(Store& store, int count) {
    std::vector<ports::Change> changes;
    for (int i = 1; i <= count; ++i) changes.emplace_back(registered(std::to_string(1000 + i % 2), i));
    apply(store, changes);
  }
  static JournalPage read(Store& store, const JournalFilter& filter = {}) {
    auto page = Journal(store).read(filter);
    EXPECT_TRUE(page) << page.error().sentence;
    return page.value_or(JournalPage{});
  }
  static std::vector<std::uint64_t> numbers(const JournalPage& page) {
    std::vector<std::uint64_t> out;
    for (const auto& e : page.events) out.push_back(e.seq);
    return out;
  }

  test::Database database_{GetParam()};
  SeededRng rng_{11};
};

INSTANTIATE_TEST_SUITE_P(On, InJournal, testing::Values(Dialect::kSqlite, Dialect::kPostgresql),
                         [](const auto& p) { return p.param == Dialect::kSqlite ? "Sqlite" : "Postgresql"; });

TEST_P(InJournal, AnEventComesBackAsItWasTold) {
  Store store = open();
  const ports::Tell first = started("019c-a", 5);
  apply(store, {record("019c-a", 5), first, registered("1009", 6)});
  const JournalPage page = read(store);
  ASSERT_THAT(page.events, SizeIs(2));
  EXPECT_TRUE(page.complete);
  EXPECT_EQ(page.reached, 2U);
  const events::StoredEvent& e = page.events[0];
  EXPECT_EQ(e.seq, 1U);
  EXPECT_EQ(e.event_id, first.entry.id.value);
  EXPECT_EQ(e.at, at(5));
  EXPECT_EQ(e.type, "call.started");
  EXPECT_EQ(e.call_id, "019c-a");
  EXPECT_EQ(e.call_seq, 1U);
  EXPECT_THAT(e.extensions, ElementsAre("1001", "1002"));
  EXPECT_EQ(boost::json::parse(e.data).at("from_extension").as_string(), "1001");
  EXPECT_EQ(page.events[1].call_id, "");
  EXPECT_EQ(page.events[1].call_seq, 0U);
}

TEST_P(InJournal, NumbersGoOnWithoutAGapThroughRestartsAndRefusals) {
  {
    Store store = open();
    fill(store, 40);  // more than one statement holds
  }
  sql(GetParam() == Dialect::kSqlite
          ? "CREATE TRIGGER refuse BEFORE INSERT ON call_records WHEN NEW.call_id = 'poison'"
            " BEGIN SELECT RAISE(ABORT, 'no'); END"
          : "ALTER TABLE call_records ADD CONSTRAINT refuse CHECK (call_id <> 'poison')");
  Store store = open();
  const std::vector<ports::Change> poisoned{started("019c-a"), registered("1009"), record("poison")};
  EXPECT_FALSE(store.apply(std::span<const ports::Change>(poisoned)));
  EXPECT_EQ(Journal(store).newest_seq().value(), 40U);
  fill(store, 20);
  const JournalPage page = read(store);
  ASSERT_THAT(page.events, SizeIs(60));
  for (std::size_t i = 0; i < 60; ++i) EXPECT_EQ(page.events[i].seq, i + 1);
}

TEST_P(InJournal, WhatIsToldIsWhatIsStored) {
  Store store = open();
  fill(store, 3);
  std::vector<events::StoredEvent> told;
  std::vector<ports::Persist> batches;
  for (int i = 0; i < 20; ++i)
    batches.push_back({{}, {registered("1001", i), started("c" + std::to_string(i))}});
  ASSERT_TRUE(store.apply(std::span<const ports::Persist>(batches), &told));
  const JournalPage page = read(store, {.after = 3});
  ASSERT_THAT(told, SizeIs(40));
  ASSERT_THAT(page.events, SizeIs(40));
  for (std::size_t i = 0; i < told.size(); ++i) {
    EXPECT_EQ(events::envelope(told[i]), events::envelope(page.events[i]));
    EXPECT_EQ(told[i].extensions, page.events[i].extensions);
    EXPECT_EQ(told[i].call_id, page.events[i].call_id);
  }
}

TEST_P(InJournal, IsReadInPagesBothWays) {
  Store store = open();
  fill(store, 7);
  JournalPage page = read(store, {.limit = 3});
  EXPECT_THAT(numbers(page), ElementsAre(1, 2, 3));
  EXPECT_FALSE(page.complete);
  page = read(store, {.after = page.reached, .limit = 4});
  EXPECT_THAT(numbers(page), ElementsAre(4, 5, 6, 7));
  EXPECT_TRUE(page.complete);
  page = read(store, {.after = page.reached});
  EXPECT_THAT(numbers(page), IsEmpty());
  EXPECT_TRUE(page.complete);
  EXPECT_EQ(page.reached, 7U);
  page = read(store, {.limit = 3, .newest_first = true});
  EXPECT_THAT(numbers(page), ElementsAre(7, 6, 5));
  page = read(store, {.until = page.reached - 1, .newest_first = true});
  EXPECT_THAT(numbers(page), ElementsAre(4, 3, 2, 1));
  EXPECT_TRUE(page.complete);
  EXPECT_THAT(numbers(read(store, {.after = 2, .until = 4})), ElementsAre(3, 4));
}

TEST_P(InJournal, IsReadByTypeCallAndExtension) {
  Store store = open();
  apply(store, {started("a"), started("b"), registered("1002"), registered("100"), ended("a", 9),
                registered("1_0")});
  EXPECT_THAT(numbers(read(store, {.types = {"call.*"}})), ElementsAre(1, 2, 5));
  EXPECT_THAT(numbers(read(store, {.types = {"call.ended", "extension.*"}})), ElementsAre(3, 4, 5, 6));
  EXPECT_THAT(numbers(read(store, {.types = {"*"}})), SizeIs(6));
  EXPECT_THAT(numbers(read(store, {.types = {"kettle.boiled"}})), IsEmpty());
  EXPECT_THAT(numbers(read(store, {.call = "a"})), ElementsAre(1, 5));
  EXPECT_THAT(numbers(read(store, {.newest_first = true, .call = "b"})), ElementsAre(2));
  EXPECT_THAT(numbers(read(store, {.call = "none"})), IsEmpty());
  EXPECT_THAT(numbers(read(store, {.extension = "1002"})), ElementsAre(1, 2, 3, 5));
  EXPECT_THAT(numbers(read(store, {.extension = "100"})), ElementsAre(4));
  EXPECT_THAT(numbers(read(store, {.extension = "1_0"})), ElementsAre(6));  // no pattern of LIKE
  EXPECT_THAT(numbers(read(store, {.extension = "%"})), IsEmpty());
}

TEST_P(InJournal, ATimeIsFoundByHalving) {
  Store store = open();
  EXPECT_EQ(Journal(store).first_since(at(0)).value(), 1U);
  fill(store, 30);
  EXPECT_EQ(Journal(store).first_since(at(-5)).value(), 1U);
  EXPECT_EQ(Journal(store).first_since(at(17)).value(), 17U);
  EXPECT_EQ(Journal(store).first_since(at(30)).value(), 30U);
  EXPECT_EQ(Journal(store).first_since(at(31)).value(), 31U);
}

TEST_P(InJournal, WhatIsOldIsRemovedInStepsButNeverTheNewest) {
  {
    Store store = open();
    fill(store, 10);
    Journal journal(store);
    EXPECT_EQ(journal.remove_before(at(6), 3).value(), 3U);
    EXPECT_EQ(journal.remove_before(at(6), 3).value(), 2U);
    EXPECT_EQ(journal.remove_before(at(6), 3).value(), 0U);
    EXPECT_EQ(journal.oldest_seq().value(), 6U);
    EXPECT_EQ(journal.first_since(at(0)).value(), 6U);
    EXPECT_EQ(journal.remove_before(at(1000), 100).value(), 4U);
    EXPECT_THAT(numbers(read(store)), ElementsAre(10));
  }
  Store store = open();
  fill(store, 1);
  EXPECT_THAT(numbers(read(store)), ElementsAre(10, 11));
  EXPECT_EQ(Journal(store).remove_before(at(-1), 100).value(), 0U);
}

TEST_P(InJournal, ACallThatTheEndOfTheServerCutOffEndsExactlyOnce) {
  {
    Store store = open();
    apply(store, {record("ringing", 1), started("ringing", 1), record("talking", 2), started("talking", 2),
                  record("over", 3), started("over", 3), answered("talking", 12), record("older", 0),
                  ports::CloseCallRecord{[&] {
                    auto r = record("over", 3).record;
                    r.ended = at(9);
                    r.reason = "1001 hung up";
                    return r;
                  }()},
                  ended("over", 9, 2)});
  }
  Store store = open();
  EXPECT_EQ(store.close_open_calls(at(50), rng_).value(), 3U);
  EXPECT_EQ(store.close_open_calls(at(60), rng_).value(), 0U);
  const JournalPage page = read(store, {.after = 5});
  ASSERT_THAT(numbers(page), ElementsAre(6, 7));  // "older" was there before there was a journal
  for (const auto& e : page.events) {
    const auto data = boost::json::parse(e.data);
    EXPECT_EQ(e.type, "call.ended");
    EXPECT_EQ(e.event_id.size(), 36U);
    EXPECT_EQ(e.at, at(50));
    EXPECT_EQ(data.at("reason").as_string(), "server_restart");
    EXPECT_EQ(data.at("hangup_by").as_string(), "system");
    const bool talked = e.call_id == "talking";
    EXPECT_EQ(e.call_seq, talked ? 3U : 2U);
    EXPECT_EQ(data.at("duration").as_int64(), talked ? 48 : 49);
    EXPECT_EQ(data.at("billsec").as_int64(), talked ? 38 : 0);
    EXPECT_EQ(data.at("disposition").as_string(), talked ? "answered" : "failed");
  }
  for (const auto& r : store.call_records({}).value()) {
    EXPECT_TRUE(r.ended) << r.id.value;
    if (r.id.value == "talking") {
      EXPECT_EQ(r.answered, at(12));  // known from the journal
      EXPECT_EQ(r.disposition, model::Disposition::kAnswered);
      EXPECT_EQ(r.reason, "the server restarted during the call");
    }
  }
}

}  // namespace
}  // namespace bw::store
