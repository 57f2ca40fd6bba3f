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
    std::function<api::ReloadOutcome(Administration&)> reload;
  };
  Administration(Surroundings surroundings, model::DirectorySnapshot directory,
                 const api::PasswordRules& rules);

  void ask(ports::Request&& request, OnReply on_reply) override;
  model::DirectorySnapshot directory() const override { return directory_; }
  void change(ports::Change&& change, OnDone on_done) override;
  void call_records(const api::RecordQuery& query, OnRecords on_records) override;
  void reload(OnReloaded on_reloaded) override;
  void backup(const std::string& file, OnBackup on_backup) override;
  void webhooks(webhooks::Wish&& wish, OnWebhooks on_answer) override;
  api::PasswordRules password_rules() const override { return rules_; }
  Rng& rng() override { return rng_; }
  Instant moment() const override { return surroundings_.clock.now(); }

  api::LiveStream* live() override { return live_; }

  void set_live(api::LiveStream& stream) { live_ = &stream; }
  void set_password_rules(const api::PasswordRules& rules) { rules_ = rules; }
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
  std::uint64_t last_request_ = 0;
  std::unordered_map<ports::RequestId, OnReply> waiting_;
};

}  // namespace bw::server
