// Requests of whoever reaches the API: every one is answered exactly once, never with an error of ours, and
// nothing malformed becomes a change.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "access/credentials.h"
#include "api/gate.h"

namespace {

using namespace bw;  // a program of one file

class Office final : public api::Services {
 public:
  Office() {
    model::Directory d;
    d.extensions["1001"].number = model::ExtensionNumber{"1001"};
    directory_ = std::make_shared<const model::Directory>(std::move(d));
  }
  void ask(ports::Request&&, OnReply on_reply) override { on_reply(ports::Done{}); }
  model::DirectorySnapshot directory() const override { return directory_; }
  void change(ports::Change&& change, OnDone on_done) override {
    if (const auto* save = std::get_if<ports::SaveExtension>(&change)) {
      const std::string& number = save->extension.number.value;
      if (number.size() < 2 || number.size() > 10 || number.find_first_not_of("0123456789") != number.npos) {
        std::abort();
      }
    }
    on_done(true);
  }
  void call_records(const api::RecordQuery& query, OnRecords on_records) override {
    if (query.limit < 1 || query.limit > 1'000) std::abort();
    on_records(std::vector<model::CallRecord>{});
  }
  void webhooks(webhooks::Wish&&, OnWebhooks on_answer) override { on_answer(webhooks::Listed{}); }
  void reload(OnReloaded on_reloaded) override { on_reloaded({}); }
  void backup(const std::string& file, OnBackup on_backup) override {
    if (file.empty() || file.front() != '/') std::abort();
    on_backup(std::nullopt);
  }
  access::Access& access() override { return access_; }
  void keep(std::vector<access::Change>&& changes, OnDone on_done) override {
    access_.apply(changes);
    on_done(true);
  }
  void verify_password(std::string, Secret<std::string>, OnVerified on_verified) override {
    on_verified(true);
  }
  void hash_password(Secret<std::string> password, OnHashed on_hashed) override {
    on_hashed(Secret{password.reveal()});
  }
  void audit(access::AuditEntry&& entry) override {
    if (entry.who.empty() || entry.action.empty()) std::abort();
  }
  void audit_log(const api::AuditQuery& query, OnAudit on_audit) override {
    if (query.limit < 1 || query.limit > 1'000) std::abort();
    on_audit(std::vector<access::AuditEntry>{});
  }
  void tell(events::Event&&) override {}
  api::PasswordRules password_rules() const override { return {}; }
  Rng& rng() override { return rng_; }
  // Moves on, so that neither limits nor lockouts end the search.
  Instant moment() const override { return Instant{Duration{++seconds_ * 1'000'000'000}}; }

 private:
  model::DirectorySnapshot directory_;
  SeededRng rng_{1};
  access::Access access_;
  mutable std::int64_t seconds_ = 0;
};

std::string take_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  std::string line(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

// "Name: value" lines until an empty one.
void take_headers(std::string_view& rest, http::Request& request) {
  for (std::string line = take_line(rest); !line.empty(); line = take_line(rest)) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    request.headers.emplace_back(line.substr(0, colon), line.substr(colon + 1));
  }
}

// What the parsers of credentials promise of any text.
void check_credentials(std::string_view text) {
  if (const auto cookie = access::cookie_of(text, access::kCookieName);
      cookie && (cookie->empty() || cookie->find_first_of("; ,\"") != cookie->npos)) {
    std::abort();
  }
  if (const auto token = access::bearer_of(text); token && text.find(*token) == text.npos) std::abort();
  if (access::is_origin_of(text, "bellwire:8080", false) && text.find("//") == text.npos) std::abort();
}

}  // namespace

// Line by line: "operator", or anything for the network; method, path, query, headers, an empty line, the
// body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Office office;
  static api::Gate gate(office);
  std::string_view rest{reinterpret_cast<const char*>(data), size};
  const bool local = take_line(rest) == "operator";
  http::Request request;
  request.method = take_line(rest);
  request.path = take_line(rest);
  request.query = take_line(rest);
  take_headers(rest, request);
  request.body = rest;
  check_credentials(request.header("cookie"));
  check_credentials(request.header("authorization"));
  check_credentials(request.header("origin"));
  int answers = 0;
  int status = 0;
  auto respond = [&](http::Response&& response) {
    ++answers;
    status = response.status;
  };
  if (local) {
    gate.from_operator(std::move(request), respond);
  } else {
    gate.from_network(std::move(request), respond);
  }
  if (answers != 1 || status < 200 || status >= 500) std::abort();
  return 0;
}
