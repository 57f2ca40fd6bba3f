#include "server/logins.h"

#include <memory>
#include <new>
#include <utility>

#include "access/password_hash.h"
#include "store/access.h"

namespace bw::server {

Logins::Logins(Surroundings surroundings, access::Records&& records, const config::Config& config)
    : around_(surroundings),
      audit_(surroundings.store, surroundings.log, surroundings.data_directory, config.security.audit) {
  access_.restore(std::move(records), around_.clock.now());
  configure(config);
}

// Whoever takes something out of the audit log is written down by it first: the entry of the request that
// does so comes at the end of this turn.
void Logins::configure(const config::Config& config) {
  access_.configure({config.security.rate_limit, config.security.trusted_networks, config.api.cors_origins});
  const config::Audit& audit = config.security.audit;
  if (!audit_.would_lessen(audit)) return audit_.configure(audit, around_.clock.now());
  around_.front.post([this, audit] { audit_.configure(audit, around_.clock.now()); });
}

void Logins::keep(std::vector<access::Change>&& given, api::Services::OnDone on_done) {
  if (given.empty()) return on_done(true);
  const auto changes = std::make_shared<const std::vector<access::Change>>(std::move(given));
  access_.begin(*changes);
  const bool taken =
      around_.store.ask([this, changes, on_done = std::move(on_done)](store::Store& s) mutable {
        const auto result = store::AccessTables{s}.apply(*changes);
        around_.store.note(result);
        around_.front.post([this, ok = result.has_value(), changes, on_done = std::move(on_done)]() mutable {
          ok ? access_.apply(*changes) : access_.give_up(*changes);
          on_done(ok);
        });
      });
  if (!taken) access_.give_up(*changes);
}

void Logins::verify(std::string hash, Secret<std::string> password, api::Services::OnVerified on_verified) {
  if (!around_.jobs.has_room()) return on_verified(std::nullopt);
  around_.jobs.run([this, hash = std::move(hash), password = std::move(password),
                    on_verified = std::move(on_verified)]() mutable {
    const bool good = access::is_password(hash, password);
    around_.front.post([good, on_verified = std::move(on_verified)]() mutable { on_verified(good); });
  });
}

void Logins::hash(Secret<std::string> password, api::Services::OnHashed on_hashed) {
  if (!around_.jobs.has_room()) return on_hashed(std::nullopt);
  std::array<std::byte, access::kSaltBytes> salt{};
  around_.rng.fill(salt);
  around_.jobs.run([this, salt, password = std::move(password), on_hashed = std::move(on_hashed)]() mutable {
    std::optional<Secret<std::string>> hash;
    try {
      hash.emplace(access::hash_password(password, salt));
    } catch (const std::bad_alloc&) {
      around_.log.error("there is no memory for a password hash");
    }
    around_.front.post(
        [hash = std::move(hash), on_hashed = std::move(on_hashed)]() mutable { on_hashed(std::move(hash)); });
  });
}

void Logins::read_audit(const api::AuditQuery& query, api::Services::OnAudit on_audit) {
  around_.store.ask([this, query, on_audit = std::move(on_audit)](store::Store& s) mutable {
    auto result = store::AccessTables{s}.audit({query.limit, query.before, query.who, query.action});
    std::optional<std::vector<access::AuditEntry>> entries;
    if (result) entries = std::move(*result);
    around_.front.post([entries = std::move(entries), on_audit = std::move(on_audit)]() mutable {
      on_audit(std::move(entries));
    });
  });
}

}  // namespace bw::server
