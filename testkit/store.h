// The database of a story: rows that outlive a crash of the server, and the checks on what is written.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/time.h"
#include "ports/persistence.h"

namespace bw::testkit {

class FakeStore {
 public:
  struct CallRow {
    model::CallRecord record;
    int opened = 0;
    int closed = 0;
  };

  void apply(const ports::Change& change);
  // As the real store does at start: what was open when the server stopped is closed with a reason.
  void close_open_records(Instant now);

  std::vector<model::Binding> bindings() const;
  const std::map<model::CallId, CallRow>& calls() const { return calls_; }
  // The types of a call's events in their order, or of all that are of no call: "started ringing answered
  // ended".
  std::string told_of(const model::CallId& call) const;
  std::size_t open_calls() const;
  // The record of the newest call (by start) between these two, or null.
  const model::CallRecord* last_call(std::string_view from, std::string_view to) const;
  const model::CallRecord* last_call() const;
  // Every event told, in the order it was written.
  const std::vector<events::Entry>& journal() const { return journal_; }
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  using BindingKey = std::tuple<std::string, std::string, std::string, std::uint32_t>;
  static BindingKey key_of(const model::Binding& b);
  void open(const model::CallRecord& record);
  void close(const model::CallRecord& record);
  void tell(const events::Entry& entry);

  struct Told {  // of a call
    std::uint32_t seq = 0;
    bool answered = false;
    bool ended = false;
  };

  std::map<BindingKey, model::Binding> bindings_;
  std::map<model::CallId, CallRow> calls_;
  std::vector<events::Entry> journal_;
  std::map<model::CallId, Told> told_;
  std::set<events::EventId> ids_;
  std::vector<std::string> violations_;
};

}  // namespace bw::testkit
