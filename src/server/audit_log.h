// The audit log on its way to its file and to the database.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>

#include "access/records.h"
#include "config/config.h"
#include "server/log.h"
#include "store/store_thread.h"

namespace bw::server {

// Of the front thread. What waits for the database is in one queue of its own and takes one place among the
// questions, however much it is. The store ends after the last call and before this object.
class AuditLog {
 public:
  // Throws std::runtime_error if the file cannot be opened (start-up).
  AuditLog(store::StoreThread& store, Log& log, const std::filesystem::path& data_directory,
           const config::Audit& settings);

  // Writes down by the old settings what becomes of them, then follows the new ones. A file that cannot be
  // opened leaves the old one.
  void configure(const config::Audit& settings, Instant now);
  // Something that was written somewhere will no longer be, or elsewhere.
  bool would_lessen(const config::Audit& settings) const;
  void write(access::AuditEntry&& entry);
  // Every second or so: offers again what the database did not take, and tells how much was lost.
  void look_after(Instant now);

 private:
  void offer();
  void store_waiting(store::Store& store);  // in the database thread
  void open_file(const config::Audit& settings);

  store::StoreThread& store_;
  Log& log_;
  const std::filesystem::path& data_directory_;
  config::Audit settings_;
  std::unique_ptr<Log> file_;
  std::optional<Instant> told_;  // of losses

  std::mutex mutex_;  // for the rest
  std::deque<access::AuditEntry> waiting_;
  bool offered_ = false;
  std::uint64_t lost_ = 0;
};

}  // namespace bw::server
