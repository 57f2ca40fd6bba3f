// Logins as the server keeps them: what access::Access decides is stored, hashed and written down here.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "access/access.h"
#include "api/services.h"
#include "config/config.h"
#include "io/clock.h"
#include "io/front.h"
#include "server/audit_log.h"
#include "server/jobs.h"
#include "server/log.h"
#include "store/store_thread.h"

namespace bw::server {

// Lives on the front thread.
class Logins {
 public:
  struct Surroundings {
    io::Front& front;
    store::StoreThread& store;
    Jobs& jobs;
    const io::Clock& clock;
    Rng& rng;
    Log& log;
    const std::filesystem::path& data_directory;
  };
  // Throws std::runtime_error if the audit file cannot be opened (start-up).
  Logins(Surroundings surroundings, access::Records&& records, const config::Config& config);

  void configure(const config::Config& config);
  access::Access& access() { return access_; }
  void keep(std::vector<access::Change>&& changes, api::Services::OnDone on_done);
  void verify(std::string hash, Secret<std::string> password, api::Services::OnVerified on_verified);
  void hash(Secret<std::string> password, api::Services::OnHashed on_hashed);
  void audit(access::AuditEntry&& entry) { audit_.write(std::move(entry)); }
  void look_after() { audit_.look_after(around_.clock.now()); }  // every second or so
  void read_audit(const api::AuditQuery& query, api::Services::OnAudit on_audit);

 private:
  Surroundings around_;
  access::Access access_;
  AuditLog audit_;
};

}  // namespace bw::server
