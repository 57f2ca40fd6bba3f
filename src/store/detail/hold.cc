#include "store/detail/hold.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

#include "store/detail/session.h"
#include "store/detail/statement.h"

namespace bw::store::detail {
namespace {

using soci::into;
using soci::use;
using Clock = std::chrono::steady_clock;

constexpr auto kLookEvery = 25ms;
// The backend of a server that has just been stopped is still there for a moment: not worth a line.
constexpr auto kSilentFor = 500ms;
// The server notices the end of a connection at once unless it is in the middle of a statement.
constexpr auto kPatienceWithOwnRest = 2s;
constexpr std::string_view kMark = "server_session";

// 4252771 means Bellwire; the second number is the schema, of which one database may have several.
constexpr const char* kTryLock =
    "SELECT CASE WHEN pg_try_advisory_lock(4252771, CAST(oid AS INTEGER)) THEN 1 ELSE 0 END"
    " FROM pg_namespace WHERE nspname = current_schema()";

// Process ids come again, with the moment they do not.
constexpr const char* kOwnSession =
    "SELECT CAST(pid AS TEXT) || '@' ||"
    " CAST(CAST(extract(epoch FROM backend_start) * 1000000 AS BIGINT) AS TEXT)"
    " FROM pg_stat_activity WHERE pid = pg_backend_pid()";

// Of another user's sessions the server shows little.
constexpr const char* kHolder =
    "SELECT l.pid, CAST(l.pid AS TEXT) || '@' ||"
    " coalesce(CAST(CAST(extract(epoch FROM a.backend_start) * 1000000 AS BIGINT) AS TEXT), ''),"
    " coalesce(a.application_name, ''), coalesce(CAST(a.usename AS TEXT), ''), coalesce(host(a.client_addr), "
    "''),"
    " coalesce(to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24.MI'), '')"
    " FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid"
    " WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 4252771 AND l.objsubid = 2"
    " AND l.objid = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";

std::string lock_file_of(const Sqlite& target) {
  std::error_code ignored;
  const auto real = std::filesystem::weakly_canonical(target.path, ignored);  // two names, one database
  return (real.empty() ? target.path : real.string()) + ".lock";
}

std::string in_words(const std::string& holder) {
  return "database: another Bellwire server uses it" + (holder.empty() ? "" : ": " + holder);
}

}  // namespace

struct Hold::Holder {
  int pid = 0;  // 0: nobody, it has just ended
  std::string session, program, user, address, since;

  explicit Holder(soci::session& sql) {
    run_once(sql, kHolder, into(pid), into(session), into(program), into(user), into(address), into(since));
  }
  std::string in_words() const {
    if (pid == 0) return {};
    std::string text = program.empty() ? "" : program + ", ";
    text += "PostgreSQL process " + std::to_string(pid);
    if (!user.empty()) text += " of user " + user;
    if (!address.empty()) text += " from " + address;
    if (!since.empty()) text += " since " + since + " UTC";
    return text;
  }
};

Hold::Hold(Target target, Claim claim) : target_(std::move(target)), claim_(std::move(claim)) {}

Hold::~Hold() {
  if (file_ >= 0) ::close(file_);
}

void Hold::take(soci::session& sql) {
  const auto began = Clock::now();
  for (bool told = false; !try_take(sql); std::this_thread::sleep_for(kLookEvery)) {
    const std::string holder = name_of_holder(sql);
    const auto waited = Clock::now() - began;
    if (waited >= claim_.patience) {
      throw FailureThrown({FailureKind::kHeld, in_words(holder) +
                                                   ". One database is for one server: stop the other, or "
                                                   "give this one a database of its own"});
    }
    if (!told && waited >= kSilentFor && claim_.on_wait) {
      told = true;
      claim_.on_wait(in_words(holder));
    }
  }
}

bool Hold::try_take(soci::session& sql) {
  if (const auto* sqlite = std::get_if<Sqlite>(&target_)) {
    if (sqlite->path.starts_with(':')) return true;
    const std::string path = lock_file_of(*sqlite);
    if (file_ < 0) file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file_ < 0) {
      throw FailureThrown(
          {FailureKind::kRefused, "database: " + path + " cannot be written: " + std::strerror(errno)});
    }
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0) return false;
    const std::string mine = std::to_string(::getpid()) + '\n';  // for name_of_holder() of another
    if (::ftruncate(file_, 0) == 0) static_cast<void>(::pwrite(file_, mine.data(), mine.size(), 0));
    return true;
  }
  int taken = 0;
  // Without a schema there is nothing to lock, and nothing can be written either: the next statement says so.
  if (run_once(sql, kTryLock, into(taken)) && taken == 0) return false;
  run_once(sql, kOwnSession, into(session_));
  return true;
}

std::string Hold::name_of_holder(soci::session& sql) const {
  const auto* sqlite = std::get_if<Sqlite>(&target_);
  if (sqlite == nullptr) return Holder(sql).in_words();
  std::array<char, 16> text{};
  const ssize_t n = ::pread(file_, text.data(), text.size() - 1, 0);
  const long pid = n > 0 ? std::strtol(text.data(), nullptr, 10) : 0;
  return sqlite->path + (pid > 0 ? " is held by process " + std::to_string(pid) : " is held");
}

void Hold::sign(soci::session& sql) {
  if (std::holds_alternative<Sqlite>(target_)) return;
  mark_ = session_;
  const std::string name(kMark);
  run_once(sql,
           "INSERT INTO meta (name, value) VALUES (:name, :value)"
           " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
           use(name), use(mark_));
}

bool Hold::is_mine(soci::session& sql) const {
  const std::string name(kMark);
  std::string mark;
  run_once(sql, "SELECT value FROM meta WHERE name = :name", use(name), into(mark));
  return mark == mark_;
}

// Connections to SQLite are not lost. To PostgreSQL: either nobody was here since, or this server is done
// for.
void Hold::take_again(soci::session& sql) {
  const auto until = Clock::now() + kPatienceWithOwnRest;
  const std::string before = session_;
  while (!try_take(sql)) {
    const Holder holder(sql);
    if (!is_mine(sql)) lose(holder.in_words());
    if (Clock::now() >= until) throw FailureThrown({FailureKind::kUnavailable, in_words(holder.in_words())});
    // Behind a network that broke the server may believe in the old connection for long.
    if (holder.session == before) run_once(sql, "SELECT pg_terminate_backend(:pid)", use(holder.pid));
    std::this_thread::sleep_for(kLookEvery);
  }
  if (!is_mine(sql)) lose({});
}

void Hold::lose(const std::string& holder) {
  lost_ = Failure{FailureKind::kHeld,
                  "database: while the connection was lost another Bellwire server has taken it over" +
                      (holder.empty() ? "" : ": " + holder) +
                      ". This one stores nothing any more; end one of the two, and start this one again if "
                      "it is to stay"};
  check();
  std::unreachable();
}

void Hold::check() const {
  if (lost_) throw FailureThrown(*lost_);
}

}  // namespace bw::store::detail
