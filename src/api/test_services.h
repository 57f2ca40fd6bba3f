// The system in memory, for tests of the handlers and of what stands before them.
#pragma once

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <memory>

#include "api/router.h"

namespace bw::api {

namespace json = boost::json;

inline constexpr Instant kNow{std::chrono::seconds{1'800'000'000}};

// Answers at once, remembers what it was asked.
class FakeServices : public Services {
 public:
  FakeServices() {
    model::Directory d;
    model::Extension alice;
    alice.number = model::ExtensionNumber{"1001"};
    alice.name = Personal<std::string>{"Alice"};
    alice.credentials = credentials_of("1001", Secret<std::string>{"Very-Secret-1"});
    d.extensions.emplace("1001", alice);
    directory_ = std::make_shared<const model::Directory>(std::move(d));
  }

  void ask(ports::Request&& request, OnReply on_reply) override {
    asked = request;
    if (std::holds_alternative<ports::ListPhones>(request)) {
      model::Binding b;
      b.extension = model::ExtensionNumber{"1001"};
      b.contact = "sip:1001@192.0.2.7:5070";
      b.user_agent = "Phone \"X\"";
      b.flow = {sip::Transport::kTls, {}, {}, *Endpoint::parse("192.0.2.7:5070")};
      b.expires_at = kNow;
      return on_reply(ports::Phones{{b}});
    }
    on_reply(std::move(reply));
  }
  model::DirectorySnapshot directory() const override { return directory_; }
  void change(ports::Change&& change, OnDone on_done) override {
    changes.push_back(std::move(change));
    on_done(database_works);
  }
  void call_records(const RecordQuery& query, OnRecords on_records) override {
    record_query = query;
    if (!database_works) return on_records(std::nullopt);
    model::CallRecord r;
    r.id = model::CallId{"c-1"};
    r.from_extension = "1001";
    r.started = kNow;
    r.answered = kNow + std::chrono::seconds{5};
    r.ended = kNow + std::chrono::seconds{65};
    r.disposition = model::Disposition::kAnswered;
    on_records(std::vector{r});
  }
  void webhooks(webhooks::Wish&& wish, OnWebhooks on_answer) override {
    webhook_wish = std::move(wish);
    on_answer(webhooks::Answer(webhook_answer));
  }
  void reload(OnReloaded on_reloaded) override { on_reloaded(ReloadOutcome{reload_outcome}); }
  void backup(const std::string& file, OnBackup on_backup) override {
    backup_file = file;
    on_backup(database_works ? std::nullopt : std::optional<std::string>{"the disk is full"});
  }
  access::Access& access() override { return access_of_all; }
  void keep(std::vector<access::Change>&& given, OnDone on_done) override {
    access_of_all.begin(given);
    auto stored = [this, given = std::move(given), on_done = std::move(on_done)]() mutable {
      database_works ? access_of_all.apply(given) : access_of_all.give_up(given);
      on_done(database_works);
    };
    if (store_waits) return waiting_stores.push_back(std::move(stored));
    stored();
  }
  void verify_password(std::string hash, Secret<std::string> password, OnVerified on_verified) override {
    if (no_room_for_jobs) return on_verified(std::nullopt);
    ++hashes;
    if (jobs_wait) return waiting.push_back(std::move(on_verified));
    on_verified(hash == "hash of " + password.reveal());
  }
  void hash_password(Secret<std::string> password, OnHashed on_hashed) override {
    auto hashed = [hash = "hash of " + password.reveal(), on_hashed = std::move(on_hashed)]() mutable {
      on_hashed(Secret{std::move(hash)});
    };
    if (jobs_wait) return waiting_hashes.push_back(std::move(hashed));
    hashed();
  }
  void audit(access::AuditEntry&& entry) override { audited.push_back(std::move(entry)); }
  void audit_log(const AuditQuery& query, OnAudit on_audit) override {
    audit_query = query;
    on_audit(audited);
  }
  void tell(events::Event&& event) override { told.push_back(std::move(event)); }
  PasswordRules password_rules() const override { return {}; }
  Rng& rng() override { return rng_; }
  Instant moment() const override { return moment_; }

  access::Access access_of_all;
  std::vector<access::AuditEntry> audited;
  AuditQuery audit_query;
  std::vector<events::Event> told;
  int hashes = 0;
  bool jobs_wait = false;
  bool no_room_for_jobs = false;
  std::vector<OnVerified> waiting;
  std::vector<std::move_only_function<void()>> waiting_hashes;
  bool store_waits = false;
  std::vector<std::move_only_function<void()>> waiting_stores;
  Instant moment_ = kNow + std::chrono::seconds{90};

  ports::Request asked;
  ports::Reply reply = ports::Done{};
  std::vector<ports::Change> changes;
  RecordQuery record_query;
  ReloadOutcome reload_outcome{true, {}, {"server.sip_port"}};
  std::string backup_file;
  webhooks::Wish webhook_wish;
  webhooks::Answer webhook_answer = webhooks::Listed{};
  bool database_works = true;

 private:
  model::DirectorySnapshot directory_;
  SeededRng rng_{7};
};

struct Answer {
  int status = 0;
  std::string text;
  json::value value;
  std::vector<std::pair<std::string, std::string>> headers;
};

inline Answer call(FakeServices& services, std::string method, std::string target, std::string body = {},
                   const access::Principal& principal = access::Principal::from_operator()) {
  Answer answer;
  const std::size_t question = target.find('?');
  http::Request request{std::move(method), target.substr(0, question),
                        question == std::string::npos ? "" : target.substr(question + 1), std::move(body)};
  int times = 0;
  if (principal.way != access::Way::kOperator)
    request.headers.emplace_back("content-type", "application/json");
  route(routes(), services, std::move(request), principal, [&](http::Response&& r) {
    ++times;
    answer = {r.status, r.body, json::parse(r.body), r.headers};
  });
  EXPECT_EQ(times, 1);
  return answer;
}

inline access::Principal as(access::Role role, std::string extension = {}) {
  access::Principal p;
  p.way = access::Way::kToken;
  p.role = role;
  p.extension = std::move(extension);
  return p;
}

}  // namespace bw::api
