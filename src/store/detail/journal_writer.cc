#include "store/detail/journal_writer.h"

#include <array>
#include <utility>

#include "events/description.h"
#include "store/detail/statement.h"
#include "store/detail/text.h"

namespace bw::store::detail {
namespace {

using soci::into;
using soci::use;

// One statement for many events costs a quarter less than one for each; on PostgreSQL, a round trip less
// each.
constexpr std::array<std::size_t, 3> kRowsAtOnce{16, 4, 1};

std::string insert_of(std::size_t rows) {
  std::string sql =
      "INSERT INTO events (seq, event_id, at, type, call_id, call_seq, extensions, data) VALUES ";
  for (std::size_t i = 0; i < rows; ++i) {
    const std::string n = std::to_string(i);
    sql += (i == 0 ? "(:s" : ", (:s") + n + ", :i" + n + ", :a" + n + ", :t" + n + ", :c" + n + ", :n" + n +
           ", :e" + n + ", :d" + n + ')';
  }
  return sql;
}

}  // namespace

struct JournalWriter::Row {
  long long seq = 0, at = 0, call_seq = 0;
  std::string id, type, call, extensions, data;
};

struct JournalWriter::Rows {
  std::vector<Row> rows;  // never resized: the statement knows where its values are
  soci::statement statement;

  Rows(soci::session& sql, std::size_t count) : rows(count), statement(sql) {
    statement.alloc();
    for (Row& r : rows) {
      statement.exchange(use(r.seq));
      statement.exchange(use(r.id));
      statement.exchange(use(r.at));
      statement.exchange(use(r.type));
      statement.exchange(use(r.call));
      statement.exchange(use(r.call_seq));
      statement.exchange(use(r.extensions));
      statement.exchange(use(r.data));
    }
    statement.prepare(insert_of(count));
    statement.define_and_bind();
  }
};

JournalWriter::JournalWriter(soci::session& sql, JournalEnd& end) : waiting_(kRowsAtOnce.front()) {
  for (const std::size_t rows : kRowsAtOnce) statements_.push_back(std::make_unique<Rows>(sql, rows));
  long long newest = 0;
  soci::indicator found = soci::i_null;
  run_once(sql, "SELECT MAX(seq) FROM events", into(newest, found));
  last_ = found == soci::i_ok ? static_cast<std::uint64_t>(newest) : 0;
  if (!end.known()) end.confirm(last_);
  if (last_ > end.seq()) find_unconfirmed(sql, end.seq());
}

JournalWriter::~JournalWriter() = default;

void JournalWriter::find_unconfirmed(soci::session& sql, std::uint64_t after) {
  const auto from = static_cast<long long>(after);
  long long seq = 0;
  std::string id;
  soci::statement rows =
      prepared(sql, "SELECT seq, event_id FROM events WHERE seq > :after", into(seq), into(id), use(from));
  rows.execute();
  while (rows.fetch()) stored_already_.emplace(id, static_cast<std::uint64_t>(seq));
}

void JournalWriter::add(const events::Entry& entry) {
  const auto found = stored_already_.empty() ? stored_already_.end() : stored_already_.find(entry.id.value);
  const bool is_new = found == stored_already_.end();
  const std::uint64_t seq = is_new ? ++last_ : found->second;
  const auto concerned = events::concerned(entry.event);
  const model::CallId* call = events::call_of(entry.event);

  Row& row = waiting_[filled_];
  row.seq = static_cast<long long>(seq);
  assign_clean(row.id, entry.id.value);
  row.at = entry.at.since_epoch().count();
  row.type = events::type_of(entry.event);
  assign_clean(row.call, call != nullptr ? call->view() : std::string_view{});
  row.call_seq = entry.call_seq;
  assign_extensions(row.extensions, concerned);
  row.data.clear();
  events::append_data(row.data, entry.event, entry.at);

  if (listeners_ != nullptr) {
    listeners_->push_back({seq,
                           row.id,
                           entry.at,
                           row.type,
                           row.call,
                           entry.call_seq,
                           {concerned.begin(), concerned.end()},
                           row.data});
  }
  if (is_new && ++filled_ == waiting_.size()) flush();
}

void JournalWriter::flush() {
  std::size_t next = 0;
  for (const auto& insert : statements_) {
    while (filled_ - next >= insert->rows.size()) {
      for (Row& row : insert->rows) std::swap(row, waiting_[next++]);
      insert->statement.execute(true);
    }
  }
  filled_ = 0;
}

}  // namespace bw::store::detail
