// The system as the API handlers see it: questions go to the exchange, changes through the database.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "api/services.h"
#include "config/config.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/front.h"
#include "server/control_thread.h"
#include "server/log.h"
#include "server/logins.h"
#include "server/operations.h"
#include "server/webhook_thread.h"
#include "store/store_thread.h"

namespace bw::server {

// Lives on the front thread; answered() alone may be called from another one.
class Administration final : public api::Services {
 public:
  struct Surroundings {
    io::Front& front;
    ControlInbox& inbox;
    store::StoreThread& store;
    WebhookThread& webhooks;
    const io::Clock& clock;
    Log& log;
    Jobs& jobs;
    const std::filesystem::path& data_directory;
    std::function<api::ReloadOutcome(Administration&)> reload;
  };
  Administration(Surroundings surroundings, model::DirectorySnapshot directory, access::Records&& records,
                 const config::Config& config);

  void ask(ports::Request&& request, OnReply on_reply) override;
  model::DirectorySnapshot directory() const override { return directory_; }
  void change(ports::Change&& change, OnDone on_done) override;
  void call_records(const api::RecordQuery& query, OnRecords on_records) override;
  void reload(OnReloaded on_reloaded) override;
  void backup(const std::string& file, OnBackup on_backup) override;
  void webhooks(webhooks::Wish&& wish, OnWebhooks on_answer) override;
  api::PasswordRules password_rules() const override { return rules_; }
  access::Access& access() override { return logins_.access(); }
  void keep(std::vector<access::Change>&& changes, OnDone on_done) override {
    logins_.keep(std::move(changes), std::move(on_done));
  }
  void verify_password(std::string hash, Secret<std::string> password, OnVerified on_verified) override {
    logins_.verify(std::move(hash), std::move(password), std::move(on_verified));
  }
  void hash_password(Secret<std::string> password, OnHashed on_hashed) override {
    logins_.hash(std::move(password), std::move(on_hashed));
  }
  void look_after() { logins_.look_after(); }  // every second or so
  void audit(access::AuditEntry&& entry) override { logins_.audit(std::move(entry)); }
  void audit_log(const api::AuditQuery& query, OnAudit on_audit) override {
    logins_.read_audit(query, std::move(on_audit));
  }
  void tell(events::Event&& event) override;
  Rng& rng() override { return rng_; }
  Instant moment() const override { return surroundings_.clock.now(); }

  api::LiveStream* live() override { return live_; }

  api::Operations* operations() override { return operations_; }
  void served(std::string_view operation, int status) override;

  void set_live(api::LiveStream& stream) { live_ = &stream; }
  void set_operations(ServerOperations& operations) { operations_ = &operations; }
  // What of the configuration concerns logins and passwords.
  void configure(const config::Config& config);
  // The exchange's reply to something asked here. Any thread.
  void answered(ports::Answered&& answer);

 private:
  void apply(const ports::Change& change);
  void known(model::Directory&& next);

  Surroundings surroundings_;
  model::DirectorySnapshot directory_;
  api::PasswordRules rules_;
  io::KernelRng rng_;
  api::LiveStream* live_ = nullptr;
  ServerOperations* operations_ = nullptr;
  Logins logins_;
  std::uint64_t last_request_ = 0;
  std::unordered_map<ports::RequestId, OnReply> waiting_;
};

}  // namespace bw::server
