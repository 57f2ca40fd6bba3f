#include "store/store.h"

#include <fcntl.h>
#include <soci/soci.h>
#include <unistd.h>

#include <utility>

#include "store/detail/readers.h"
#include "store/detail/session.h"
#include "store/detail/text.h"
#include "store/detail/writers.h"
#include "store/migrations.h"

namespace bw::store {

using detail::guarded;

struct Store::Impl {
  Target target;
  SealKey key;
  Dialect dialect;
  std::unique_ptr<soci::session> sql{};
  std::unique_ptr<detail::Writers> writers{};  // after sql: they go first

  // Throws soci::soci_error.
  void need_connection() {
    if (!sql) sql = detail::connect(target);
    if (!writers) writers = std::make_unique<detail::Writers>(*sql, key);
  }

  // What failed is not used again: SOCI does not release the values of a statement that failed when it is run
  // once more, and a server that is away takes all that was prepared with it.
  void note(const Failure& failure) {
    writers.reset();
    if (dialect == Dialect::kPostgresql && failure.kind == FailureKind::kUnavailable) sql.reset();
  }

  template <typename F>
  auto run(F&& body) {
    auto result = guarded([&] {
      need_connection();
      return body();
    });
    if (!result) note(result.error());
    return result;
  }

  template <typename F>
  Result<void> in_transaction(F&& body) {
    auto result = run([&] {
      sql->begin();
      body();
      sql->commit();
    });
    // SQLite undoes some failed transactions by itself; then there is nothing to roll back, which is an
    // error.
    if (!result && sql) static_cast<void>(guarded([&] { sql->rollback(); }));
    return result;
  }
};

namespace {

constexpr std::string_view kKeyCheck = "key_check";

// The first start seals a word; every later one must be able to open it.
Result<void> check_key(soci::session& sql, const SealKey& key) {
  std::string sealed;
  const std::string name(kKeyCheck);
  const auto read = guarded([&] {
    sql << "SELECT value FROM meta WHERE name = :name", soci::use(name), soci::into(sealed);
    if (sql.got_data()) return true;
    sealed = key.seal("bellwire", kKeyCheck);
    sql << "INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING",
        soci::use(name), soci::use(sealed);
    sql << "SELECT value FROM meta WHERE name = :name", soci::use(name), soci::into(sealed);
    return sql.got_data();
  });
  if (!read) return std::unexpected(read.error());
  if (key.open(sealed, kKeyCheck) == "bellwire") return {};
  return std::unexpected(
      Failure{FailureKind::kWrongKey,
              "secret.key in the data directory is not the key this database was sealed with; put the right "
              "one back (it belongs into every backup)"});
}

}  // namespace

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Result<Store> Store::open(const Target& target, const SealKey& key) {
  auto impl =
      std::make_unique<Impl>(Impl{.target = target, .key = key, .dialect = detail::dialect_of(target)});
  auto sql = guarded([&] { return detail::connect(target); });
  if (!sql) return std::unexpected(sql.error());
  if (auto done = detail::migrate(**sql, impl->dialect); !done) return std::unexpected(done.error());
  if (auto done = check_key(**sql, key); !done) return std::unexpected(done.error());
  impl->sql = std::move(*sql);
  auto prepared = guarded([&] { impl->writers = std::make_unique<detail::Writers>(*impl->sql, impl->key); });
  if (!prepared) return std::unexpected(prepared.error());
  return Store(std::move(impl));
}

Result<void> Store::apply(std::span<const ports::Change> changes) {
  return impl_->in_transaction([&] {
    for (const ports::Change& change : changes) impl_->writers->write(change);
  });
}

Result<void> Store::apply(std::span<const ports::Persist> batches) {
  return impl_->in_transaction([&] {
    for (const ports::Persist& batch : batches) {
      for (const ports::Change& change : batch.changes) impl_->writers->write(change);
    }
  });
}

Result<std::vector<model::Extension>> Store::load_extensions() {
  return impl_->run([&] { return detail::read_extensions(*impl_->sql, impl_->key); });
}

Result<std::vector<model::Binding>> Store::load_bindings(Instant now) {
  return impl_->run([&] {
    const long long now_ns = now.since_epoch().count();
    *impl_->sql << "DELETE FROM bindings WHERE expires_at <= :now", soci::use(now_ns);
    return detail::read_bindings(*impl_->sql, now);
  });
}

Result<std::size_t> Store::close_open_calls(Instant now, std::string_view reason) {
  return impl_->run([&] {
    const long long now_ns = now.since_epoch().count();
    std::string sentence;
    detail::assign_clean(sentence, reason);
    // Not before its start, should the clock have been set back meanwhile.
    soci::statement close =
        (impl_->sql->prepare
             << "UPDATE call_records SET ended_at = CASE WHEN started_at > :now THEN started_at ELSE :end "
                "END,"
                " disposition = CASE WHEN answered_at IS NULL THEN 'failed' ELSE 'answered' END,"
                " hangup_by = 'system', reason = :reason WHERE ended_at IS NULL",
         soci::use(now_ns), soci::use(now_ns), soci::use(sentence));
    close.execute(true);
    return static_cast<std::size_t>(close.get_affected_rows());
  });
}

Result<std::vector<model::CallRecord>> Store::call_records(const CallFilter& filter) {
  return impl_->run([&] { return detail::read_calls(*impl_->sql, filter); });
}

Result<std::optional<std::string>> Store::meta(std::string_view name) {
  return impl_->run([&]() -> std::optional<std::string> {
    const std::string key(name);
    std::string value;
    *impl_->sql << "SELECT value FROM meta WHERE name = :name", soci::use(key), soci::into(value);
    if (!impl_->sql->got_data()) return std::nullopt;
    return value;
  });
}

Result<void> Store::set_meta(std::string_view name, std::string_view value) {
  return impl_->run([&] {
    std::string key;
    std::string text;
    detail::assign_clean(key, name);
    detail::assign_clean(text, value);
    *impl_->sql << "INSERT INTO meta (name, value) VALUES (:name, :value)"
                   " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        soci::use(key), soci::use(text);
  });
}

Result<void> Store::backup(const std::filesystem::path& to) {
  if (const auto* server = std::get_if<Postgresql>(&impl_->target)) {
    return std::unexpected(
        Failure{FailureKind::kRefused, "PostgreSQL is copied with its own tool: pg_dump -h " + server->host +
                                           " -p " + std::to_string(server->port) + " -U " + server->user +
                                           " " + server->name});
  }
  // SQLite fills an empty file; made here, it is nobody else's to read and overwrites nothing.
  const int fd = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    return std::unexpected(
        Failure{FailureKind::kRefused, to.string() + ": exists already or cannot be written"});
  }
  ::close(fd);
  return impl_->run([&] {
    const std::string path = to.string();
    *impl_->sql << "VACUUM INTO :path", soci::use(path);
  });
}

int Store::schema_version() const {
  return newest_version();
}

}  // namespace bw::store
