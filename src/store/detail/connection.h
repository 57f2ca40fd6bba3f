// What every part of the store works on: the one connection, opened again when it was lost, and what is
// prepared on it. A part with tables of its own (store/journal.h) has its statements beside it and runs them
// here.
#pragma once

#include <soci/soci.h>

#include <memory>
#include <utility>

#include "store/detail/hold.h"
#include "store/detail/journal_writer.h"
#include "store/detail/session.h"
#include "store/detail/writers.h"
#include "store/seal.h"
#include "store/store.h"

namespace bw::store::detail {

class Connection {
 public:
  // Throws soci::soci_error.
  Connection(std::unique_ptr<soci::session> sql, Target target, SealKey key, std::unique_ptr<Hold> hold)
      : target_(std::move(target)), key_(std::move(key)), hold_(std::move(hold)), sql_(std::move(sql)) {
    need();
  }

  const Target& target() const { return target_; }
  Dialect dialect() const { return dialect_of(target_); }
  std::uint64_t journal_end() const { return journal_end_.seq(); }

  // body(soci::session&), whose soci_error becomes a Failure.
  template <typename F>
  auto run(F&& body) {
    auto result = guarded([&] {
      need();
      return body(*sql_);
    });
    if (!result) note(result.error());
    return result;
  }

  // The same, and all that it writes is there afterwards, or nothing of it.
  template <typename F>
  Result<void> in_transaction(F&& body) {
    auto result = run([&](soci::session& sql) {
      sql.begin();
      body(sql);
      sql.commit();
      journal_end_.confirm(writers_->journal().last());
    });
    // SQLite undoes some failed transactions by itself; then there is nothing to roll back, which is an
    // error.
    if (!result && sql_) static_cast<void>(guarded([&] { sql_->rollback(); }));
    return result;
  }

  // Inside run() or in_transaction().
  Writers& writers() { return *writers_; }
  const SealKey& key() const { return key_; }

 private:
  void need() {
    if (!sql_) connect_again();
    if (!writers_) writers_ = std::make_unique<Writers>(*sql_, key_, journal_end_);
  }

  void connect_again() {
    if (hold_) hold_->check();
    auto fresh = connect(target_);
    if (hold_) hold_->take_again(*fresh);
    sql_ = std::move(fresh);
  }

  // What failed is not used again: SOCI does not release the values of a statement that failed when it is run
  // once more, and a server that is away takes all that was prepared with it.
  void note(const Failure& failure) {
    writers_.reset();
    if (dialect() == Dialect::kPostgresql && failure.kind == FailureKind::kUnavailable) sql_.reset();
  }

  Target target_;
  SealKey key_;
  std::unique_ptr<Hold> hold_;  // null: beside a server
  JournalEnd journal_end_;
  std::unique_ptr<soci::session> sql_;
  std::unique_ptr<Writers> writers_;  // after sql_: they go first
};

}  // namespace bw::store::detail
