#include "server/administration.h"

#include <utility>

#include "base/uuid.h"
#include "server/opening.h"

namespace bw::server {
namespace {

constexpr std::size_t kMostWaiting = 1'000;

ports::Reply too_busy() {
  return ports::Refused{503, "busy", "The server is too busy."};
}

}  // namespace

Administration::Administration(Surroundings surroundings, model::DirectorySnapshot directory,
                               access::Records&& records, const config::Config& config)
    : surroundings_(std::move(surroundings)),
      directory_(std::move(directory)),
      rules_(server::password_rules(config)),
      logins_({surroundings_.front, surroundings_.store, surroundings_.jobs, surroundings_.clock, rng_,
               surroundings_.log, surroundings_.data_directory},
              std::move(records), config) {}

void Administration::configure(const config::Config& config) {
  rules_ = server::password_rules(config);
  logins_.configure(config);
}

void Administration::served(std::string_view operation, int status) {
  if (operations_ != nullptr) operations_->served(operation, status);
}

void Administration::tell(events::Event&& event) {
  const Instant now = moment();
  if (const auto* lockout = std::get_if<events::SecurityLockout>(&event))  // as that of a phone
    surroundings_.log.warning("locked out {} for {} s after {} wrong passwords", lockout->subject,
                              lockout->seconds, lockout->attempts);
  surroundings_.store.persist(
      {{}, {ports::Tell{{events::EventId{uuid_v7(now, rng_)}, now, 0, std::move(event)}}}});
}

void Administration::ask(ports::Request&& request, OnReply on_reply) {
  const ports::RequestId id{++last_request_};
  if (waiting_.size() >= kMostWaiting || !surroundings_.inbox.push(exchange::Asked{id, std::move(request)})) {
    return on_reply(too_busy());
  }
  waiting_.emplace(id, std::move(on_reply));
}

void Administration::answered(ports::Answered&& answer) {
  surroundings_.front.post([this, a = std::move(answer)]() mutable {
    auto node = waiting_.extract(a.id);
    if (!node.empty()) node.mapped()(std::move(a.reply));
  });
}

void Administration::change(ports::Change&& change, OnDone on_done) {
  auto work = [this, change = std::move(change), on_done = std::move(on_done)](store::Store& store) mutable {
    const auto result = store.apply(std::span{&change, 1});
    surroundings_.store.note(result);
    surroundings_.front.post(
        [this, ok = result.has_value(), change = std::move(change), on_done = std::move(on_done)]() mutable {
          if (ok) apply(change);
          on_done(ok);
        });
  };
  // A refused question is destroyed together with its callback, and the HTTP session then says 503.
  surroundings_.store.ask(std::move(work));
}

// The snapshot is replaced whole: whoever holds the old one keeps a consistent view.
void Administration::apply(const ports::Change& change) {
  model::Directory next = *directory_;
  if (const auto* save = std::get_if<ports::SaveExtension>(&change)) {
    next.extensions.insert_or_assign(save->extension.number.value, save->extension);
  } else if (const auto* drop = std::get_if<ports::DropExtension>(&change)) {
    next.extensions.erase(drop->number.value);
  }
  known(std::move(next));
}

void Administration::known(model::Directory&& next) {
  directory_ = std::make_shared<const model::Directory>(std::move(next));
  surroundings_.inbox.push_always(exchange::DirectoryChanged{directory_});
}

void Administration::call_records(const api::RecordQuery& query, OnRecords on_records) {
  surroundings_.store.ask([this, query, on_records = std::move(on_records)](store::Store& store) mutable {
    store::CallFilter filter;
    filter.limit = query.limit;
    filter.extension = query.extension;
    filter.before = query.before;
    filter.from = query.from;
    if (query.beyond) filter.beyond = {query.beyond->started, query.beyond->call_id};
    auto result = store.call_records(filter);
    std::optional<std::vector<model::CallRecord>> records;
    if (result) records = std::move(*result);
    surroundings_.front.post([records = std::move(records), on_records = std::move(on_records)]() mutable {
      on_records(std::move(records));
    });
  });
}

void Administration::reload(OnReloaded on_reloaded) {
  on_reloaded(surroundings_.reload(*this));
}

void Administration::backup(const std::string& file, OnBackup on_backup) {
  surroundings_.store.ask([this, file, on_backup = std::move(on_backup)](store::Store& store) mutable {
    const auto result = store.backup(file);
    std::optional<std::string> why_not;
    if (!result) why_not = result.error().sentence;
    surroundings_.front.post([why_not = std::move(why_not), on_backup = std::move(on_backup)]() mutable {
      on_backup(std::move(why_not));
    });
  });
}

void Administration::webhooks(webhooks::Wish&& wish, OnWebhooks on_answer) {
  surroundings_.webhooks.ask(
      std::move(wish), [this, on_answer = std::move(on_answer)](webhooks::Answer&& answer) mutable {
        surroundings_.front.post([answer = std::move(answer), on_answer = std::move(on_answer)]() mutable {
          on_answer(std::move(answer));
        });
      });
}

}  // namespace bw::server
