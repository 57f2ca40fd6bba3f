#include "server/operations.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "config/document.h"
#include "server/exposition.h"
#include "server/reload.h"
#include "store/journal.h"
#include "store/statistics.h"

namespace bw::server {
namespace {

// A part that has not answered for so long is down.
constexpr Duration kPatience = 2s;

constexpr std::array kDispositions{model::Disposition::kAnswered, model::Disposition::kNoAnswer,
                                   model::Disposition::kBusy, model::Disposition::kFailed,
                                   model::Disposition::kCancelled};

double seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
}
double seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}
template <typename T>
double real(T number) {
  return static_cast<double>(number);
}

void write_process(Exposition& out) {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  out.counter("process_cpu_seconds_total", "CPU time of all threads, user and system.");
  out.sample(seconds(used.ru_utime) + seconds(used.ru_stime));
  std::uint64_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  out.gauge("process_resident_memory_bytes", "Memory that is really there.");
  out.sample(real(resident) * real(::sysconf(_SC_PAGESIZE)));
}

void write_media(Exposition& out, const MediaLoops& loops) {
  io::MediaLoopFigures sum;
  for (const auto& loop : loops) {
    const io::MediaLoopFigures f = loop->figures();
    sum.received += f.received;
    sum.sent += f.sent;
    sum.send_failed += f.send_failed;
    sum.no_leg += f.no_leg;
    sum.refused += f.refused;
    sum.malformed += f.malformed;
    sum.untranslated += f.untranslated;
    sum.audio_cut += f.audio_cut;
    sum.no_session += f.no_session;
    sum.check_refused += f.check_refused;
    sum.unproven_way += f.unproven_way;
    sum.media_refused += f.media_refused;
    sum.legs += f.legs;
  }
  out.gauge("bellwire_media_legs", "Sides of calls whose packets are relayed at this moment.");
  out.sample(real(sum.legs));
  out.counter("bellwire_media_packets_total", "RTP and RTCP packets.");
  out.sample(real(sum.received), {{"direction", "in"}});
  out.sample(real(sum.sent), {{"direction", "out"}});
  out.counter("bellwire_media_dropped_packets_total", "Packets that went nowhere.");
  out.sample(real(sum.send_failed), {{"reason", "send_failed"}});
  out.sample(real(sum.no_leg), {{"reason", "no_leg"}});
  out.sample(real(sum.refused), {{"reason", "refused"}});
  out.sample(real(sum.malformed), {{"reason", "malformed"}});
  out.sample(real(sum.untranslated), {{"reason", "untranslated"}});
  out.sample(real(sum.no_session), {{"reason", "no_session"}});
  out.sample(real(sum.check_refused), {{"reason", "check_refused"}});
  out.sample(real(sum.unproven_way), {{"reason", "unproven_way"}});
  out.sample(real(sum.media_refused), {{"reason", "replayed_or_forged"}});
  out.counter("bellwire_media_audio_cut_total", "Pieces of 20 ms of transcoded audio cut: overload.");
  out.sample(real(sum.audio_cut));
}

void write_database(Exposition& out, const store::StoreThread& store, std::uint64_t newest_event) {
  const store::StoreThread::Figures f = store.figures();
  out.gauge("bellwire_database_queued_changes", "Changes that wait for a commit.");
  out.sample(real(store.queued_changes()));
  out.counter("bellwire_database_commits_total", "Commits of changes.");
  out.sample(real(f.commits));
  out.counter("bellwire_database_commit_failures_total", "Groups of changes the database did not take.");
  out.sample(real(f.failures));
  out.counter("bellwire_database_commit_seconds_total", "Time that all commits took together.");
  out.sample(seconds(f.committing));
  out.counter("bellwire_events_total", "Number of the newest event of the journal.");
  out.sample(real(newest_event));
}

// Identities stay few: there are at most so many subscriptions. Those a later version may allow are summed.
constexpr std::size_t kNamedSubscriptions = 100;

struct WebhookFigures {
  std::string name;
  std::uint64_t ok = 0, failed = 0, pending = 0, dead = 0, attempts = 0;
  Duration time{0};
};

std::vector<WebhookFigures> figures_of(const std::vector<webhooks::View>& subscriptions) {
  std::vector<WebhookFigures> all;
  for (const webhooks::View& v : subscriptions) {
    if (all.size() <= kNamedSubscriptions)
      all.push_back({.name = all.size() < kNamedSubscriptions ? v.id.value : "other"});
    WebhookFigures& f = all.back();
    f.ok += v.success_count;
    f.failed += v.failure_count;
    f.pending += v.pending;
    f.dead += v.dead_letters;
    f.attempts += v.attempts;
    f.time += v.attempt_time;
  }
  return all;
}

void write_webhooks(Exposition& out, const std::vector<webhooks::View>& subscriptions) {
  const auto all = figures_of(subscriptions);
  const auto each = [&](auto value) {
    for (const WebhookFigures& f : all) out.sample(value(f), {{"subscription", f.name}});
  };
  out.gauge("bellwire_webhook_subscriptions", "Subscriptions of webhooks.");
  out.sample(real(subscriptions.size()));
  out.counter("bellwire_webhook_deliveries_total",
              "Attempts to post an event, since the subscription was made.");
  for (const WebhookFigures& f : all) {
    out.sample(real(f.ok), {{"subscription", f.name}, {"result", "ok"}});
    out.sample(real(f.failed), {{"subscription", f.name}, {"result", "failed"}});
  }
  out.gauge("bellwire_webhook_pending_events", "Events of the journal that are not sent yet.");
  each([](const WebhookFigures& f) { return real(f.pending); });
  out.gauge("bellwire_webhook_dead_letters", "Events that were given up and can be sent again.");
  each([](const WebhookFigures& f) { return real(f.dead); });
  out.counter("bellwire_webhook_attempts_total",
              "Attempts since the start of the server, for their mean time.");
  each([](const WebhookFigures& f) { return real(f.attempts); });
  out.counter("bellwire_webhook_attempt_seconds_total", "Time that these took together.");
  each([](const WebhookFigures& f) { return seconds(f.time); });
}

}  // namespace

void ServerOperations::call_statistics(Instant from, Instant before, OnStatistics on_statistics) {
  s_.store.ask([this, from, before, on = std::move(on_statistics)](store::Store& store) mutable {
    auto result = store::call_statistics(store, from, before);
    std::optional<model::CallStatistics> figures;
    if (result) figures = std::move(*result);
    s_.front.post([figures = std::move(figures), on = std::move(on)]() mutable { on(std::move(figures)); });
  });
}

boost::json::object ServerOperations::configuration() {
  return config::document(s_.configuration.setup.config);
}

std::vector<std::string> ServerOperations::waits_for_restart() const {
  return needs_restart(s_.started, s_.configuration.setup.config);
}

std::string ServerOperations::configuration_file() const {
  const auto& file = s_.configuration.setup.config_file;
  return file ? std::filesystem::absolute(*file).lexically_normal().string() : std::string{};
}

// ---- figures ----

void ServerOperations::figures(OnFigures on_figures) {
  s_.store.ask([this, on = std::move(on_figures)](store::Store& store) mutable {
    const std::uint64_t newest = store::Journal(store).newest_seq().value_or(0);
    s_.front.post([this, newest, on = std::move(on)]() mutable {
      s_.services.ask(ports::GetStatus{}, [this, newest, on = std::move(on)](ports::Reply&& reply) mutable {
        const auto* status = std::get_if<ports::Status>(&reply);
        with_webhooks(status == nullptr ? ports::Status{} : *status, newest, std::move(on));
      });
    });
  });
}

void ServerOperations::with_webhooks(const ports::Status& status, std::uint64_t newest_event,
                                     OnFigures on_figures) {
  s_.services.webhooks(webhooks::List{}, [this, status, newest_event,
                                          on = std::move(on_figures)](webhooks::Answer&& a) mutable {
    const auto* listed = std::get_if<webhooks::Listed>(&a);
    static const std::vector<webhooks::View> kNone;
    on(exposition(status, newest_event, listed == nullptr ? kNone : listed->subscriptions));
  });
}

std::string ServerOperations::exposition(const ports::Status& status, std::uint64_t newest_event,
                                         const std::vector<webhooks::View>& subscriptions) const {
  Exposition out;
  out.gauge("bellwire_calls_active", "Calls at this moment.");
  out.sample(real(status.active_calls));
  out.counter("bellwire_calls_started_total", "Calls since the start.");
  out.sample(real(status.total_calls));
  out.counter("bellwire_calls_ended_total", "Calls since the start, by what became of them.");
  for (const model::Disposition d : kDispositions) {
    out.sample(real(s_.figures.ended_calls.at(static_cast<std::size_t>(d)).load()),
               {{"disposition", model::name_of(d)}});
  }
  out.gauge("bellwire_registered_extensions", "Extensions with a phone.");
  out.sample(real(status.registered_extensions));
  out.gauge("bellwire_registered_contacts", "Phones.");
  out.sample(real(status.registered_contacts));
  out.gauge("bellwire_sip_transactions", "SIP transactions at this moment.");
  out.sample(real(status.transactions));
  out.counter("bellwire_sip_messages_total", "SIP messages; over UDP with keep-alives.");
  out.sample(real(s_.figures.datagrams_in.load()), {{"direction", "in"}, {"transport", "udp"}});
  out.sample(real(s_.figures.datagrams_out.load()), {{"direction", "out"}, {"transport", "udp"}});
  out.sample(real(s_.figures.stream_messages_in.load()), {{"direction", "in"}, {"transport", "stream"}});
  out.sample(real(s_.figures.stream_messages_out.load()), {{"direction", "out"}, {"transport", "stream"}});
  write_media(out, s_.media);
  write_database(out, s_.store, newest_event);
  write_webhooks(out, subscriptions);
  out.counter("bellwire_http_requests_total", "Requests, by operation of the API and status.");
  for (const auto& [what, count] : requests_)
    out.sample(real(count), {{"operation", what.first}, {"status", std::to_string(what.second)}});
  write_process(out);
  return std::move(out).take();
}

// ---- readiness ----

// Each part is really asked; the database has to commit. Whoever asks while a question is under way shares
// its answer, so that asking cannot become a load.
void ServerOperations::readiness(OnReadiness on_readiness) {
  if (asked_ && s_.clock.now() - *asked_ > kPatience) return on_readiness(now_ready());
  waiting_.push_back(std::move(on_readiness));
  if (asked_) return;
  asked_ = s_.clock.now();
  sip_.reset();
  database_.reset();
  s_.services.ask(ports::GetStatus{}, [this](ports::Reply&& reply) {
    sip_ = std::holds_alternative<ports::Status>(reply);
    answer_if_known();
  });
  const bool taken = s_.store.ask([this](store::Store& store) {
    const bool up = store.set_meta("ready_probe", "").has_value();
    s_.front.post([this, up] {
      database_ = up;
      answer_if_known();
    });
  });
  if (taken) return;
  database_ = false;
  answer_if_known();
}

void ServerOperations::answer_if_known() {
  if (!sip_ || !database_) return;
  asked_.reset();
  const api::Readiness r = now_ready();
  for (OnReadiness& on : std::exchange(waiting_, {})) on(r);
}

api::Readiness ServerOperations::now_ready() const {
  return {.sip = sip_.value_or(false),
          .database = database_.value_or(false),
          .media = s_.stocked.load() == s_.media.size()};
}

}  // namespace bw::server
