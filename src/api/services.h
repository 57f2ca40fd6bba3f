// What the API handlers reach of the running system. Translation happens above, decisions below.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/password.h"
#include "base/rng.h"
#include "model/call_record.h"
#include "model/directory.h"
#include "ports/control.h"
#include "ports/persistence.h"
#include "webhooks/wishes.h"

namespace bw::api {

class LiveStream;

struct ReloadOutcome {
  bool applied = false;
  std::vector<std::string> problems;       // of the file, each with its line
  std::vector<std::string> needs_restart;  // changed keys that only a restart applies
};

struct RecordQuery {
  std::size_t limit = 100;
  std::string extension;  // as caller or callee; empty: all
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

  // Null: nothing can be listened to here.
  virtual LiveStream* live() { return nullptr; }

  // Answered on this thread; a callback that is destroyed without a call means that too much waits.
  using OnWebhooks = std::move_only_function<void(webhooks::Answer&&)>;
  virtual void webhooks(webhooks::Wish&& wish, OnWebhooks on_answer) = 0;

  virtual PasswordRules password_rules() const = 0;
  virtual Rng& rng() = 0;
  virtual Instant moment() const = 0;
};

}  // namespace bw::api
