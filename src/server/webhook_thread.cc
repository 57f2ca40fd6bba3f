#include "server/webhook_thread.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "api/version.h"
#include "base/core.h"
#include "io/entropy.h"
#include "io/http_client.h"
#include "io/inbox.h"
#include "io/outbound_address.h"
#include "store/journal.h"
#include "store/webhooks.h"
#include "webhooks/webhooks.h"

namespace bw::server {
namespace {

using Core = webhooks::Webhooks;

constexpr std::size_t kInboxCapacity = 10'000;
constexpr std::size_t kMostWaiting = 1'000;  // answers of the API
constexpr Duration kLoadAgain = 1s;
constexpr Duration kFarewell = 2s;  // for what is under way at the end

struct Wanted {
  webhooks::Wish wish;
  WebhookThread::OnAnswer on_answer;
};
struct Configured {
  webhooks::Settings settings;
  std::vector<Network> allow_networks;
  webhooks::Adopt subscriptions;
};
struct Unread {};  // the database did not tell what it holds
using Message = std::variant<Core::Input, Wanted, Configured, Unread>;

webhooks::Draft draft_of(const config::Subscription& s) {
  webhooks::Draft draft;
  draft.url = s.url;
  if (!s.events.empty()) draft.events = s.events;
  draft.enabled = s.enabled;
  draft.secret = s.secret;
  draft.headers.emplace();
  for (const auto& [name, value] : s.headers) draft.headers->emplace_back(name, value);
  return draft;
}

Configured configured(const config::Webhooks& c) {
  Configured out;
  out.settings = {.enabled = c.enabled,
                  .max_retries = c.max_retries,
                  .retry_delay = c.retry_delay,
                  .timeout = c.timeout,
                  .max_in_flight = c.max_in_flight,
                  .user_agent = "Bellwire-Webhook/" BW_VERSION};
  out.allow_networks = c.allow_networks;
  for (const config::Subscription& s : c.subscriptions) out.subscriptions.drafts.push_back(draft_of(s));
  return out;
}

}  // namespace

struct WebhookThread::Impl {
  Impl(Surroundings s, const config::Webhooks& config)
      : around(s), inbox(kInboxCapacity), core(rng, configured(config).settings) {
    client.watch(inbox.descriptor());
    inbox.push_always(configured(config));
  }

  void run();
  void take(Message&& message, Instant now);
  void on(Core::Input&& input, Instant now);
  void on(Wanted&& wanted, Instant now);
  void on(Configured&& next, Instant now);
  void on(Unread&&, Instant now) { restore_at = now + kLoadAgain; }
  void drain();
  void on(webhooks::ReadJournal&& o);
  void on(webhooks::LoadEvents&& o);
  void on(webhooks::FindEvents&& o);
  void on(webhooks::Keep&& o);
  void on(webhooks::SaveProgress&& o);
  void on(webhooks::Reply&& o);
  std::string warning(const webhooks::View& subscription) const;
  void on(webhooks::Note&& o);
  void on(http::Call&& o);
  void restore();
  void farewell();

  // answer(store::Store&) in the database thread; what it answers comes into the inbox. Refused: `otherwise`.
  template <typename F>
  void ask_store(F answer, Core::Input otherwise) {
    const bool asked = around.store.ask([this, answer = std::move(answer)](store::Store& store) mutable {
      inbox.push_always(Core::Input(answer(store)));
    });
    if (!asked) inbox.push_always(std::move(otherwise));
  }
  void told(const events::StoredBatch& batch, std::uint64_t newest) {
    if (batch && inbox.push(Core::Input(webhooks::Grown{batch}))) return;
    missed.store(newest);  // the journal has it
    inbox.signal();
  }
  // Follows the journal as long as the core has anybody to tell.
  void attend(Instant now);
  template <typename T>
  bool good(const store::Result<T>& result) {
    around.store.note(result);
    return result.has_value();
  }

  Surroundings around;
  io::Inbox<Message> inbox;
  io::KernelRng rng;
  std::vector<Network> allow_networks;
  io::HttpClient client;
  Core core;
  bool restored = false;
  Instant restore_at = Instant::far_future();
  std::vector<Wanted> early;  // asked for before the database was read
  std::unordered_map<webhooks::WishId, OnAnswer> waiting;
  std::uint64_t last_wish = 0;
  std::atomic<std::uint64_t> missed = 0;
  std::atomic<bool> stopping = false;
  std::optional<store::Listening> listening;
  bool hears = true;
  std::thread thread;
};

WebhookThread::WebhookThread(Surroundings surroundings, const config::Webhooks& config)
    : impl_(std::make_unique<Impl>(surroundings, config)) {
  Impl* const self = impl_.get();
  self->listening.emplace(self->around.store.listen(
      [self](const events::StoredBatch& batch, std::uint64_t newest) { self->told(batch, newest); }));
  self->restore();
  self->thread = std::thread([self] { self->run(); });
}

WebhookThread::~WebhookThread() {
  impl_->stopping = true;
  impl_->inbox.signal();
  impl_->thread.join();
  impl_->listening.reset();  // after the thread, which turns it on and off
}

void WebhookThread::ask(webhooks::Wish wish, OnAnswer on_answer) {
  impl_->inbox.push(Wanted{std::move(wish), std::move(on_answer)});
}

void WebhookThread::configure(const config::Webhooks& config) {
  impl_->inbox.push_always(configured(config));
}

void WebhookThread::Impl::run() {
  std::vector<Message> messages;
  while (!stopping) {
    client.wait(std::min(core.deadline().at, restore_at) - around.clock.now());
    const Instant now = around.clock.now();
    inbox.take(messages);
    for (Message& message : messages) take(std::move(message), now);
    if (const std::uint64_t seq = missed.exchange(0)) on(webhooks::Grown{nullptr, seq}, now);
    for (http::Outcome& outcome : client.take_finished()) on(std::move(outcome), now);
    if (core.deadline().at <= now) on(Tick{}, now);
    attend(now);
    if (restore_at <= now) {
      restore_at = Instant::far_future();
      restore();
    }
  }
  farewell();
}

void WebhookThread::Impl::take(Message&& message, Instant now) {
  std::visit([&](auto&& m) { on(std::move(m), now); }, std::move(message));
}

void WebhookThread::Impl::on(Core::Input&& input, Instant now) {
  const bool first = std::holds_alternative<webhooks::Restored>(input);
  core.handle(input, now);
  drain();
  if (!first) return;
  restored = true;
  for (Wanted& wanted : std::exchange(early, {})) on(std::move(wanted), now);
}

void WebhookThread::Impl::on(Wanted&& wanted, Instant now) {
  if (!restored) {
    if (early.size() < kMostWaiting) early.push_back(std::move(wanted));
    return;
  }
  if (waiting.size() >= kMostWaiting) return;
  if (!hears) on(webhooks::Grown{nullptr, around.store.newest_event()}, now);  // what is new begins there
  const webhooks::WishId id{++last_wish};
  if (wanted.on_answer) waiting.emplace(id, std::move(wanted.on_answer));
  on(webhooks::Asked{id, std::move(wanted.wish)}, now);
}

void WebhookThread::Impl::on(Configured&& next, Instant now) {
  allow_networks = std::move(next.allow_networks);
  client.allow(allow_networks);
  on(webhooks::SettingsChanged{std::move(next.settings)}, now);
  on(Wanted{std::move(next.subscriptions), {}}, now);
}

void WebhookThread::Impl::attend(Instant now) {
  if (!restored || hears == core.listens()) return;
  hears = core.listens();
  listening->hear(hears);
  if (hears) on(webhooks::Grown{nullptr, around.store.newest_event()}, now);
}

void WebhookThread::Impl::drain() {
  while (auto output = core.poll()) std::visit([this](auto&& o) { on(std::move(o)); }, std::move(*output));
}

void WebhookThread::Impl::restore() {
  const auto load = [this](store::Store& store) {
    store::WebhookTables tables(store);
    auto saved = tables.load();
    const auto newest = store::Journal(store).newest_seq();
    if (good(saved) && good(newest)) {
      inbox.push_always(Core::Input(webhooks::Restored{std::move(*saved), *newest}));
    } else {
      inbox.push_always(Unread{});
    }
  };
  if (!around.store.ask(load)) inbox.push_always(Unread{});
}

void WebhookThread::Impl::on(webhooks::ReadJournal&& o) {
  ask_store(
      [this, o](store::Store& store) -> webhooks::Page {
        auto page = store::Journal(store).read({.after = o.after, .limit = o.limit});
        if (!good(page)) return {.ok = false, .events = {}};
        return {.ok = true, .events = std::move(page->events)};
      },
      webhooks::Page{.ok = false, .events = {}});
}

void WebhookThread::Impl::on(webhooks::LoadEvents&& o) {
  webhooks::Loaded failed{.subscription = o.subscription, .ok = false, .asked = o.seqs, .found = {}};
  ask_store(
      [this, failed](store::Store& store) mutable {
        auto found = store::WebhookTables(store).events(failed.asked);
        failed.ok = good(found);
        if (failed.ok) failed.found = std::move(*found);
        return std::move(failed);
      },
      webhooks::Loaded(failed));
}

void WebhookThread::Impl::on(webhooks::FindEvents&& o) {
  const webhooks::WishId wish = o.wish;
  ask_store(
      [this, o = std::move(o)](store::Store& store) -> webhooks::Found {
        const auto found = store::WebhookTables(store).find(o.event_id, o.since, o.until);
        if (!good(found)) return {.wish = o.wish, .ok = false};
        const std::uint64_t count = found->first == 0 ? 0 : found->last - found->first + 1;
        return {.wish = o.wish, .ok = true, .first = found->first, .last = found->last, .count = count};
      },
      webhooks::Found{.wish = wish, .ok = false});
}

void WebhookThread::Impl::on(webhooks::Keep&& o) {
  const std::uint64_t ticket = o.ticket;
  ask_store(
      [this, o = std::move(o)](store::Store& store) {
        return webhooks::Kept{o.ticket, good(store::WebhookTables(store).keep(o))};
      },
      webhooks::Kept{ticket, false});
}

void WebhookThread::Impl::on(webhooks::SaveProgress&& o) {
  ask_store(
      [this, o = std::move(o)](store::Store& store) {
        return webhooks::ProgressSaved{good(store::WebhookTables(store).save(o.snapshots))};
      },
      webhooks::ProgressSaved{false});
}

// The rule is kept when a connection is opened, whatever the name was. Here it is told while somebody
// listens.
std::string WebhookThread::Impl::warning(const webhooks::View& subscription) const {
  const auto address = webhooks::address_in(subscription.url);
  if (!address) return {};
  const auto why = io::why_not_outbound(*address, allow_networks);
  if (!why) return {};
  return fmt::format(
      "Nothing will be posted to {}: it is {}, and features.webhooks.allow_networks does not name it.",
      address->to_string(), *why);
}

void WebhookThread::Impl::on(webhooks::Reply&& o) {
  if (auto* shown = std::get_if<webhooks::Shown>(&o.answer)) shown->warning = warning(shown->subscription);
  if (auto node = waiting.extract(o.wish)) node.mapped()(std::move(o.answer));
}

void WebhookThread::Impl::on(webhooks::Note&& o) {
  if (o.level == webhooks::Note::Level::kWarning) return around.log.warning("{}", o.text);
  around.log.info("{}", o.text);
}

void WebhookThread::Impl::on(http::Call&& o) {
  client.start(std::move(o));
}

void WebhookThread::Impl::farewell() {
  on(webhooks::Closing{}, around.clock.now());
  const Instant end = around.clock.now() + kFarewell;
  while (core.in_flight() > 0 && around.clock.now() < end) {
    client.wait(end - around.clock.now());
    for (http::Outcome& outcome : client.take_finished()) on(std::move(outcome), around.clock.now());
  }
  on(webhooks::Flush{}, around.clock.now());
  // The questions asked so far speak of this object: the last one tells that they are through.
  std::promise<void> through;
  while (!around.store.ask([&through](store::Store&) { through.set_value(); }))
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  through.get_future().wait();
}

}  // namespace bw::server
