#include "store/journal.h"

#include <algorithm>
#include <utility>

#include "events/description.h"
#include "store/detail/connection.h"
#include "store/detail/statement.h"
#include "store/detail/text.h"

namespace bw::store {
namespace {

using soci::into;
using soci::use;

std::uint64_t end_of_journal(soci::session& sql, const char* which) {
  long long seq = 0;
  soci::indicator found = soci::i_null;
  detail::run_once(sql, std::string("SELECT ") + which + "(seq) FROM events", into(seq, found));
  return found == soci::i_ok ? static_cast<std::uint64_t>(seq) : 0;
}

std::uint64_t newest(soci::session& sql) {
  return end_of_journal(sql, "MAX");
}

std::uint64_t oldest(soci::session& sql) {
  return end_of_journal(sql, "MIN");
}

// The types are our own words, so they can stand in the text of the statement.
std::string only_types(const std::vector<std::string>& patterns) {
  if (patterns.empty() || std::ranges::find(patterns, "*") != patterns.end()) return {};
  std::string list;
  for (const events::Description& d : events::descriptions()) {
    if (std::ranges::none_of(patterns, [&](const auto& p) { return events::matches(p, d.type); })) continue;
    list += list.empty() ? " AND type IN ('" : ", '";
    list += std::string(d.type) + '\'';
  }
  return list.empty() ? " AND 1 = 0" : list + ')';
}

// Where the call begins; 0 if it is not (or no longer) in the journal.
std::uint64_t start_of(soci::session& sql, const std::string& call) {
  long long seq = 0;
  constexpr const char* kFirst = "SELECT seq FROM events WHERE call_id = :call AND call_seq = 1";
  return detail::run_once(sql, kFirst, use(call), into(seq)) ? static_cast<std::uint64_t>(seq) : 0;
}

struct Window {  // of numbers, both included
  std::uint64_t first = 1;
  std::uint64_t last = 0;
  bool empty() const { return first > last; }
};

// Cut to what one reading may look at.
Window window_of(soci::session& sql, const JournalFilter& filter) {
  Window w{std::max(filter.after + 1, oldest(sql)), newest(sql)};
  if (filter.until) w.last = std::min(w.last, *filter.until);
  if (!filter.call.empty()) w.first = std::max(w.first, start_of(sql, filter.call));
  return w;
}

Window cut(const Window& whole, bool newest_first) {
  if (whole.empty() || whole.last - whole.first < JournalFilter::kMostLookedAt) return whole;
  if (newest_first) return {whole.last - JournalFilter::kMostLookedAt + 1, whole.last};
  return {whole.first, whole.first + JournalFilter::kMostLookedAt - 1};
}

std::vector<events::StoredEvent> read_rows(soci::session& sql, const JournalFilter& filter, const Window& w,
                                           std::size_t limit) {
  const auto first = static_cast<long long>(w.first);
  const auto last = static_cast<long long>(w.last);
  const auto most = static_cast<long long>(limit);
  const int any_call = filter.call.empty() ? 1 : 0;
  const int anybody = filter.extension.empty() ? 1 : 0;
  const std::string whom = detail::extension_pattern(filter.extension);
  std::string call;
  detail::assign_clean(call, filter.call);
  events::StoredEvent e;
  std::string extensions;
  long long seq = 0, at = 0, call_seq = 0;
  soci::statement rows = detail::prepared(
      sql,
      "SELECT seq, event_id, at, type, call_id, call_seq, extensions, data FROM events"
      " WHERE seq >= :first AND seq <= :last AND (:any_call = 1 OR call_id = :call)"
      " AND (:anybody = 1 OR extensions LIKE :whom ESCAPE '!')" +
          only_types(filter.types) + " ORDER BY seq " + (filter.newest_first ? "DESC" : "ASC") +
          " LIMIT :most",
      into(seq), into(e.event_id), into(at), into(e.type), into(e.call_id), into(call_seq), into(extensions),
      into(e.data), use(first), use(last), use(any_call), use(call), use(anybody), use(whom), use(most));
  rows.execute();
  std::vector<events::StoredEvent> out;
  while (rows.fetch()) {
    e.seq = static_cast<std::uint64_t>(seq);
    e.at = Instant{Duration{at}};
    e.call_seq = static_cast<std::uint32_t>(call_seq);
    e.extensions = detail::split_extensions(extensions);
    out.push_back(e);
  }
  return out;
}

JournalPage read_page(soci::session& sql, const JournalFilter& filter) {
  const std::size_t limit = std::clamp<std::size_t>(filter.limit, 1, JournalFilter::kMaxLimit);
  const Window whole = window_of(sql, filter);
  if (whole.empty()) return {{}, filter.newest_first ? filter.after + 1 : filter.after, true};
  const Window part = cut(whole, filter.newest_first);
  JournalPage page{read_rows(sql, filter, part, limit), filter.newest_first ? part.first : part.last, false};
  if (page.events.size() == limit) page.reached = page.events.back().seq;
  page.complete = page.reached == (filter.newest_first ? whole.first : whole.last);
  return page;
}

// Time of the event with this number, or of the next one that is there.
Instant time_of(soci::session& sql, std::uint64_t seq) {
  const auto from = static_cast<long long>(seq);
  long long at = 0;
  detail::run_once(sql, "SELECT at FROM events WHERE seq >= :from ORDER BY seq LIMIT 1", use(from), into(at));
  return Instant{Duration{at}};
}

}  // namespace

Result<JournalPage> Journal::read(const JournalFilter& filter) {
  return store_.connection().run([&](soci::session& sql) { return read_page(sql, filter); });
}

Result<std::uint64_t> Journal::newest_seq() {
  return store_.connection().run([](soci::session& sql) { return newest(sql); });
}

Result<std::uint64_t> Journal::oldest_seq() {
  return store_.connection().run([](soci::session& sql) { return oldest(sql); });
}

// By halving, since times grow with numbers; not quite where the clock of the machine was set back.
Result<std::uint64_t> Journal::first_since(Instant at) {
  return store_.connection().run([&](soci::session& sql) {
    std::uint64_t low = oldest(sql);
    std::uint64_t high = newest(sql) + 1;
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      if (time_of(sql, middle) < at) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return std::max<std::uint64_t>(low, 1);
  });
}

Result<std::size_t> Journal::remove_before(Instant at, std::size_t most) {
  return store_.connection().run([&](soci::session& sql) -> std::size_t {
    const auto first = static_cast<long long>(oldest(sql));
    const auto newest_of_all = static_cast<long long>(newest(sql));
    const long long end = std::min(first + static_cast<long long>(most), newest_of_all);
    const long long at_ns = at.since_epoch().count();
    // Only from the front: what is left has no holes, even where the clock was set back.
    long long young = 0;
    soci::indicator found = soci::i_null;
    detail::run_once(sql, "SELECT MIN(seq) FROM events WHERE seq >= :first AND seq < :end AND at >= :at",
                     use(first), use(end), use(at_ns), into(young, found));
    const long long keep = found == soci::i_ok ? young : end;
    if (keep <= first) return 0;
    soci::statement remove = detail::prepared(sql, "DELETE FROM events WHERE seq < :keep", use(keep));
    remove.execute(true);
    return static_cast<std::size_t>(remove.get_affected_rows());
  });
}

}  // namespace bw::store
