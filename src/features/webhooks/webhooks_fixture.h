// The world around the webhooks in virtual time: a journal, a database that outlives crashes, and receivers
// that answer as a test says.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "webhooks/webhooks.h"

namespace bw::webhooks {

struct Arrival {  // what a receiver got
  Instant at;
  std::string url;
  std::string event_id;
  std::string body;
  std::vector<std::string> headers;
  bool acknowledged = false;

  std::string header(const std::string& name) const {
    for (const std::string& line : headers) {
      if (line.starts_with(name + ": ")) return line.substr(name.size() + 2);
    }
    return {};
  }
};

class Town {
 public:
  using Receiver = std::function<http::Outcome(const Arrival&)>;

  explicit Town(std::uint64_t seed = 1, const Limits& limits = {}) : rng_(seed), limits_(limits) { begin(); }

  // ---- people ----
  // The answer to a wish, once it is there.
  Answer ask(Wish wish) {
    const WishId id{++wishes_};
    give(Asked{id, std::move(wish)});
    for (int i = 0; i < 100'000 && !answers_.contains(id.value); ++i) step();
    return std::move(answers_.at(id.value));
  }
  SubscriptionId subscribe(Draft draft) {
    return std::get<Shown>(ask(Create{std::move(draft)})).subscription.id;
  }
  SubscriptionId subscribe(const std::string& url) { return subscribe(Draft{.url = url}); }
  View view(const SubscriptionId& id) {
    const auto listed = std::get<Listed>(ask(List{}));
    for (const View& v : listed.subscriptions) {
      if (v.id == id) return v;
    }
    return {};
  }
  // ---- the journal ----
  std::uint64_t happens(const std::string& call, const std::string& type = "call.ringing",
                        std::vector<std::string> extensions = {"1001"}) {
    events::StoredEvent event;
    event.seq = journal.size() + 1;
    event.event_id = "e" + std::to_string(event.seq);
    event.at = now;
    event.type = type;
    event.call_id = call;
    event.call_seq = call.empty() ? 0 : ++call_seq_[call];
    event.extensions = std::move(extensions);
    event.data = "{}";
    journal.push_back(event);
    give(Grown{std::make_shared<const std::vector<events::StoredEvent>>(1, std::move(event))});
    return journal.size();
  }
  // ---- time ----
  void give(const Webhooks::Input& input) {
    core->handle(input, now);
    drain();
  }
  // To whatever comes next; false: nothing will.
  bool step(Instant limit = Instant::far_future()) {
    const Instant due = core->deadline().at;
    const Instant next = future_.empty() ? due : std::min(due, future_.begin()->first);
    if (next > limit || next == Instant::far_future()) return false;
    now = std::max(now, next);
    if (!future_.empty() && future_.begin()->first <= now) {
      auto node = future_.extract(future_.begin());
      if (const auto* landed = std::get_if<http::Outcome>(&node.mapped())) --flying[landing_[landed->id]];
      give(node.mapped());
    } else {
      give(Tick{});
    }
    return true;
  }
  void pass(Duration d) {
    const Instant end = now + d;
    while (step(end)) {
    }
    now = end;
  }
  // What was not stored is gone, and so is what was under way.
  void crash() {
    future_.clear();
    begin();
  }

  std::vector<std::string> ids_at(const std::string& url, bool acknowledged = true) const {
    std::vector<std::string> out;
    for (const Arrival& a : arrivals) {
      if (a.url == url && (a.acknowledged || !acknowledged)) out.push_back(a.event_id);
    }
    return out;
  }
  bool noted(std::string_view text) const {
    return std::ranges::any_of(notes, [&](const std::string& n) { return n.find(text) != n.npos; });
  }

  Instant now{std::chrono::hours(24 * 20'000)};
  Settings settings;
  Receiver receiver = [](const Arrival&) { return http::Outcome{.status = 200, .latency = 1ms}; };
  std::unique_ptr<Webhooks> core;
  std::vector<events::StoredEvent> journal;
  std::map<SubscriptionId, Saved> database;
  std::vector<Arrival> arrivals;
  std::vector<std::string> notes;
  bool database_works = true;
  std::size_t saves = 0;
  std::size_t most_in_memory = 0;
  std::map<std::string, std::size_t> flying;
  std::map<std::string, std::size_t> most_flying;

 private:
  void begin() {
    flying.clear();
    core = std::make_unique<Webhooks>(rng_, settings, limits_);
    Restored restored;
    for (const auto& [id, saved] : database) restored.subscriptions.push_back(saved);
    restored.newest = journal.size();
    give(restored);
  }
  void later(Duration d, Webhooks::Input&& input) { future_.emplace(now + d, std::move(input)); }
  void drain() {
    while (auto out = core->poll()) std::visit([this](auto& o) { on(o); }, *out);
    most_in_memory = std::max(most_in_memory, core->in_memory());
  }
  void on(const ReadJournal& o) {
    Page page{.ok = database_works, .events = {}};
    for (std::size_t i = o.after; i < journal.size() && page.events.size() < o.limit; ++i) {
      if (journal[i].seq != 0) page.events.push_back(journal[i]);  // 0: its time was over
    }
    later(3ms, std::move(page));
  }
  void on(const LoadEvents& o) {
    Loaded loaded{.subscription = o.subscription, .ok = database_works, .asked = o.seqs, .found = {}};
    for (const std::uint64_t seq : o.seqs) {
      if (journal.at(seq - 1).seq != 0) loaded.found.push_back(journal.at(seq - 1));
    }
    later(3ms, std::move(loaded));
  }
  void on(const FindEvents& o) {
    Found found{.wish = o.wish};
    for (const events::StoredEvent& e : journal) {
      if (!o.event_id.empty() ? e.event_id != o.event_id
                              : (o.since && e.at < *o.since) || (o.until && e.at > *o.until))
        continue;
      if (found.first == 0) found.first = e.seq;
      found.last = e.seq;
      ++found.count;
    }
    later(3ms, std::move(found));
  }
  void on(const Keep& o) {
    if (database_works) {
      for (const Subscription& s : o.save) {
        const auto [it, made] = database.try_emplace(s.id);
        it->second.subscription = s;
        if (made) it->second.progress.place.cursor = o.cursor;
      }
      for (const SubscriptionId& id : o.drop) database.erase(id);
    }
    later(1ms, Kept{o.ticket, database_works});
  }
  void on(const SaveProgress& o) {
    ++saves;
    for (const Snapshot& s : o.snapshots) {
      const auto it = database.find(s.subscription);
      if (!database_works || it == database.end()) continue;
      auto dead = std::move(it->second.progress.dead);
      it->second.progress = s.progress;
      if (!s.with_dead) it->second.progress.dead = std::move(dead);
      if (s.log) it->second.log = *s.log;
    }
    later(1ms, ProgressSaved{database_works});
  }
  void on(Reply& o) { answers_.insert_or_assign(o.wish.value, std::move(o.answer)); }
  void on(const Note& o) { notes.push_back(o.text); }
  void on(const http::Call& o) {
    Arrival arrival{now, o.url, {}, o.body, o.headers.reveal()};
    arrival.event_id = arrival.header("X-Webhook-ID");
    http::Outcome outcome = receiver(arrival);
    arrival.acknowledged = outcome.status >= 200 && outcome.status < 300;
    outcome.id = o.id;
    arrivals.push_back(std::move(arrival));
    const Duration latency = outcome.latency;
    most_flying[o.url] = std::max(most_flying[o.url], ++flying[o.url]);
    future_.emplace(now + latency, std::move(outcome));
    landing_[o.id] = o.url;
  }

  SeededRng rng_;
  Limits limits_;
  std::multimap<Instant, Webhooks::Input> future_;
  std::map<std::uint64_t, Answer> answers_;
  std::map<std::string, std::uint32_t> call_seq_;
  std::map<std::uint64_t, std::string> landing_;
  std::uint64_t wishes_ = 0;
};

}  // namespace bw::webhooks
