#include "store/statistics.h"

#include "store/detail/connection.h"
#include "store/detail/statement.h"

namespace bw::store {
namespace {

using model::CallStatistics;
using model::CallSums;
using soci::into;
using soci::use;

// Each sum is NULL over no rows, and NUMERIC in PostgreSQL.
std::string sum(const std::string& of) {
  return "CAST(COALESCE(SUM(" + of + "), 0) AS BIGINT)";
}
std::string count_if(const std::string& condition) {
  return sum("CASE WHEN " + condition + " THEN 1 ELSE 0 END");
}
std::string failed_as(const char* disposition) {
  return count_if(std::string("ended_at IS NOT NULL AND answered_at IS NULL AND disposition = '") +
                  disposition + '\'');
}

const std::string kPeriod = " FROM call_records WHERE started_at >= :from AND started_at < :before";
// Whole seconds of each call, as its record shows them.
const std::string kBilled = sum("(ended_at - answered_at) / 1000000000");

std::string five_sums() {
  return count_if("1 = 1") + ", " + count_if("answered_at IS NOT NULL") + ", " +
         count_if("ended_at IS NOT NULL AND answered_at IS NULL") + ", " +
         sum("(ended_at - started_at) / 1000000000") + ", " + kBilled;
}

struct Row {
  long long hour = 0, total = 0, answered = 0, failed = 0, duration = 0, billed = 0;
  CallSums sums() const {
    const auto natural = [](long long n) { return static_cast<std::uint64_t>(n < 0 ? 0 : n); };
    return {natural(total), natural(answered), natural(failed), natural(duration), natural(billed)};
  }
};

void add(CallSums& to, const CallSums& more) {
  to.total += more.total;
  to.answered += more.answered;
  to.failed += more.failed;
  to.duration_s += more.duration_s;
  to.billed_s += more.billed_s;
}

// Hours first: their sums are the sums of all, read in the same statement.
void read_hours(soci::session& sql, long long from, long long before, CallStatistics& out) {
  Row row;
  soci::statement rows =
      detail::prepared(sql,
                       "SELECT started_at / 3600000000000 % 24 AS hour_of_day, " + five_sums() + kPeriod +
                           " GROUP BY hour_of_day",
                       into(row.hour), into(row.total), into(row.answered), into(row.failed),
                       into(row.duration), into(row.billed), use(from), use(before));
  rows.execute();
  while (rows.fetch()) {
    add(out.hours.at(static_cast<std::size_t>(row.hour)), row.sums());
    add(out.sums, row.sums());
  }
}

void read_failures(soci::session& sql, long long from, long long before, CallStatistics& out) {
  long long no_answer = 0, busy = 0, failed = 0, cancelled = 0;
  detail::run_once(sql,
                   "SELECT " + failed_as("no_answer") + ", " + failed_as("busy") + ", " +
                       failed_as("failed") + ", " + failed_as("cancelled") + kPeriod,
                   into(no_answer), into(busy), into(failed), into(cancelled), use(from), use(before));
  out.no_answer = static_cast<std::uint64_t>(no_answer);
  out.busy = static_cast<std::uint64_t>(busy);
  out.refused = static_cast<std::uint64_t>(failed);
  out.cancelled = static_cast<std::uint64_t>(cancelled);
}

// A call that an extension makes to itself is made, not received.
void read_extensions(soci::session& sql, long long from, long long before, CallStatistics& out) {
  const auto most = static_cast<long long>(CallStatistics::kMostExtensions);
  std::string extension;
  long long made = 0, received = 0, answered = 0, billed = 0;
  soci::statement rows = detail::prepared(
      sql,
      "SELECT extension, " + sum("made") + ", " + sum("1 - made") + ", " +
          count_if("answered_at IS NOT NULL") + ", " + kBilled +
          " FROM (SELECT from_extension AS extension, 1 AS made, answered_at, ended_at" + kPeriod +
          " AND from_extension <> '' UNION ALL SELECT to_extension AS extension, 0 AS made,"
          " answered_at, ended_at FROM call_records WHERE started_at >= :from2"
          " AND started_at < :before2 AND to_extension <> ''"
          " AND to_extension <> from_extension) AS sides"
          " GROUP BY extension ORDER BY COUNT(*) DESC, extension LIMIT :most",
      into(extension), into(made), into(received), into(answered), into(billed), use(from), use(before),
      use(from), use(before), use(most));
  rows.execute();
  while (rows.fetch()) {
    out.extensions.push_back({extension, static_cast<std::uint64_t>(made),
                              static_cast<std::uint64_t>(received), static_cast<std::uint64_t>(answered),
                              static_cast<std::uint64_t>(billed)});
  }
}

}  // namespace

Result<CallStatistics> call_statistics(Store& store, Instant from, Instant before) {
  return store.connection().run([&](soci::session& sql) {
    const long long first = from.since_epoch().count();
    const long long end = before.since_epoch().count();
    CallStatistics out;
    read_hours(sql, first, end, out);
    read_failures(sql, first, end, out);
    read_extensions(sql, first, end, out);
    return out;
  });
}

}  // namespace bw::store
