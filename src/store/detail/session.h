// A connection to one of the two databases, and the errors of both in our words.
#pragma once

#include <soci/soci.h>

#include <memory>
#include <string>
#include <utility>

#include "store/migrations.h"
#include "store/store.h"

namespace bw::store::detail {

Dialect dialect_of(const Target& target);

// Throws soci::soci_error; configured for one thread that writes in batches. (SOCI sessions cannot be moved.)
std::unique_ptr<soci::session> connect(const Target& target);

// Brings the schema to newest_version() in one transaction.
Result<void> migrate(soci::session& sql, Dialect dialect);

// For what is found out between two statements.
class FailureThrown : public soci::soci_error {
 public:
  explicit FailureThrown(Failure failure) : soci_error(failure.sentence), failure_(std::move(failure)) {}
  const Failure& failure() const { return failure_; }

 private:
  Failure failure_;
};

// The library's message without its context, which would quote the values of the statement.
Failure failure_of(const soci::soci_error& error);

// Runs `body`, whose soci_error becomes a Failure.
template <typename F>
auto guarded(F&& body) -> Result<decltype(body())> {
  try {
    if constexpr (std::is_void_v<decltype(body())>) {
      body();
      return {};
    } else {
      return body();
    }
  } catch (const soci::soci_error& error) {
    return std::unexpected(failure_of(error));
  }
}

}  // namespace bw::store::detail
