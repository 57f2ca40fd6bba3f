// Events on their way into the journal: each gets its number, inside the transaction of the changes it tells
// of.
#pragma once

#include <soci/soci.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "events/event.h"
#include "events/stored.h"
#include "store/migrations.h"

namespace bw::store::detail {

// The newest number of which it is certain that it is stored. Outlives the writer, which goes when something
// fails: the next one can then tell whether a commit whose answer was lost went through after all.
class JournalEnd {
 public:
  void confirm(std::uint64_t seq) {
    seq_ = seq;
    known_ = true;
  }
  bool known() const { return known_; }
  std::uint64_t seq() const { return seq_; }

 private:
  std::uint64_t seq_ = 0;
  bool known_ = false;
};

// All throw soci::soci_error, and then are not used again.
class JournalWriter {
 public:
  JournalWriter(soci::session& sql, JournalEnd& end);
  ~JournalWriter();

  // Written at the next flush() at the latest. An event that is in the journal already, because the answer to
  // its commit was lost, is not written again.
  void add(const events::Entry& entry);
  void flush();
  // What was added, with its numbers, is also put here; null: nobody listens.
  void tell(std::vector<events::StoredEvent>* listeners) { listeners_ = listeners; }
  std::uint64_t last() const { return last_; }

 private:
  struct Row;
  struct Rows;  // a statement that inserts so many at once
  void find_unconfirmed(soci::session& sql, std::uint64_t after);

  std::uint64_t last_ = 0;
  std::unordered_map<std::string, std::uint64_t> stored_already_;
  std::vector<std::unique_ptr<Rows>> statements_;  // the largest first
  std::vector<Row> waiting_;
  std::size_t filled_ = 0;  // of those
  std::vector<events::StoredEvent>* listeners_ = nullptr;
};

}  // namespace bw::store::detail
