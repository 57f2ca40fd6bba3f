#include "store/access.h"

#include <soci/soci.h>

#include <optional>

#include "base/core.h"
#include "store/detail/connection.h"
#include "store/detail/statement.h"
#include "store/detail/text.h"

namespace bw::store {
namespace {

using soci::into;
using soci::use;

std::string clean(std::string_view text) {
  std::string out;
  detail::assign_clean(out, text);
  return out;
}

Instant instant(long long ns) {
  return Instant{Duration{ns}};
}

std::vector<access::User> read_users(soci::session& sql) {
  std::string name, role, hash;
  long long created = 0;
  soci::statement rows = detail::prepared(sql, "SELECT name, role, password_hash, created_at FROM users",
                                          into(name), into(role), into(hash), into(created));
  rows.execute();
  std::vector<access::User> users;
  while (rows.fetch()) {
    users.push_back(
        {name, access::role_of(role).value_or(access::Role::kUser), Secret{hash}, instant(created)});
  }
  return users;
}

std::vector<access::ApiKey> read_keys(soci::session& sql) {
  std::string id, name, role, scopes, digest, created_by;
  long long created = 0, expires = 0;
  soci::statement rows = detail::prepared(
      sql, "SELECT id, name, role, scopes, digest, created_by, created_at, expires_at FROM api_keys",
      into(id), into(name), into(role), into(scopes), into(digest), into(created_by), into(created),
      into(expires));
  rows.execute();
  std::vector<access::ApiKey> keys;
  while (rows.fetch()) {
    keys.push_back({id, name, access::role_of(role).value_or(access::Role::kUser),
                    detail::parse_list(scopes).value_or(std::vector<std::string>{}), digest, created_by,
                    instant(created), expires == 0 ? std::nullopt : std::optional{instant(expires)}});
  }
  return keys;
}

std::vector<access::Session> read_sessions(soci::session& sql) {
  std::string digest, name, extension, mark;
  int cookie = 0;
  long long created = 0, expires = 0;
  soci::statement rows = detail::prepared(
      sql, "SELECT digest, cookie, name, extension, mark, created_at, expires_at FROM sessions", into(digest),
      into(cookie), into(name), into(extension), into(mark), into(created), into(expires));
  rows.execute();
  std::vector<access::Session> sessions;
  while (rows.fetch()) {
    sessions.push_back({digest, cookie != 0 ? access::Way::kCookie : access::Way::kToken, name, extension,
                        mark, instant(created), instant(expires), instant(created)});
  }
  return sessions;
}

void write(soci::session& sql, const access::User& u) {
  const std::string name = clean(u.name), role(access::name_of(u.role)), hash = u.password_hash.reveal();
  const long long created = u.created.since_epoch().count();
  detail::run_once(
      sql,
      "INSERT INTO users (name, role, password_hash, created_at) VALUES (:name, :role, :hash, :created)"
      " ON CONFLICT (name) DO UPDATE SET role = excluded.role, password_hash = excluded.password_hash",
      use(name), use(role), use(hash), use(created));
}

void write(soci::session& sql, const access::ApiKey& k) {
  std::string scopes;
  detail::assign_list(scopes, k.scopes);
  const std::string name = clean(k.name), role(access::name_of(k.role)), by = clean(k.created_by);
  const long long created = k.created.since_epoch().count();
  const long long expires = k.expires ? k.expires->since_epoch().count() : 0;
  detail::run_once(sql,
                   "INSERT INTO api_keys (id, name, role, scopes, digest, created_by, created_at, expires_at)"
                   " VALUES (:id, :name, :role, :scopes, :digest, :by, :created, :expires)",
                   use(k.id), use(name), use(role), use(scopes), use(k.digest), use(by), use(created),
                   use(expires));
}

void write(soci::session& sql, const access::Session& s) {
  const int cookie = s.way == access::Way::kCookie ? 1 : 0;
  const std::string name = clean(s.name), extension = clean(s.extension);
  const long long created = s.created.since_epoch().count();
  const long long expires = s.expires.since_epoch().count();
  detail::run_once(sql,
                   "INSERT INTO sessions (digest, cookie, name, extension, mark, created_at, expires_at)"
                   " VALUES (:digest, :cookie, :name, :extension, :mark, :created, :expires)"
                   " ON CONFLICT (digest) DO NOTHING",
                   use(s.digest), use(cookie), use(name), use(extension), use(s.mark), use(created),
                   use(expires));
}

// The database thread is the only writer, so the next number is one more than the highest.
void write(soci::session& sql, const access::AuditEntry& e) {
  long long number = 0;
  soci::indicator found = soci::i_null;
  detail::run_once(sql, "SELECT MAX(number) FROM audit_log", into(number, found));
  number = (found == soci::i_ok ? number : 0) + 1;
  const long long at = e.at.since_epoch().count();
  const std::string who = clean(e.who), target = clean(e.target), before = clean(e.before),
                    after = clean(e.after);
  detail::run_once(
      sql,
      "INSERT INTO audit_log (number, at, who, way, origin, action, target, status, old_value, new_value)"
      " VALUES (:number, :at, :who, :way, :from, :action, :target, :status, :old, :new)",
      use(number), use(at), use(who), use(e.way), use(e.from), use(e.action), use(target), use(e.status),
      use(before), use(after));
  const long long oldest = number - static_cast<long long>(AccessTables::kAuditEntries);
  if (oldest > 0) detail::run_once(sql, "DELETE FROM audit_log WHERE number <= :oldest", use(oldest));
}

}  // namespace

Result<access::Records> AccessTables::load(Instant now) {
  return store_.connection().run([&](soci::session& sql) {
    const long long now_ns = now.since_epoch().count();
    detail::run_once(sql, "DELETE FROM sessions WHERE expires_at <= :now", use(now_ns));
    return access::Records{read_users(sql), read_keys(sql), read_sessions(sql)};
  });
}

Result<void> AccessTables::apply(std::span<const access::Change> changes) {
  return store_.connection().in_transaction([&](soci::session& sql) {
    for (const access::Change& change : changes) {
      std::visit(Overloaded{
                     [&](const access::SaveUser& c) { write(sql, c.user); },
                     [&](const access::DropUser& c) {
                       detail::run_once(sql, "DELETE FROM users WHERE name = :name", use(c.name));
                     },
                     [&](const access::SaveKey& c) { write(sql, c.key); },
                     [&](const access::DropKey& c) {
                       detail::run_once(sql, "DELETE FROM api_keys WHERE id = :id", use(c.id));
                     },
                     [&](const access::SaveSession& c) { write(sql, c.session); },
                     [&](const access::DropSession& c) {
                       detail::run_once(sql, "DELETE FROM sessions WHERE digest = :digest", use(c.digest));
                     },
                     [&](const access::AddAudit& c) { write(sql, c.entry); },
                 },
                 change);
    }
  });
}

Result<std::vector<access::AuditEntry>> AccessTables::audit(const AuditFilter& filter) {
  return store_.connection().run([&](soci::session& sql) {
    const long long before = filter.before == 0 ? INT64_MAX : static_cast<long long>(filter.before);
    const auto limit = static_cast<long long>(filter.limit);
    const std::string who = clean(filter.who), action = clean(filter.action);
    long long number = 0, at = 0;
    access::AuditEntry e;
    soci::statement rows =
        detail::prepared(sql,
                         "SELECT number, at, who, way, origin, action, target, status, old_value, new_value"
                         " FROM audit_log WHERE number < :before AND (:who = '' OR who = :who2)"
                         " AND (:action = '' OR action = :action2) ORDER BY number DESC LIMIT :most",
                         into(number), into(at), into(e.who), into(e.way), into(e.from), into(e.action),
                         into(e.target), into(e.status), into(e.before), into(e.after), use(before), use(who),
                         use(who), use(action), use(action), use(limit));
    rows.execute();
    std::vector<access::AuditEntry> entries;
    while (rows.fetch()) {
      e.number = static_cast<std::uint64_t>(number);
      e.at = instant(at);
      entries.push_back(e);
    }
    return entries;
  });
}

}  // namespace bw::store
