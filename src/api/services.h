// What the API handlers reach of the running system. Translation happens above, decisions below.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "access/access.h"
#include "api/password.h"
#include "base/rng.h"
#include "events/event.h"
#include "model/call_record.h"
#include "model/directory.h"
#include "ports/control.h"
#include "ports/persistence.h"
#include "webhooks/wishes.h"

namespace bw::api {

class LiveStream;
class Operations;

struct ReloadOutcome {
  bool applied = false;
  std::vector<std::string> problems;       // of the file, each with its line
  std::vector<std::string> needs_restart;  // changed keys that only a restart applies
};

struct RecordQuery {
  std::size_t limit = 100;
  std::string extension;             // as caller or callee; empty: all
  std::optional<Instant> before;     // started before
  std::optional<Instant> from = {};  // started then or later
  // Where the page before ended.
  struct Place {
    Instant started;
    std::string call_id;
  };
  std::optional<Place> beyond = {};
};

struct AuditQuery {
  std::size_t limit = 100;
  std::uint64_t before = 0;  // only smaller numbers; 0: from the newest
  std::string who;           // empty: all
  std::string action;
};

// Everything on one thread: handlers are called there, and answers come back there, sooner or later.
class Services {
 public:
  virtual ~Services() = default;

  using OnReply = std::move_only_function<void(ports::Reply&&)>;
  virtual void ask(ports::Request&& request, OnReply on_reply) = 0;

  virtual model::DirectorySnapshot directory() const = 0;
  // Stored first, then known to the phone system; false: the database refused, nothing changed.
  using OnDone = std::move_only_function<void(bool)>;
  virtual void change(ports::Change&& change, OnDone on_done) = 0;

  using OnRecords = std::move_only_function<void(std::optional<std::vector<model::CallRecord>>&&)>;
  virtual void call_records(const RecordQuery& query, OnRecords on_records) = 0;

  using OnReloaded = std::move_only_function<void(ReloadOutcome&&)>;
  virtual void reload(OnReloaded on_reloaded) = 0;
  // Into a file of the server's machine; the text says why not.
  using OnBackup = std::move_only_function<void(std::optional<std::string>&&)>;
  virtual void backup(const std::string& file, OnBackup on_backup) = 0;

  // ---- logins ----
  virtual access::Access& access() = 0;
  // Stored first, then known to access(); false: the database refused, nothing changed.
  virtual void keep(std::vector<access::Change>&& changes, OnDone on_done) = 0;
  // Beside the front thread, for it takes long. None: too many are waiting.
  using OnVerified = std::move_only_function<void(std::optional<bool>)>;
  virtual void verify_password(std::string hash, Secret<std::string> password, OnVerified on_verified) = 0;
  using OnHashed = std::move_only_function<void(std::optional<Secret<std::string>>&&)>;
  virtual void hash_password(Secret<std::string> password, OnHashed on_hashed) = 0;
  // To the audit log, in the order of the calls; nobody waits for it.
  virtual void audit(access::AuditEntry&& entry) = 0;
  using OnAudit = std::move_only_function<void(std::optional<std::vector<access::AuditEntry>>&&)>;
  virtual void audit_log(const AuditQuery& query, OnAudit on_audit) = 0;
  // Into the journal.
  virtual void tell(events::Event&& event) = 0;

  // Null: nothing can be listened to here.
  virtual LiveStream* live() { return nullptr; }
  // Null: nobody runs a server here.
  virtual Operations* operations() { return nullptr; }
  // What became of a request, for the figures. `operation`: the id of its route, "none" where there is none.
  virtual void served(std::string_view /*operation*/, int /*status*/) {}

  // Answered on this thread; a callback that is destroyed without a call means that too much waits.
  using OnWebhooks = std::move_only_function<void(webhooks::Answer&&)>;
  virtual void webhooks(webhooks::Wish&& wish, OnWebhooks on_answer) = 0;

  virtual PasswordRules password_rules() const = 0;
  virtual Rng& rng() = 0;
  virtual Instant moment() const = 0;
};

}  // namespace bw::api
