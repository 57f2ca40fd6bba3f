// Figures of calls, the same from both databases.
#include "store/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/test_databases.h"

namespace bw::store {
namespace {

using model::CallStatistics;
using model::Disposition;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Instant kMidnight{1'700'006'400s};  // 2023-11-15T00:00:00Z

class Statistics : public testing::TestWithParam<Dialect> {
 protected:
  Statistics() : store_(std::move(Store::open(database_.target(), test::key_of(1)).value())) {}

  struct Talk {
    std::string from, to;
    Duration start;
    Disposition disposition = Disposition::kAnswered;
    std::optional<Duration> answered = {};  // after the start, as is the next
    std::optional<Duration> ended = {};
  };
  void add(const Talk& t) {
    model::CallRecord r;
    r.id = model::CallId("call-" + std::to_string(++calls_));
    r.from_extension = t.from;
    r.to_extension = t.to;
    r.started = kMidnight + t.start;
    std::vector<ports::Change> changes{ports::OpenCallRecord{r}};
    r.disposition = t.disposition;
    if (t.answered) r.answered = r.started + *t.answered;
    if (t.ended) r.ended = r.started + *t.ended;
    if (t.ended) changes.emplace_back(ports::CloseCallRecord{r});
    ASSERT_TRUE(store_.apply(std::span<const ports::Change>(changes)));
  }
  CallStatistics of(Duration from, Duration before) {
    return call_statistics(store_, kMidnight + from, kMidnight + before).value();
  }
  std::vector<std::string> ids(const CallFilter& filter) {
    std::vector<std::string> out;
    for (const auto& r : store_.call_records(filter).value()) out.push_back(r.id.value);
    return out;
  }

  test::Database database_{GetParam()};
  Store store_;
  int calls_ = 0;
};

INSTANTIATE_TEST_SUITE_P(On, Statistics, testing::Values(Dialect::kSqlite, Dialect::kPostgresql),
                         [](const auto& p) { return p.param == Dialect::kSqlite ? "Sqlite" : "Postgresql"; });

TEST_P(Statistics, AnEmptyPeriodHasNoCalls) {
  const CallStatistics s = of(0s, 24h);
  EXPECT_EQ(s.sums.total, 0U);
  EXPECT_EQ(s.sums.duration_s, 0U);
  EXPECT_THAT(s.extensions, IsEmpty());
}

TEST_P(Statistics, CallsAreCountedByWhatBecameOfThem) {
  add({"1001", "1002", 1h, Disposition::kAnswered, 5s, 65s + 900ms});
  add({"1002", "1001", 1h + 59min, Disposition::kAnswered, 1s, 11s});
  add({"1001", "1003", 23h, Disposition::kBusy, {}, 2s});
  add({"1001", "1003", 23h, Disposition::kNoAnswer, {}, 30s});
  add({"1003", "", 23h, Disposition::kCancelled, {}, 1s});
  add({"", "1001", 23h, Disposition::kFailed, {}, 0s});
  add({"1004", "1001", 23h});                                  // still rings
  add({"1001", "1002", -1s, Disposition::kAnswered, 1s, 5s});  // the day before
  add({"1001", "1002", 24h, Disposition::kAnswered, 1s, 5s});  // the day after
  const CallStatistics s = of(0s, 24h);
  EXPECT_EQ(s.sums.total, 7U);
  EXPECT_EQ(s.sums.answered, 2U);
  EXPECT_EQ(s.sums.failed, 4U);
  EXPECT_EQ(s.sums.duration_s, 65U + 11 + 2 + 30 + 1);
  EXPECT_EQ(s.sums.billed_s, 60U + 10);  // whole seconds of each, as the records say
  EXPECT_EQ(s.no_answer, 1U);
  EXPECT_EQ(s.busy, 1U);
  EXPECT_EQ(s.refused, 1U);
  EXPECT_EQ(s.cancelled, 1U);
  EXPECT_EQ(s.hours[1].total, 2U);
  EXPECT_EQ(s.hours[1].billed_s, 70U);
  EXPECT_EQ(s.hours[23].total, 5U);
  EXPECT_EQ(s.hours[23].failed, 4U);
  EXPECT_EQ(s.hours[0].total, 0U);
}

TEST_P(Statistics, EachExtensionHasItsOwn) {
  add({"1001", "1002", 1h, Disposition::kAnswered, 5s, 65s});
  add({"1002", "1001", 2h, Disposition::kBusy, {}, 1s});
  add({"1001", "1001", 3h, Disposition::kAnswered, 0s, 7s});
  const CallStatistics s = of(0s, 24h);
  ASSERT_THAT(s.extensions, SizeIs(2));
  EXPECT_EQ(s.extensions[0].extension, "1001");
  EXPECT_EQ(s.extensions[0].made, 2U);
  EXPECT_EQ(s.extensions[0].received, 1U);
  EXPECT_EQ(s.extensions[0].answered, 2U);
  EXPECT_EQ(s.extensions[0].billed_s, 67U);
  EXPECT_EQ(s.extensions[1].extension, "1002");
  EXPECT_EQ(s.extensions[1].made, 1U);
  EXPECT_EQ(s.extensions[1].received, 1U);
}

TEST_P(Statistics, ADayCrossesHoursInUtcAndRangesMayBeLong) {
  for (int day = 0; day < 30; ++day) add({"1001", "1002", day * 24h + 9h, Disposition::kBusy, {}, 1s});
  EXPECT_EQ(of(0s, 30 * 24h).hours[9].total, 30U);
  EXPECT_EQ(of(24h, 48h).sums.total, 1U);
}

TEST_P(Statistics, CallsOfOneMomentAreInExactlyOnePage) {
  for (int i = 0; i < 7; ++i) add({"1001", "1002", 1h});
  add({"1003", "1001", 1h});
  add({"1002", "1003", 1h});
  for (const char* extension : {"", "1001"}) {
    std::vector<std::string> all;
    CallFilter filter{.limit = 2, .extension = extension};
    for (;;) {
      const auto page = store_.call_records(filter).value();
      for (const auto& r : page) all.push_back(r.id.value);
      if (page.size() < filter.limit) break;
      filter.beyond = {page.back().started, page.back().id.value};
    }
    EXPECT_EQ(all, ids({.limit = 1000, .extension = extension}));
    EXPECT_THAT(all, SizeIs(extension[0] == 0 ? 9 : 8));
  }
}

TEST_P(Statistics, RecordsOfAPeriodBeginAndEndWithIt) {
  for (int hour = 0; hour < 4; ++hour) add({"1001", "1002", hour * 1h});
  add({"1003", "1001", 2h});
  EXPECT_THAT(ids({.before = kMidnight + 2h, .from = kMidnight + 1h}), ElementsAre("call-2"));
  EXPECT_THAT(ids({.before = kMidnight + 4h, .extension = "1003", .from = kMidnight + 1h}),
              ElementsAre("call-5"));
}

}  // namespace
}  // namespace bw::store
