// Requests of whoever reaches the API: every one is answered exactly once, never with an error of ours, and
// nothing malformed becomes a change.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "api/router.h"

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
  api::PasswordRules password_rules() const override { return {}; }
  Rng& rng() override { return rng_; }
  Instant moment() const override { return {}; }

 private:
  model::DirectorySnapshot directory_;
  SeededRng rng_{1};
};

std::string take_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  std::string line(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Office office;
  std::string_view rest{reinterpret_cast<const char*>(data), size};
  http::Request request;
  request.method = take_line(rest);
  request.path = take_line(rest);
  request.query = take_line(rest);
  request.body = rest;
  int answers = 0;
  int status = 0;
  api::route(api::routes(), office, std::move(request), access::Principal::from_operator(),
             [&](http::Response&& response) {
               ++answers;
               status = response.status;
             });
  if (answers != 1 || status < 200 || status >= 500) std::abort();
  return 0;
}
