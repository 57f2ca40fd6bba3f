#include "server/audit_log.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/rfc3339.h"
#include "server/log_file.h"
#include "store/access.h"

namespace bw::server {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostWaiting = 2'000;
constexpr Duration kTellLosses = 1min;

std::string line_of(const access::AuditEntry& e) {
  return json::serialize(json::object{{"at", rfc3339(e.at)},
                                      {"who", e.who},
                                      {"way", e.way},
                                      {"from", e.from},
                                      {"action", e.action},
                                      {"target", e.target},
                                      {"status", e.status},
                                      {"before", e.before},
                                      {"after", e.after}});
}

bool to_file(const config::Audit& a) {
  return a.enabled && a.log_to_file;
}
bool to_database(const config::Audit& a) {
  return a.enabled && a.log_to_database;
}

bool same(const config::Audit& a, const config::Audit& b) {
  return a.enabled == b.enabled && a.log_to_database == b.log_to_database && a.log_to_file == b.log_to_file &&
         a.log_file == b.log_file;
}

std::string text_of(const config::Audit& a) {
  return json::serialize(json::object{{"enabled", a.enabled},
                                      {"log_to_database", a.log_to_database},
                                      {"log_to_file", a.log_to_file},
                                      {"log_file", a.log_file}});
}

}  // namespace

AuditLog::AuditLog(store::StoreThread& store, Log& log, const std::filesystem::path& data_directory,
                   const config::Audit& settings)
    : store_(store), log_(log), data_directory_(data_directory), settings_(settings) {
  open_file(settings);
}

void AuditLog::open_file(const config::Audit& settings) {
  if (!to_file(settings)) return file_.reset();
  const std::string file = log_file_in(data_directory_, settings.log_file);
  make_log_file(file, kAuditFileMode);
  file_ = std::make_unique<Log>(Log::Setup{Level::kInfo, false, file, false});
}

bool AuditLog::would_lessen(const config::Audit& settings) const {
  if (to_database(settings_) && !to_database(settings)) return true;
  return to_file(settings_) && (!to_file(settings) || settings.log_file != settings_.log_file);
}

void AuditLog::configure(const config::Audit& settings, Instant now) {
  if (same(settings_, settings)) return;
  const access::AuditEntry entry{.at = now,
                                 .who = "configuration",
                                 .way = "none",
                                 .action = "changeAuditLog",
                                 .target = "security.audit",
                                 .status = 200,
                                 .before = text_of(settings_),
                                 .after = text_of(settings)};
  write(access::AuditEntry(entry));
  if (!settings.enabled) log_.warning("the audit log is switched off");
  const bool was_off = !to_file(settings_) && !to_database(settings_);
  const config::Audit old = std::exchange(settings_, settings);
  try {
    open_file(settings_);
  } catch (const std::runtime_error& e) {
    log_.error("audit log: {}; the file stays as it was", e.what());
    settings_.log_to_file = file_ != nullptr;
    settings_.log_file = old.log_file;
  }
  if (was_off) write(access::AuditEntry(entry));
}

void AuditLog::write(access::AuditEntry&& entry) {
  if (!settings_.enabled) return;
  if (file_) file_->info("{}", line_of(entry));
  if (!settings_.log_to_database) return;
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() >= kMostWaiting) {
      ++lost_;
      return;
    }
    waiting_.push_back(std::move(entry));
  }
  offer();
}

void AuditLog::offer() {
  {
    const std::scoped_lock lock(mutex_);
    if (offered_ || waiting_.empty()) return;
    offered_ = true;
  }
  if (store_.ask([this](store::Store& store) { store_waiting(store); })) return;
  const std::scoped_lock lock(mutex_);
  offered_ = false;
}

void AuditLog::store_waiting(store::Store& store) {
  std::vector<access::Change> changes;
  {
    const std::scoped_lock lock(mutex_);
    offered_ = false;
    for (access::AuditEntry& entry : waiting_) changes.emplace_back(access::AddAudit{std::move(entry)});
    waiting_.clear();
  }
  const auto stored = store::AccessTables{store}.apply(changes);
  if (stored) return;
  const std::scoped_lock lock(mutex_);
  const bool may_pass = stored.error().kind == store::FailureKind::kUnavailable;
  while (!changes.empty() && may_pass && waiting_.size() < kMostWaiting) {
    waiting_.push_front(std::move(std::get<access::AddAudit>(changes.back()).entry));
    changes.pop_back();
  }
  lost_ += changes.size();
}

void AuditLog::look_after(Instant now) {
  offer();
  if (told_ && now < *told_ + kTellLosses) return;
  std::uint64_t lost = 0;
  {
    const std::scoped_lock lock(mutex_);
    lost = std::exchange(lost_, 0);
  }
  if (lost == 0) return;
  told_ = now;
  log_.error("audit log: the database does not keep up; {} entries are lost", lost);
}

}  // namespace bw::server
