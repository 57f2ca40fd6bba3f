#include "server/office.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "api/gate.h"
#include "io/certificate.h"
#include "io/host.h"
#include "server/administration.h"
#include "server/browser_door.h"
#include "server/config_file.h"
#include "server/couplings.h"
#include "server/live_feed.h"
#include "server/opening.h"
#include "server/reload.h"
#include "server/retention.h"
#include "server/webhook_thread.h"

namespace bw::server {
namespace {

constexpr std::size_t kInboxCapacity = 100'000;
constexpr auto kPortPoll = std::chrono::milliseconds{1};
constexpr int kPortPolls = 2'000;
constexpr auto kShutdownPoll = std::chrono::milliseconds{20};
// After the last call is gone its BYE may still want an answer, and its record a place in the database.
constexpr auto kFarewell = std::chrono::milliseconds{200};

media::LoopIndex media_loop_count() {
  return static_cast<media::LoopIndex>(std::clamp(std::thread::hardware_concurrency(), 1U, 16U));
}

}  // namespace

struct Office::Impl {
  Impl(OfficeSetup s, DataDirectory d, Log& l)
      : setup(std::move(s)),
        started(setup.config),
        directory(std::move(d)),
        log(l),
        inbox(kInboxCapacity),
        arrivals(inbox, figures) {}
  ~Impl() {
    // The order in which nobody speaks to the dead: the exchange, who answers it, who serves both.
    control.reset();
    if (front) front->stop();
    if (gate) gate->finish();
    jobs.reset();
    loops.clear();
    names.reset();
    webhooks.reset();
    if (retention) retention->stop();
    listening = {};
    store.reset();
    front.reset();
  }

  std::expected<void, std::string> open();
  std::expected<void, std::string> open_doors();
  std::expected<void, std::string> use_certificates();
  void start_loops(std::unique_ptr<io::BrowserSide> browser_side);
  void await_ports() const;
  void start_control(io::UdpLinks&& links, std::vector<model::Binding>&& bindings);
  Administration::Surroundings around_administration();
  ServerOperations::Surroundings around_operations();

  OfficeSetup setup;
  const config::Config started;  // `setup` changes with each reload
  DataDirectory directory;
  Log& log;
  io::Clock clock;
  io::KernelRng rng;  // of the control thread, once that runs
  ControlInbox inbox;
  Figures figures;
  Arrivals arrivals;
  BrowserDoor browsers;
  model::SettingsSnapshot settings;
  std::unique_ptr<Administration> administration;
  std::unique_ptr<api::Gate> gate;
  std::unique_ptr<api::LiveStream> live;
  std::unique_ptr<ServerOperations> operations;
  std::unique_ptr<io::Front> front;
  std::unique_ptr<store::StoreThread> store;
  store::Listening listening;
  std::unique_ptr<Retention> retention;
  std::unique_ptr<Jobs> jobs;
  std::unique_ptr<WebhookThread> webhooks;
  std::unique_ptr<io::NameService> names;
  std::atomic<std::size_t> stocked = 0;  // media loops that have opened ports; outlives them
  MediaLoops loops;
  std::unique_ptr<Departures> departures;
  std::unique_ptr<ControlThread> control;
  std::uint64_t turns_seen = 0;
};

Office::Office(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Office::~Office() = default;

std::expected<std::unique_ptr<Office>, std::string> Office::start(OfficeSetup setup, DataDirectory directory,
                                                                  Log& log) {
  auto impl = std::make_unique<Impl>(std::move(setup), std::move(directory), log);
  if (auto r = impl->open(); !r) return std::unexpected(r.error());
  return std::make_unique<Office>(std::move(impl));
}

std::expected<void, std::string> Office::Impl::open() {
  io::raise_file_limit(1U << 20U);
  // Ports first: a second server must not touch the database of the first.
  auto links = io::UdpLinks::open(sip_addresses(setup.config));
  if (!links) return std::unexpected(links.error().sentence);
  auto browser_door = open_browser_door(setup.config, directory.path(), clock.now());
  if (!browser_door) return std::unexpected(browser_door.error());
  browsers = browser_door->door;
  settings = settings_of(setup.config, browsers, log);
  auto opened = open_database(setup.config, directory.path(), clock.now(), rng, log);
  if (!opened) return std::unexpected(opened.error());
  front = std::make_unique<io::Front>(arrivals);
  store = std::make_unique<store::StoreThread>(
      std::move(opened->store),
      [this](std::span<const ports::Stored> stored) {
        for (const ports::Stored& s : stored) inbox.push_always(ports::Stored{s});
      },
      [this](const store::Failure* failure) {
        if (failure == nullptr) return log.warning("database: it answers again");
        const bool away = failure->kind == store::FailureKind::kUnavailable;
        log.error("{}{}", failure->sentence, away ? "; calls go on, and what they change waits for it" : "");
      });
  retention = std::make_unique<Retention>(*store, clock, log, events_kept_for(setup.config));
  webhooks = std::make_unique<WebhookThread>(WebhookThread::Surroundings{*store, clock, log},
                                             setup.config.features.webhooks);
  names = std::make_unique<io::NameService>([this](dns::QueryId id, dns::Answer&& answer) {
    inbox.push_always(exchange::NameResolved{id, std::move(answer)});
  });
  jobs = std::make_unique<Jobs>();
  administration = std::make_unique<Administration>(around_administration(), opened->directory,
                                                    std::move(opened->records), setup.config);
  gate = std::make_unique<api::Gate>(*administration);
  live = std::make_unique<api::LiveStream>(*administration, journal_of(*front, *store, listening));
  listening = feed(*live, *front, *store);
  administration->set_live(*live);
  operations = std::make_unique<ServerOperations>(around_operations());
  administration->set_operations(*operations);
  start_loops(std::move(browser_door->side));
  if (auto r = open_doors(); !r) return r;
  start_control(std::move(*links), std::move(opened->bindings));
  await_ports();
  return {};
}

// "Ready" means that a call can be taken: the media loops have opened their first ports. A range that is
// taken by others opens none; the log says so, and waiting would not help.
void Office::Impl::await_ports() const {
  for (int i = 0; i < kPortPolls && stocked.load() < loops.size(); ++i)
    std::this_thread::sleep_for(kPortPoll);
}

Administration::Surroundings Office::Impl::around_administration() {
  return {*front,
          inbox,
          *store,
          *webhooks,
          clock,
          log,
          *jobs,
          directory.path(),
          [this](Administration& administration_of) {
            auto outcome = reload_configuration({setup, started, directory.path(), *front, inbox,
                                                 administration_of, *webhooks, browsers, clock, log});
            retention->keep_events_for(events_kept_for(setup.config));
            return outcome;
          }};
}

ServerOperations::Surroundings Office::Impl::around_operations() {
  const auto reload = [this] {
    api::ReloadOutcome outcome;
    administration->reload([&](api::ReloadOutcome&& o) { outcome = std::move(o); });
    return outcome;
  };
  return {
      .services = *administration,
      .front = *front,
      .store = *store,
      .media = loops,
      .stocked = stocked,
      .figures = figures,
      .clock = clock,
      .started = started,
      .configuration = {setup, directory.path(), log_directories(setup.config, directory.path()), reload}};
}

std::expected<void, std::string> Office::Impl::use_certificates() {
  const auto certificates = certificates_of(setup.config, directory.path(), clock.now());
  if (!certificates) return std::unexpected(certificates.error());
  return front->use_certificates(certificates->sip, certificates->http);
}

std::expected<void, std::string> Office::Impl::open_doors() {
  if (auto r = use_certificates(); !r) return r;
  io::FrontHandlers handlers;
  handlers.from_operator = [this](http::Request&& request, http::Respond respond) {
    gate->from_operator(std::move(request), std::move(respond));
  };
  handlers.from_network = [this](http::Request&& request, http::Respond respond) {
    gate->from_network(std::move(request), std::move(respond));
  };
  handlers.look_after = [this] {
    live->look_after();
    gate->look_after();
    administration->look_after();
  };
  const auto open = front->listen(front_doors(setup.config, directory.path()), std::move(handlers));
  if (!open) return std::unexpected(open.error().sentence);
  return {};
}

// All browsers are in the first loop, and whoever talks with them.
void Office::Impl::start_loops(std::unique_ptr<io::BrowserSide> browser_side) {
  const media::LoopIndex count = media_loop_count();
  for (media::LoopIndex i = 0; i < count; ++i) {
    io::MediaLoopSettings s;
    s.range = {setup.config.server.rtp_port_range_start, setup.config.server.rtp_port_range_end};
    s.index = i;
    s.loops = count;
    if (setup.config.server.sip_host.size() == 1 && !setup.config.server.sip_host[0].is_unspecified()) {
      s.bind = setup.config.server.sip_host[0];
    }
    loops.push_back(std::make_unique<io::MediaLoop>(
        s, clock,
        [this, first = true](std::vector<media::Event>&& events) mutable {
          if (std::exchange(first, false))
            stocked.fetch_add(1);  // the first event of a loop is its first ports
          for (media::Event& event : events) inbox.push_always(exchange::MediaReported{std::move(event)});
        },
        i == 0 ? std::move(browser_side) : nullptr));
  }
}

void Office::Impl::start_control(io::UdpLinks&& links, std::vector<model::Binding>&& bindings) {
  departures = std::make_unique<Departures>(Departures::Ways{
      *front, *store, loops, *names, log, figures,
      [this](ports::Answered&& answer) { administration->answered(std::move(answer)); },
      [this](ports::BrowserPush&& push) { front->post([this, p = std::move(push)] { live->push(p); }); }});
  inbox.push_always(exchange::BindingsRestored{std::move(bindings)});
  auto exchange = std::make_unique<exchange::Exchange>(
      rng, settings, administration->directory(), clock.now(), static_cast<media::LoopIndex>(loops.size()));
  control = std::make_unique<ControlThread>(std::move(links), std::move(exchange), clock, inbox, *departures);
}

void Office::reload(std::function<void(const api::ReloadOutcome&)> done) {
  impl_->front->post([m = impl_.get(), done = std::move(done)] {
    m->administration->reload([done](api::ReloadOutcome&& outcome) { done(outcome); });
  });
}

void Office::renew_certificates() {
  impl_->front->post([m = impl_.get()] {
    if (auto r = m->use_certificates(); !r) m->log.error("certificates: {}", r.error());
  });
}

void Office::end_calls(std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  impl_->inbox.push_always(exchange::ShutDown{});
  for (;;) {
    std::promise<std::size_t> calls;
    auto left = calls.get_future();
    impl_->front->post([m = impl_.get(), &calls] {
      m->administration->ask(ports::GetStatus{}, [&calls](ports::Reply&& reply) {
        const auto* status = std::get_if<ports::Status>(&reply);
        calls.set_value(status == nullptr ? 0 : status->active_calls);
      });
    });
    if (left.get() == 0 || std::chrono::steady_clock::now() >= until) break;
    std::this_thread::sleep_for(kShutdownPoll);
  }
  std::this_thread::sleep_for(kFarewell);
}

void Office::forget_old_things() {
  impl_->retention->round();
}

bool Office::alive() {
  impl_->inbox.signal();
  const std::uint64_t turns = impl_->control->turns();
  return std::exchange(impl_->turns_seen, turns) != turns;
}

}  // namespace bw::server
