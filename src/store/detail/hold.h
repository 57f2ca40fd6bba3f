// One server per database (docs/decisions/055-one-server-per-database.md): what a server holds as long as its
// store is open. PostgreSQL: a lock of the session; SQLite: a lock on a file beside the database.
#pragma once

#include <soci/soci.h>

#include <optional>
#include <string>

#include "store/store.h"

namespace bw::store::detail {

// All throw soci::soci_error.
class Hold {
 public:
  Hold(Target target, Claim claim);
  ~Hold();
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

  // At the start, before anything is written; waits for who has it.
  void take(soci::session& sql);
  // Once there are tables: by this mark a connection made later sees whether another server has been here.
  void sign(soci::session& sql);
  // On a connection that replaces a lost one, before anything is done with it.
  void take_again(soci::session& sql);
  // Before such a connection is made: it is of no use once another server was here.
  void check() const;

 private:
  struct Holder;
  bool try_take(soci::session& sql);
  std::string name_of_holder(soci::session& sql) const;
  bool is_mine(soci::session& sql) const;
  [[noreturn]] void lose(const std::string& holder);

  Target target_;
  Claim claim_;
  int file_ = -1;        // SQLite: the lock
  std::string mark_;     // PostgreSQL: in the table, for life: the session that was the first
  std::string session_;  // PostgreSQL: the one that holds the lock, or held it until it was lost
  std::optional<Failure> lost_;
};

}  // namespace bw::store::detail
