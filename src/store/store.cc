#include "store/store.h"

#include <fcntl.h>
#include <soci/soci.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <variant>

#include "store/detail/connection.h"
#include "store/detail/interrupted_calls.h"
#include "store/detail/readers.h"
#include "store/detail/session.h"
#include "store/detail/statement.h"
#include "store/detail/text.h"
#include "store/detail/writers.h"
#include "store/migrations.h"

namespace bw::store {

using detail::guarded;

namespace {

constexpr std::string_view kKeyCheck = "key_check";

// The first start seals a word; every later one must be able to open it.
Result<void> check_key(soci::session& sql, const SealKey& key) {
  std::string sealed;
  const std::string name(kKeyCheck);
  const auto read = guarded([&] {
    constexpr const char* kRead = "SELECT value FROM meta WHERE name = :name";
    if (detail::run_once(sql, kRead, soci::use(name), soci::into(sealed))) return true;
    sealed = key.seal("bellwire", kKeyCheck);
    detail::run_once(sql,
                     "INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING",
                     soci::use(name), soci::use(sealed));
    return detail::run_once(sql, kRead, soci::use(name), soci::into(sealed));
  });
  if (!read) return std::unexpected(read.error());
  if (key.open(sealed, kKeyCheck) == "bellwire") return {};
  return std::unexpected(
      Failure{FailureKind::kWrongKey,
              "secret.key in the data directory is not the key this database was sealed with; put the right "
              "one back (it belongs into every backup)"});
}

using EndedCalls = std::unordered_set<std::string_view>;

EndedCalls ended_in(std::span<const ports::Persist> batches) {
  EndedCalls ended;
  for (const ports::Persist& batch : batches) {
    for (const ports::Change& change : batch.changes) {
      if (const auto* close = std::get_if<ports::CloseCallRecord>(&change))
        ended.insert(close->record.id.value);
    }
  }
  return ended;
}

// A call that begins and ends within one transaction (refused, busy, nobody there) is written once.
bool is_overtaken(const ports::Change& change, const EndedCalls& ended) {
  const auto* open = std::get_if<ports::OpenCallRecord>(&change);
  return open != nullptr && ended.contains(open->record.id.value);
}

}  // namespace

Store::Store(std::unique_ptr<detail::Connection> connection) : connection_(std::move(connection)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Result<Store> Store::open(const Target& target, const SealKey& key) {
  return open(target, key, nullptr);
}

Result<Store> Store::open_alone(const Target& target, const SealKey& key, const Claim& claim) {
  return open(target, key, std::make_unique<detail::Hold>(target, claim));
}

Result<Store> Store::open(const Target& target, const SealKey& key, std::unique_ptr<detail::Hold> hold) {
  auto sql = guarded([&] { return detail::connect(target); });
  if (!sql) return std::unexpected(sql.error());
  // The tables of a server that runs are not changed beneath it.
  if (auto done = guarded([&] { return hold ? hold->take(**sql) : void(); }); !done)
    return std::unexpected(done.error());
  if (auto done = detail::migrate(**sql, detail::dialect_of(target)); !done)
    return std::unexpected(done.error());
  if (auto done = check_key(**sql, key); !done) return std::unexpected(done.error());
  auto connection = guarded([&] {
    if (hold) hold->sign(**sql);
    return std::make_unique<detail::Connection>(std::move(*sql), target, key, std::move(hold));
  });
  if (!connection) return std::unexpected(connection.error());
  return Store(std::move(*connection));
}

Result<void> Store::apply(std::span<const ports::Change> changes) {
  return connection_->in_transaction([&](soci::session&) {
    for (const ports::Change& change : changes) connection_->writers().write(change);
    connection_->writers().journal().flush();
  });
}

Result<void> Store::apply(std::span<const ports::Persist> batches, std::vector<events::StoredEvent>* told) {
  auto done = connection_->in_transaction([&](soci::session&) {
    detail::Writers& writers = connection_->writers();
    if (told != nullptr) told->clear();
    writers.journal().tell(told);
    const EndedCalls ended = ended_in(batches);
    for (const ports::Persist& batch : batches) {
      for (const ports::Change& change : batch.changes) {
        if (!is_overtaken(change, ended)) writers.write(change);
      }
    }
    writers.journal().flush();
    writers.journal().tell(nullptr);
  });
  if (!done && told != nullptr) told->clear();
  return done;
}

std::uint64_t Store::journal_end() const {
  return connection_->journal_end();
}

Result<std::vector<model::Extension>> Store::load_extensions() {
  return connection_->run(
      [&](soci::session& sql) { return detail::read_extensions(sql, connection_->key()); });
}

Result<std::vector<model::Binding>> Store::load_bindings(Instant now) {
  return connection_->run([&](soci::session& sql) {
    const long long now_ns = now.since_epoch().count();
    detail::run_once(sql, "DELETE FROM bindings WHERE expires_at <= :now", soci::use(now_ns));
    return detail::read_bindings(sql, now);
  });
}

Result<std::size_t> Store::close_open_calls(Instant now, Rng& rng, std::string_view reason) {
  std::size_t closed = 0;
  const auto done = connection_->in_transaction([&](soci::session& sql) {
    detail::JournalWriter& journal = connection_->writers().journal();
    closed = detail::end_open_calls(sql, journal, {now, rng, reason});
    journal.flush();
  });
  if (!done) return std::unexpected(done.error());
  return closed;
}

Result<std::vector<model::CallRecord>> Store::call_records(const CallFilter& filter) {
  return connection_->run([&](soci::session& sql) { return detail::read_calls(sql, filter); });
}

Result<std::optional<std::string>> Store::meta(std::string_view name) {
  return connection_->run([&](soci::session& sql) -> std::optional<std::string> {
    const std::string key(name);
    std::string value;
    const bool known =
        detail::run_once(sql, "SELECT value FROM meta WHERE name = :name", soci::use(key), soci::into(value));
    return known ? std::optional(value) : std::nullopt;
  });
}

Result<void> Store::set_meta(std::string_view name, std::string_view value) {
  return connection_->run([&](soci::session& sql) {
    std::string key;
    std::string text;
    detail::assign_clean(key, name);
    detail::assign_clean(text, value);
    detail::run_once(sql,
                     "INSERT INTO meta (name, value) VALUES (:name, :value)"
                     " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                     soci::use(key), soci::use(text));
  });
}

Result<void> Store::backup(const std::filesystem::path& to) {
  if (const auto* server = std::get_if<Postgresql>(&connection_->target())) {
    return std::unexpected(
        Failure{FailureKind::kRefused, "PostgreSQL is copied with its own tool: pg_dump -h " + server->host +
                                           " -p " + std::to_string(server->port) + " -U " + server->user +
                                           " " + server->name});
  }
  // SQLite fills an empty file; made here, it is nobody else's to read and overwrites nothing.
  const int fd = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    const int why = errno;
    std::string sentence = to.string() + " cannot be written: " + std::strerror(why);
    if (why == EEXIST) sentence = to.string() + " exists already, and a backup overwrites nothing";
    if (why == ENOENT) sentence = "the directory " + to.parent_path().string() + " does not exist";
    return std::unexpected(Failure{FailureKind::kRefused, std::move(sentence)});
  }
  ::close(fd);
  return connection_->run([&](soci::session& sql) {
    const std::string path = to.string();
    detail::run_once(sql, "VACUUM INTO :path", soci::use(path));
  });
}

int Store::schema_version() const {
  return newest_version();
}

}  // namespace bw::store
