#include "store/detail/session.h"

#include <fcntl.h>
#include <soci/postgresql/soci-postgresql.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/hex.h"
#include "store/detail/statement.h"

namespace bw::store::detail {
namespace {

// SOCI's SQLite parameters are words with optional double quotes around the value.
std::string parameters(const Sqlite& target) {
  if (target.path.find('"') != target.path.npos)
    throw soci::soci_error("a database path cannot hold a quote");
  return "dbname=\"" + target.path + '"';
}

// What an administrator of the database sees, and whoever asks who holds it (hold.h).
std::string own_name() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host.front() = '\0';
  return "bellwire, process " + std::to_string(::getpid()) + " on " + host.data();
}

// As a URI, percent-encoded: SOCI takes the other form apart and loses blanks on the way, also those of a
// password.
std::string parameters(const Postgresql& target) {
  std::string out = "postgresql://";
  const auto add = [&](std::string_view name, std::string_view value) {
    out += (out.back() == '/' ? "?" : "&") + std::string(name) + '=';
    for (const char c : value) {
      const auto byte = static_cast<unsigned char>(c);
      if (is_alnum(c)) {
        out += c;
      } else {
        out.append({'%', kHexDigits[byte >> 4U], kHexDigits[byte & 15U]});
      }
    }
  };
  add("host", target.host);
  add("port", std::to_string(target.port));
  add("dbname", target.name);
  add("user", target.user);
  if (!target.password.reveal().empty()) add("password", target.password.reveal());
  add("application_name", own_name());
  add("connect_timeout", "5");
  add("client_encoding", "UTF8");
  return out;
}

// SQLite would make the file readable for everybody.
void make_private(const std::string& path) {
  if (path.starts_with(':')) return;
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);  // what is wrong with the path SQLite tells better
}

void configure_sqlite(soci::session& sql) {
  // The write-ahead log with synchronous NORMAL keeps every commit when the process is killed: what is
  // written is with the kernel. A power cut may take the last commits, never the consistency.
  for (const char* pragma :
       {"PRAGMA busy_timeout=5000", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL",
        "PRAGMA foreign_keys=ON", "PRAGMA trusted_schema=OFF", "PRAGMA wal_autocheckpoint=4000",
        "PRAGMA cache_size=-16000"}) {
    run_once(sql, pragma);
  }
}

void configure_postgresql(soci::session& sql) {
  run_once(sql, "SET client_min_messages = warning");
  run_once(sql, "SET lock_timeout = '10s'");
  // So that a machine that went without a word holds nothing for the two hours that are usual.
  run_once(sql, "SET tcp_keepalives_idle = 10");
  run_once(sql, "SET tcp_keepalives_interval = 5");
  run_once(sql, "SET tcp_keepalives_count = 3");
}

bool is_passing(const soci::sqlite3_soci_error& error) {
  // Primary result codes (sqlite.org/rescode.html).
  constexpr std::array kPassing{5 /* BUSY */,     6 /* LOCKED */,    7 /* NOMEM */,
                                8 /* READONLY */, 9 /* INTERRUPT */, 10 /* IOERR */,
                                13 /* FULL */,    14 /* CANTOPEN */, 15 /* PROTOCOL */};
  return std::ranges::find(kPassing, error.result() & 0xff) != kPassing.end();
}

bool is_passing(const soci::postgresql_soci_error& error) {
  if (error.get_error_category() == soci::soci_error::connection_error) return true;
  // Classes of SQLSTATE: connection, transaction rollback, resources, lock, operator, system; none: the
  // connection broke while the statement ran.
  constexpr std::array<std::string_view, 6> kPassing{"08", "40", "53", "55", "57", "58"};
  const std::string state = error.sqlstate();
  return state.size() < 2 || state.starts_with(' ') ||
         std::ranges::find(kPassing, std::string_view(state).substr(0, 2)) != kPassing.end();
}

constexpr std::string_view kNoConnection = "Cannot establish connection to the database.\n";

std::string first_line(const std::string& text) {
  std::string out = text.substr(0, text.find('\n'));  // PostgreSQL's further lines quote values
  while (!out.empty() && (out.back() == ' ' || out.back() == '.')) out.pop_back();
  return out;
}

int current_version(soci::session& sql, Dialect dialect) {
  run_once(sql, in_dialect(
                    "CREATE TABLE IF NOT EXISTS schema_version (version {int} NOT NULL PRIMARY KEY){strict}",
                    dialect));
  int version = 0;
  soci::indicator found = soci::i_null;
  run_once(sql, "SELECT MAX(version) FROM schema_version", soci::into(version, found));
  return found == soci::i_ok ? version : 0;
}

Result<void> run_migrations(soci::session& sql, Dialect dialect) {
  const int version = current_version(sql, dialect);
  if (version > newest_version()) {
    return std::unexpected(Failure{FailureKind::kNewerSchema, "the database has schema " +
                                                                  std::to_string(version) +
                                                                  ", this version of Bellwire knows up to " +
                                                                  std::to_string(newest_version())});
  }
  for (const Migration& step : migrations()) {
    if (step.version <= version) continue;
    for (const std::string_view statement : step.statements) run_once(sql, in_dialect(statement, dialect));
    run_once(sql, "INSERT INTO schema_version (version) VALUES (:version)", soci::use(step.version));
  }
  return {};
}

}  // namespace

Dialect dialect_of(const Target& target) {
  return std::holds_alternative<Sqlite>(target) ? Dialect::kSqlite : Dialect::kPostgresql;
}

std::unique_ptr<soci::session> connect(const Target& target) {
  auto sql = std::make_unique<soci::session>();
  if (const auto* sqlite = std::get_if<Sqlite>(&target)) {
    make_private(sqlite->path);
    sql->open(soci::sqlite3, parameters(*sqlite));
    configure_sqlite(*sql);
  } else {
    sql->open(soci::postgresql, parameters(std::get<Postgresql>(target)));
    configure_postgresql(*sql);
  }
  return sql;
}

Result<void> migrate(soci::session& sql, Dialect dialect) {
  const auto whole = guarded([&]() -> Result<void> {
    // One at a time: several servers may start on the same database together.
    if (dialect == Dialect::kSqlite) {
      run_once(sql, "BEGIN IMMEDIATE");
    } else {
      sql.begin();
      run_once(sql, "SELECT pg_advisory_xact_lock(4252771)");
    }
    auto done = run_migrations(sql, dialect);
    if (done) {
      sql.commit();
    } else {
      sql.rollback();
    }
    return done;
  });
  return whole ? *whole : std::unexpected(whole.error());
}

Failure failure_of(const soci::soci_error& error) {
  if (const auto* thrown = dynamic_cast<const FailureThrown*>(&error)) return thrown->failure();
  std::string message = error.get_error_message();
  bool passing = false;
  if (const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error)) {
    passing = is_passing(*sqlite);
  } else if (const auto* postgresql = dynamic_cast<const soci::postgresql_soci_error*>(&error)) {
    passing = is_passing(*postgresql);
  } else if (message.starts_with(kNoConnection)) {  // has no type of its own
    passing = true;
    message.erase(0, kNoConnection.size());  // the next line says why
  }
  return {passing ? FailureKind::kUnavailable : FailureKind::kRefused, "database: " + first_line(message)};
}

}  // namespace bw::store::detail
