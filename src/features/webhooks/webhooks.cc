#include "webhooks/webhooks.h"

#include <algorithm>
#include <utility>

namespace bw::webhooks {

static_assert(Core<Webhooks>);

Webhooks::Webhooks(Rng& rng, Settings settings, const Limits& limits)
    : rng_(rng), settings_(std::move(settings)), limits_(limits) {}

void Webhooks::handle(const Input& input, Instant now) {
  std::visit([&](const auto& i) { on(i, now); }, input);
  save(now, false);
}

std::optional<Webhooks::Output> Webhooks::poll() {
  if (out_.empty()) return std::nullopt;
  Output next = std::move(out_.front());
  out_.pop_front();
  return next;
}

std::size_t Webhooks::in_memory() const {
  std::size_t count = 0;
  for (const auto& [id, r] : receivers_)
    count += r.queue.in_memory() + (r.replay ? r.replay->in_memory() : 0);
  return count;
}

Deadline Webhooks::deadline() const {
  Deadline next = Deadline::never();
  const auto consider = [&](Instant at, std::string_view why) { next = next.earliest({at, why}); };
  for (const auto& [id, r] : receivers_) {
    if (r.keep_again) consider(*r.keep_again, "a change the database refused");
    if (!r.active() || !settings_.enabled || closing_) continue;
    if (r.failing && r.in_flight > 0) continue;
    const bool ready = r.queue.has_ready() || (r.replay && r.replay->has_ready());
    std::optional<Instant> waking = ready ? Instant{} : r.queue.next_waking();
    if (r.replay && !ready) {
      const auto again = r.replay->next_waking();
      if (again && (!waking || *again < *waking)) waking = again;
    }
    if (waking && r.failing) waking = Instant{};
    if (!waking || r.in_flight >= settings_.max_in_flight) continue;
    consider(std::max(*waking, r.not_before), "a delivery to try again");
  }
  if (!save_under_way_ && dirty_since_)
    consider(std::max(*dirty_since_ + limits_.save_after, save_not_before_), "progress to store");
  if (!save_under_way_ && log_dirty_since_)
    consider(std::max(*log_dirty_since_ + limits_.save_log_after, save_not_before_), "a log to store");
  if (!reading_ && read_not_before_ != Instant{}) consider(read_not_before_, "the journal to read again");
  return next;
}

void Webhooks::on(const Restored& restored, Instant now) {
  newest_ = restored.newest;
  for (const Saved& saved : restored.subscriptions) {
    const SubscriptionId id = saved.subscription.id;
    load(receivers_.try_emplace(id, limits_, Saved(saved)).first->second);
  }
  all_work(now);
}

void Webhooks::on(const SettingsChanged& changed, Instant now) {
  settings_ = changed.settings;
  all_work(now);
}

void Webhooks::on(const Grown& grown, Instant now) {
  newest_ = std::max(newest_, grown.newest);
  if (!grown.batch || grown.batch->empty()) return read_on(now);
  newest_ = std::max(newest_, grown.batch->back().seq);
  for (auto& [id, r] : receivers_) {
    if (!r.active() || r.queue.read_to() + 1 < grown.batch->front().seq) continue;
    const std::uint64_t before = r.queue.read_to();
    r.queue.take(*grown.batch, r.subscription);
    if (r.queue.read_to() != before) touched(r, now);
  }
  all_work(now);
}

bool Webhooks::listens() const {
  return std::ranges::any_of(receivers_, [](const auto& entry) { return entry.second.active(); });
}

void Webhooks::on(const Page& page, Instant now) {
  if (!reading_) return;
  const Read read = *std::exchange(reading_, std::nullopt);
  if (!page.ok) {
    read_not_before_ = now + limits_.read_again_after;
    return;
  }
  const std::uint64_t last = page.events.empty() ? read.after : page.events.back().seq;
  const bool all = page.events.size() < limits_.page;
  const auto feed = [&](Receiver& r, detail::Queue& queue) {
    if (queue.read_to() < read.after || !queue.has_room()) return;
    const std::uint64_t before = queue.read_to();
    queue.take(page.events, r.subscription);
    if (all && queue.read_to() >= last) queue.skip_to(read.newest);
    if (queue.read_to() != before) touched(r, now);
  };
  for (auto& [id, r] : receivers_) {
    if (!r.active()) continue;
    feed(r, r.queue);
    if (r.replay) feed(r, *r.replay);
    end_replay_if_finished(r);
  }
  all_work(now);
}

void Webhooks::on(const Loaded& loaded, Instant now) {
  Receiver* r = find(loaded.subscription);
  if (r == nullptr) return;
  for (detail::Queue* queue : {r->queue_of(detail::Course::kJournal), r->queue_of(detail::Course::kReplay)}) {
    if (queue == nullptr) continue;
    for (const events::StoredEvent& event : loaded.found) queue->load(event, now);
    for (const std::uint64_t seq : loaded.asked) {
      const bool found = std::ranges::binary_search(loaded.found, seq, {}, &events::StoredEvent::seq);
      if (found) continue;
      if (loaded.ok) {
        queue->forget(seq);  // its time in the journal was over
      } else {
        queue->ask_again(seq);
        read_not_before_ = now + limits_.read_again_after;
      }
    }
  }
  touched(*r, now);
  all_work(now);
}

void Webhooks::on(const Kept& kept, Instant now) {
  auto node = changes_.extract(kept.ticket);
  if (node.empty()) return;
  Change& change = node.mapped();
  for (const Subscription& s : change.save) {
    Receiver* r = find(s.id);
    if (r == nullptr && kept.ok && change.creates) {
      Saved saved{.subscription = s, .progress = {}, .log = {}};
      saved.progress.place.cursor = change.cursor;
      receivers_.try_emplace(s.id, limits_, std::move(saved));
    }
    if (r == nullptr) continue;
    if (!change.wish) {  // one of our own: it holds already
      if (!kept.ok) r->keep_again = now + limits_.save_again_after;
      continue;
    }
    r->changing = false;
    if (kept.ok) changed(*r, s, change.sets_standing);
  }
  for (const SubscriptionId& id : change.drop) {
    if (Receiver* r = find(id)) r->changing = false;
    if (kept.ok) receivers_.erase(id);
  }
  if (change.wish) answer(std::move(change), kept.ok);
  all_work(now);
}

void Webhooks::on(const ProgressSaved& saved, Instant now) {
  save_under_way_ = false;
  if (!saved.ok) {
    save_not_before_ = now + limits_.save_again_after;
    for (const SubscriptionId& id : saving_) {
      Receiver* r = find(id);
      if (r == nullptr) continue;
      r->dead_dirty = r->log_dirty = true;
      touched(*r, now);
    }
  }
  saving_.clear();
}

void Webhooks::on(const Closing&, Instant) {
  closing_ = true;
}

void Webhooks::on(const Flush&, Instant now) {
  save(now, true);
}

void Webhooks::on(const Tick&, Instant now) {
  all_work(now);
}

void Webhooks::all_work(Instant now) {
  for (auto& [id, r] : receivers_) {
    if (r.keep_again && *r.keep_again <= now) keep(r);
    send(r, now);
  }
  read_on(now);
}

// One page at a time; whoever else stands there gets it too. Those who need one take turns.
void Webhooks::read_on(Instant now) {
  if (reading_ || closing_ || !settings_.enabled || now < read_not_before_ || receivers_.empty()) return;
  if (std::exchange(read_not_before_, Instant{}) != Instant{}) {
    for (auto& [id, r] : receivers_) load(r);
  }
  auto it = receivers_.upper_bound(read_last_);
  for (std::size_t i = 0; i < receivers_.size(); ++i, ++it) {
    if (it == receivers_.end()) it = receivers_.begin();
    Receiver& r = it->second;
    if (!r.active()) continue;
    for (const detail::Queue* queue : {&r.queue, r.replay ? &*r.replay : nullptr}) {
      if (queue == nullptr || !queue->reads_on(newest_)) continue;
      reading_ = Read{queue->read_to(), newest_};
      read_last_ = it->first;
      out_.emplace_back(ReadJournal{queue->read_to(), limits_.page});
      return;
    }
  }
}

void Webhooks::load(Receiver& r) {
  std::vector<std::uint64_t> seqs = r.queue.take_unloaded();
  if (r.replay) std::ranges::copy(r.replay->take_unloaded(), std::back_inserter(seqs));
  std::ranges::sort(seqs);
  if (!seqs.empty()) out_.emplace_back(LoadEvents{r.subscription.id, std::move(seqs)});
}

void Webhooks::touched(Receiver& r, Instant now) {
  r.dirty = true;
  if (!dirty_since_) dirty_since_ = now;
  if (r.log_dirty && !log_dirty_since_) log_dirty_since_ = now;
}

void Webhooks::save(Instant now, bool all) {
  const auto due = [&](const std::optional<Instant>& since, Duration after) {
    return since && now >= *since + after;
  };
  const bool progress = due(dirty_since_, limits_.save_after);
  const bool log = all || due(log_dirty_since_, limits_.save_log_after);
  if (!all && (save_under_way_ || now < save_not_before_ || (!progress && !log))) return;
  SaveProgress out;
  for (auto& [id, r] : receivers_) {
    const bool with_log = log && r.log_dirty;
    if (!r.dirty && !with_log) continue;
    Snapshot s{.subscription = id, .with_dead = std::exchange(r.dead_dirty, false)};
    s.progress = {.place = r.queue.place(),
                  .successes = r.successes,
                  .failures = r.failures,
                  .last_sent = r.last_sent,
                  .failing_since = r.failing_since};
    if (r.replay) s.progress.replay = r.replay->place();
    if (s.with_dead) s.progress.dead.assign(r.dead.begin(), r.dead.end());
    if (with_log) s.log.emplace(r.log.begin(), r.log.end());
    if (with_log) r.log_dirty = false;
    r.dirty = false;
    saving_.push_back(id);
    out.snapshots.push_back(std::move(s));
  }
  dirty_since_.reset();
  if (log) log_dirty_since_.reset();
  if (out.snapshots.empty()) return;
  save_under_way_ = true;
  out_.emplace_back(std::move(out));
}

}  // namespace bw::webhooks
