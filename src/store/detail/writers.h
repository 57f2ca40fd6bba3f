// One prepared statement per kind of change, bound once to its own members: writing a row is filling them
// and stepping. They hold references into a session and must go before it.
#pragma once

#include <soci/soci.h>

#include <memory>
#include <string>

#include "model/binding.h"
#include "model/call_record.h"
#include "model/extension.h"
#include "ports/persistence.h"
#include "store/detail/journal_writer.h"
#include "store/seal.h"

namespace bw::store::detail {

// The second half of a binding's key (ports/persistence.h).
void assign_key(std::string& out, const model::Binding& binding);

class Writers {
 public:
  Writers(soci::session& sql, const SealKey& key, JournalEnd& journal_end);
  ~Writers();

  // Throws soci::soci_error; inside the caller's transaction.
  void write(const ports::Change& change);  // an event: at the next flush() of the journal at the latest
  JournalWriter& journal() { return journal_; }

 private:
  struct BindingRow;
  struct BindingKeyRow;
  struct CallRow;
  struct ExtensionRow;

  void save(const model::Binding& binding);
  void drop(const model::Binding& binding);
  void save(const model::Extension& extension);
  void drop(const model::ExtensionNumber& number);

  const SealKey& key_;
  std::unique_ptr<BindingRow> binding_;
  std::unique_ptr<BindingKeyRow> dropped_binding_;
  std::unique_ptr<CallRow> opened_;
  std::unique_ptr<CallRow> closed_;
  std::unique_ptr<ExtensionRow> extension_;
  std::string dropped_extension_;
  soci::statement drop_extension_;
  JournalWriter journal_;
};

}  // namespace bw::store::detail
