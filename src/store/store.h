// The database as the rest of the program sees it: changes go in, plain values come out. SQLite or PostgreSQL
// behind one SQL text (SOCI).
//
// Owner: one thread at a time; server-side that is StoreThread. Calls block on the disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/rng.h"
#include "base/secret.h"
#include "base/time.h"
#include "events/stored.h"
#include "model/binding.h"
#include "model/call_record.h"
#include "model/extension.h"
#include "ports/persistence.h"
#include "store/seal.h"

namespace bw::store {

struct Sqlite {
  std::string path;  // ":memory:" for a database that nobody keeps
};
struct Postgresql {
  std::string host;  // a directory: its Unix socket
  std::uint16_t port = 5432;
  std::string name;
  std::string user;
  Secret<std::string> password;
};
using Target = std::variant<Sqlite, Postgresql>;

enum class FailureKind : std::uint8_t {
  kUnavailable,  // busy, disk full, connection lost: the same may work later
  kRefused,      // a constraint, an unreadable value: the same will fail again
  kNewerSchema,  // written by a later version of this program
  kWrongKey,     // secret.key is not the one this database was sealed with
  kHeld,         // another server uses it, or has used it since: not before this one is started again
};

struct Failure {
  FailureKind kind = FailureKind::kUnavailable;
  std::string sentence;  // for the log; never a credential, a password or the values of a statement
};

template <typename T>
using Result = std::expected<T, Failure>;

// How a server asks for a database that it wants for itself.
struct Claim {
  // A server that was killed holds it until PostgreSQL has ended what it was asked for last.
  Duration patience = 10s;
  std::function<void(const std::string& sentence)> on_wait = {};  // once, with who has it
};

struct CallFilter {
  std::size_t limit = 100;             // at most kMaxLimit
  std::optional<Instant> before = {};  // started before
  std::string extension = {};          // as caller or callee; empty: all
  std::optional<Instant> from = {};    // started then or later
  // Where the page before ended: several calls may have started at one moment.
  struct Place {
    Instant started;
    std::string call_id;
  };
  std::optional<Place> beyond = {};
  static constexpr std::size_t kMaxLimit = 1000;
};

namespace detail {
class Connection;
class Hold;
}  // namespace detail

class Store {
 public:
  // Connects and brings the schema up to date, all migrations in one transaction.
  // For commands: beside a server that runs.
  static Result<Store> open(const Target& target, const SealKey& key);
  // For the server: nobody else opens it so before this one is gone (docs/decisions/055). Should another have
  // done it after all, while PostgreSQL was out of reach, everything fails from then on (kHeld).
  static Result<Store> open_alone(const Target& target, const SealKey& key, const Claim& claim = {});
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  // All of them or none. Closing a call record twice changes nothing the second time.
  Result<void> apply(std::span<const ports::Change> changes);
  // The events among them also go into `told`, with their numbers, if somebody wants to hear of them.
  Result<void> apply(std::span<const ports::Persist> batches,
                     std::vector<events::StoredEvent>* told = nullptr);

  Result<std::vector<model::Extension>> load_extensions();
  // Those that have not expired; the others are removed.
  Result<std::vector<model::Binding>> load_bindings(Instant now);
  // After a start: whatever is still open was cut off by the end of the last run. Each gets its end in the
  // journal too, with the reason "server_restart"; `reason` is the sentence of the record. Answers how many.
  Result<std::size_t> close_open_calls(Instant now, Rng& rng,
                                       std::string_view reason = "the server restarted during the call");
  // Newest first.
  Result<std::vector<model::CallRecord>> call_records(const CallFilter& filter);

  // Small facts that outlive a run.
  Result<std::optional<std::string>> meta(std::string_view name);
  Result<void> set_meta(std::string_view name, std::string_view value);

  // A consistent copy while the database is in use. PostgreSQL: refused, with the pg_dump command to use.
  Result<void> backup(const std::filesystem::path& to);
  int schema_version() const;
  // The number of the newest event that is certainly stored; 0 if there is none.
  std::uint64_t journal_end() const;

  // For the parts of the store that have a face of their own (store/journal.h).
  detail::Connection& connection() { return *connection_; }

 private:
  static Result<Store> open(const Target& target, const SealKey& key, std::unique_ptr<detail::Hold> hold);
  explicit Store(std::unique_ptr<detail::Connection> connection);
  std::unique_ptr<detail::Connection> connection_;
};

}  // namespace bw::store
