#include "store/migrations.h"

#include <array>

namespace bw::store {
namespace {

// Times are nanoseconds of the Unix epoch, as in Instant; lists and legs are JSON; yes and no are 1 and 0.
constexpr std::array<std::string_view, 6> kFoundation{
    // Facts about the database itself, such as the proof that secret.key fits.
    R"(CREATE TABLE meta (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
){strict})",
    // credentials: both HA1 digests, sealed (store/seal.h); the number is sealed in with them.
    R"(CREATE TABLE extensions (
  number TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  credentials TEXT NOT NULL,
  allow_external {int} NOT NULL,
  do_not_disturb {int} NOT NULL,
  record {int} NOT NULL,
  ring_seconds {int} NOT NULL,
  forward_always TEXT NOT NULL,
  forward_busy TEXT NOT NULL,
  forward_no_answer TEXT NOT NULL,
  forward_unreachable TEXT NOT NULL,
  member_of TEXT NOT NULL
){strict})",
    // binding_key: the instance and reg-id of RFC 5626, or the contact URI where there is none. A binding may
    // outlive its extension's row by a moment (the exchange removes both), so there is no foreign key.
    R"(CREATE TABLE bindings (
  extension TEXT NOT NULL,
  binding_key TEXT NOT NULL,
  contact TEXT NOT NULL,
  instance TEXT NOT NULL,
  reg_id {int} NOT NULL,
  call_id TEXT NOT NULL,
  cseq {int} NOT NULL,
  q_thousandths {int} NOT NULL,
  path TEXT NOT NULL,
  transport TEXT NOT NULL,
  local_address TEXT NOT NULL,
  remote_address TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  first_registered {int} NOT NULL,
  last_registered {int} NOT NULL,
  expires_at {int} NOT NULL,
  PRIMARY KEY (extension, binding_key)
){strict})",
    // ended_at is null while the call lasts, and after a crash until the next start.
    R"(CREATE TABLE call_records (
  call_id TEXT NOT NULL PRIMARY KEY,
  from_extension TEXT NOT NULL,
  to_extension TEXT NOT NULL,
  from_number TEXT NOT NULL,
  to_number TEXT NOT NULL,
  direction TEXT NOT NULL,
  caller_name TEXT NOT NULL,
  started_at {int} NOT NULL,
  answered_at {int},
  ended_at {int},
  disposition TEXT NOT NULL,
  hangup_by TEXT NOT NULL,
  cause_code {int} NOT NULL,
  reason TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  legs TEXT NOT NULL
){strict})",
    R"(CREATE INDEX call_records_by_start ON call_records (started_at))",
    // Small however many calls there were: what a start after a crash has to close.
    R"(CREATE INDEX call_records_open ON call_records (call_id) WHERE ended_at IS NULL)",
};

// No index but what is needed: this is the busiest table. Times and events are found by halving seq, a call
// by its first event.
constexpr std::array<std::string_view, 2> kJournal{
    // extensions: whom it concerns, each between spaces; call_id is empty and call_seq 0 for events of no
    // call.
    R"(CREATE TABLE events (
  seq {int} NOT NULL PRIMARY KEY,
  event_id TEXT NOT NULL,
  at {int} NOT NULL,
  type TEXT NOT NULL,
  call_id TEXT NOT NULL,
  call_seq {int} NOT NULL,
  extensions TEXT NOT NULL,
  data TEXT NOT NULL
){rowid})",
    R"(CREATE INDEX events_that_start_calls ON events (call_id) WHERE call_seq = 1)",
};

// Times as above; 0 in expires_at: never. Nothing here opens a door: password_hash is argon2id, and digests
// are of 256 bits of chance.
constexpr std::array<std::string_view, 5> kAccess{
    R"(CREATE TABLE users (
  name TEXT NOT NULL PRIMARY KEY,
  role TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  created_at {int} NOT NULL
){strict})",
    R"(CREATE TABLE api_keys (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  scopes TEXT NOT NULL,
  digest TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at {int} NOT NULL,
  expires_at {int} NOT NULL
){strict})",
    R"(CREATE TABLE sessions (
  digest TEXT NOT NULL PRIMARY KEY,
  cookie {int} NOT NULL,
  name TEXT NOT NULL,
  extension TEXT NOT NULL,
  mark TEXT NOT NULL,
  created_at {int} NOT NULL,
  expires_at {int} NOT NULL
){strict})",
    R"(CREATE TABLE audit_log (
  number {int} NOT NULL PRIMARY KEY,
  at {int} NOT NULL,
  who TEXT NOT NULL,
  way TEXT NOT NULL,
  origin TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  status {int} NOT NULL,
  old_value TEXT NOT NULL,
  new_value TEXT NOT NULL
){rowid})", R"(CREATE INDEX audit_log_by_who ON audit_log (who, number))",
};

// sealed: secrets and headers. What changes with every delivery lies apart from what is large or changes
// seldom; both are JSON of store/detail/webhook_json.h.
constexpr std::array<std::string_view, 3> kWebhooks{
    R"(CREATE TABLE webhooks (
  id TEXT NOT NULL PRIMARY KEY,
  url TEXT NOT NULL,
  events TEXT NOT NULL,
  extensions TEXT NOT NULL,
  sealed TEXT NOT NULL,
  former_until {int} NOT NULL,
  standing TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at {int} NOT NULL
){strict})",
    R"(CREATE TABLE webhook_progress (
  id TEXT NOT NULL PRIMARY KEY,
  progress TEXT NOT NULL
){strict})",
    R"(CREATE TABLE webhook_history (
  id TEXT NOT NULL PRIMARY KEY,
  dead TEXT NOT NULL,
  log TEXT NOT NULL
){strict})",
};

// The records of one extension among those of all, newest first.
constexpr std::array<std::string_view, 2> kRecordsOfOne{
    R"(CREATE INDEX call_records_by_caller ON call_records (from_extension, started_at))",
    R"(CREATE INDEX call_records_by_callee ON call_records (to_extension, started_at))",
};

constexpr std::array kMigrations{
    Migration{1, "extensions, bindings, call records", kFoundation},
    Migration{2, "the event journal", kJournal},
    Migration{3, "users, keys, sessions, audit log", kAccess},
    Migration{4, "webhooks", kWebhooks},
    Migration{5, "call records by extension", kRecordsOfOne},
};

void replace_all(std::string& text, std::string_view mark, std::string_view with) {
  for (auto at = text.find(mark); at != text.npos; at = text.find(mark, at + with.size())) {
    text.replace(at, mark.size(), with);
  }
}

}  // namespace

std::span<const Migration> migrations() {
  return kMigrations;
}

int newest_version() {
  return kMigrations.back().version;
}

std::string in_dialect(std::string_view sql, Dialect dialect) {
  const bool sqlite = dialect == Dialect::kSqlite;
  std::string out(sql);
  replace_all(out, "{int}", sqlite ? "INTEGER" : "BIGINT");
  replace_all(out, "{real}", sqlite ? "REAL" : "DOUBLE PRECISION");
  replace_all(out, "{strict}", sqlite ? " STRICT, WITHOUT ROWID" : "");
  replace_all(out, "{rowid}", sqlite ? " STRICT" : "");
  return out;
}

}  // namespace bw::store
