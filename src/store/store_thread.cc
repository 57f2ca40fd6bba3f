#include "store/store_thread.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace bw::store {
namespace {

using Clock = std::chrono::steady_clock;

// Not of what was to be stored, but of the database: the next change fares no better.
bool is_of_all(const Failure& failure) {
  return failure.kind == FailureKind::kUnavailable || failure.kind == FailureKind::kHeld;
}

// What waits, in the order it came. Questions stand between the batches they came between.
struct Waiting {
  std::vector<ports::Persist> batches;  // to be stored before `question`
  StoreThread::Question question;       // may be empty: only at the end of the queue
};

}  // namespace

struct StoreThread::Impl {
  Impl(Store s, OnStored stored, OnTrouble trouble, const ThreadLimits& l)
      : store(std::move(s)), on_stored(std::move(stored)), on_trouble(std::move(trouble)), limits(l) {
    newest = store.journal_end();
  }

  // ---- of the database thread ----
  Store store;
  OnStored on_stored;
  OnTrouble on_trouble;
  std::optional<FailureKind> down;  // why nothing can be stored at present
  void note(const Failure* failure);
  const ThreadLimits limits;
  Clock::time_point last_commit = Clock::now();

  void run();
  bool wait_for_work(std::deque<Waiting>& work);
  void store_all(std::vector<ports::Persist>& batches);
  void store_group(std::span<const ports::Persist> group);
  Result<void> apply_with_patience(std::span<const ports::Persist> group);
  void report(std::span<const ports::Persist> group, bool ok);
  void tell_listeners(std::uint64_t last);
  std::vector<events::StoredEvent> journalled;  // by the commit under way, for the listeners

  // ---- shared, under `mutex` ----
  mutable std::mutex mutex;
  std::condition_variable wake;
  std::deque<Waiting> waiting;
  std::size_t changes = 0;    // waiting or being stored
  std::size_t questions = 0;  // waiting
  bool idle = false;          // the thread waits for the first change, however long
  bool awaited = false;       // one of those waiting carries a ticket
  bool stopping = false;

  // ---- shared, under `listening` ----
  std::mutex listening;  // held while they are called
  struct Listener {
    OnEvents on_events;
    bool hears = true;
  };
  std::map<std::uint64_t, Listener> listeners;
  std::uint64_t last_listener = 0;
  std::atomic<std::size_t> hearing = 0;  // how many of them hear; may be read without
  void attend(std::uint64_t id, Listening::Attention attention);

  std::atomic<std::uint64_t> newest = 0;

  std::atomic<std::uint64_t> commits = 0;
  std::atomic<std::uint64_t> failures = 0;
  std::atomic<Duration::rep> committing = 0;

  std::thread thread;  // last: it uses all of the above
};

StoreThread::StoreThread(Store store, OnStored on_stored, OnTrouble on_trouble, const ThreadLimits& limits)
    : impl_(std::make_unique<Impl>(std::move(store), std::move(on_stored), std::move(on_trouble), limits)) {
  impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

StoreThread::~StoreThread() {
  {
    const std::scoped_lock lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wake.notify_one();
  impl_->thread.join();
}

Admission StoreThread::persist(ports::Persist&& batch) {
  Impl& self = *impl_;
  bool wakes = false;
  std::size_t now_waiting = 0;
  {
    const std::scoped_lock lock(self.mutex);
    // A batch that is larger than the whole queue must still get through when the queue is empty.
    if (self.changes != 0 && self.changes + batch.changes.size() > self.limits.queued_changes)
      return Admission::kFull;
    self.changes += std::max<std::size_t>(batch.changes.size(), 1);
    now_waiting = self.changes;
    wakes = (self.idle && self.waiting.empty()) || now_waiting >= self.limits.changes_per_commit ||
            (batch.ticket && !self.awaited);
    if (batch.ticket) self.awaited = true;
    if (self.waiting.empty() || self.waiting.back().question) self.waiting.emplace_back();
    self.waiting.back().batches.push_back(std::move(batch));
  }
  if (wakes) self.wake.notify_one();
  return now_waiting * 2 > self.limits.queued_changes ? Admission::kCrowded : Admission::kAccepted;
}

bool StoreThread::ask(Question question) {
  Impl& self = *impl_;
  {
    const std::scoped_lock lock(self.mutex);
    if (self.questions >= self.limits.queued_questions) return false;
    ++self.questions;
    if (self.waiting.empty() || self.waiting.back().question) self.waiting.emplace_back();
    self.waiting.back().question = std::move(question);
  }
  self.wake.notify_one();
  return true;
}

void StoreThread::note(const Failure* failure) {
  impl_->note(failure);
}

std::size_t StoreThread::queued_changes() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->changes;
}

StoreThread::Figures StoreThread::figures() const {
  return {impl_->commits, impl_->failures, Duration{impl_->committing.load()}};
}

Listening StoreThread::listen(OnEvents on_events) {
  Impl* self = impl_.get();
  const std::scoped_lock lock(self->listening);
  const std::uint64_t id = ++self->last_listener;
  self->listeners.emplace(id, Impl::Listener{std::move(on_events)});
  ++self->hearing;
  return Listening([self, id](Listening::Attention attention) { self->attend(id, attention); });
}

std::uint64_t StoreThread::newest_event() const {
  return impl_->newest;
}

void StoreThread::Impl::attend(std::uint64_t id, Listening::Attention attention) {
  const std::scoped_lock lock(listening);
  if (attention == Listening::Attention::kEnded) {
    listeners.erase(id);
  } else if (const auto found = listeners.find(id); found != listeners.end()) {
    found->second.hears = attention == Listening::Attention::kHears;
  }
  hearing = static_cast<std::size_t>(
      std::ranges::count_if(listeners, [](const auto& entry) { return entry.second.hears; }));
}

void StoreThread::Impl::run() {
  std::deque<Waiting> work;
  while (wait_for_work(work)) {
    for (Waiting& next : work) {
      store_all(next.batches);
      if (next.question) next.question(store);
    }
    work.clear();
  }
}

// False: stopping, and nothing is left.
//
// A commit for every few changes would cost several times what the changes cost, and waking a thread for each
// change costs both sides: so the thread rests after a commit and then takes what has come. Whoever waits for
// a ticket is kept waiting only if others are likely to come; after a quiet time they are not.
bool StoreThread::Impl::wait_for_work(std::deque<Waiting>& work) {
  std::unique_lock lock(mutex);
  const auto enough = [&] { return stopping || questions > 0 || changes >= limits.changes_per_commit; };
  const auto rest = [&](Clock::time_point since) {
    const Duration most = hearing > 0 ? limits.gather_listened : limits.gather_unawaited;
    wake.wait_until(lock, since + most, [&] { return awaited || enough(); });
  };
  rest(last_commit);
  if (waiting.empty()) {
    idle = true;
    wake.wait(lock, [&] { return stopping || !waiting.empty(); });
    idle = false;
    if (waiting.empty()) return false;
    rest(Clock::now());
  } else if (awaited) {
    wake.wait_until(lock, last_commit + limits.gather, enough);
  }
  work.swap(waiting);
  awaited = false;
  for (const Waiting& next : work) questions -= next.question ? 1 : 0;
  return true;
}

void StoreThread::Impl::store_all(std::vector<ports::Persist>& batches) {
  std::size_t first = 0;
  while (first < batches.size()) {
    std::size_t last = first;
    std::size_t count = 0;
    while (last < batches.size() &&
           (last == first || count + batches[last].changes.size() <= limits.changes_per_commit)) {
      count += batches[last].changes.size();
      ++last;
    }
    store_group(std::span(batches).subspan(first, last - first));
    first = last;
  }
  batches.clear();
}

void StoreThread::Impl::store_group(std::span<const ports::Persist> group) {
  if (group.empty()) return;
  const auto begin = Clock::now();
  const Result<void> done = apply_with_patience(group);
  last_commit = Clock::now();
  committing += Duration(last_commit - begin).count();
  ++(done ? commits : failures);
  note(done ? nullptr : &done.error());
  if (done) {
    // Who is told that its change is stored may ask for the newest event, and must not get one before it.
    const std::uint64_t last = store.journal_end();
    const bool grown = newest.exchange(last) != last;
    report(group, true);
    return grown ? tell_listeners(last) : journalled.clear();
  }
  if (group.size() == 1 || is_of_all(done.error())) return report(group, false);
  // One of them is refused; the others must not suffer for it.
  for (std::size_t i = 0; i < group.size(); ++i) store_group(group.subspan(i, 1));
}

void StoreThread::Impl::note(const Failure* failure) {
  const auto why = failure != nullptr && is_of_all(*failure) ? std::optional(failure->kind) : std::nullopt;
  const auto before = std::exchange(down, why);
  if (before && !why) on_trouble(nullptr);
  if (failure != nullptr && (!why || why != before)) on_trouble(failure);
}

// What may pass is tried again until it is given up. Trying again is safe even if a commit went through whose
// answer was lost: every change is written so that the second time changes nothing.
Result<void> StoreThread::Impl::apply_with_patience(std::span<const ports::Persist> group) {
  const auto give_up = Clock::now() + limits.give_up_after;
  Duration pause = limits.retry_first;
  for (;;) {
    auto* const listened = hearing > 0 ? &journalled : nullptr;
    Result<void> done = store.apply(group, listened);
    if (done || done.error().kind != FailureKind::kUnavailable || Clock::now() + pause > give_up) return done;
    note(&done.error());
    std::unique_lock lock(mutex);
    const bool stop = stopping || wake.wait_for(lock, pause, [&] { return stopping; });
    lock.unlock();
    if (stop) return store.apply(group, listened);  // the last try
    pause = std::min(pause * 2, limits.retry_most);
  }
}

void StoreThread::Impl::report(std::span<const ports::Persist> group, bool ok) {
  std::vector<ports::Stored> answers;
  std::size_t count = 0;
  for (const ports::Persist& batch : group) {
    count += std::max<std::size_t>(batch.changes.size(), 1);
    if (batch.ticket) answers.push_back({batch.ticket, ok});
  }
  {
    const std::scoped_lock lock(mutex);
    changes -= count;
  }
  if (!answers.empty()) on_stored(answers);
}

// Somebody may have begun to hear after the commit began: then there is no batch, and still something to
// tell.
void StoreThread::Impl::tell_listeners(std::uint64_t last) {
  const std::scoped_lock lock(listening);
  if (hearing == 0) return journalled.clear();
  const auto batch =
      journalled.empty()
          ? nullptr
          : std::make_shared<const std::vector<events::StoredEvent>>(std::exchange(journalled, {}));
  for (const auto& [id, listener] : listeners) {
    if (listener.hears) listener.on_events(batch, last);
  }
}

}  // namespace bw::store
