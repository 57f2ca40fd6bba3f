// What one change costs the database thread, on SQLite in a file, committed in groups as StoreThread does.
// CPU time per item; an item is a call (opening and end) or a binding.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "events/description.h"
#include "store/store.h"
#include "store/store_thread.h"

namespace bw::store {
namespace {

class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "bw-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  Store open() const {
    return std::move(Store::open(Sqlite{(path_ / "bench.db").string()}, SealKey({})).value());
  }

 private:
  std::filesystem::path path_;
};

model::CallRecord call(std::uint64_t n) {
  // UUIDv7 as the call logic makes them, a call every millisecond.
  std::array<char, 40> id{};
  std::snprintf(id.data(), id.size(), "%08llx-%04llx-7abc-8def-%012llx", 0x18bcfe56ULL + (n >> 16U),
                static_cast<unsigned long long>(n & 0xffffU),
                static_cast<unsigned long long>(n * 0x9e3779b97f4a7c15U & 0xffff'ffff'ffffU));
  model::CallRecord r;
  r.id = model::CallId(id.data());
  r.from_extension = "1001";
  r.to_extension = "1002";
  r.from_number = Personal<std::string>("1001");
  r.to_number = Personal<std::string>("1002");
  r.caller_name = Personal<std::string>("Alice Example");
  r.started = Instant{Duration{1'700'000'000'000'000'000 + static_cast<std::int64_t>(n) * 1'000'000}};
  r.user_agent = "Desk phone 1.2.3.4";
  return r;
}

model::CallRecord ended(model::CallRecord r) {
  r.answered = r.started + 3s;
  r.ended = r.started + 63s;
  r.disposition = model::Disposition::kAnswered;
  r.hangup_by = "caller";
  r.cause_code = 200;
  r.reason = "1001 hung up after 60 s";
  r.legs = {{.party = "1001",
             .device = "Desk phone 1.2.3.4",
             .codec = "PCMU/8000",
             .secured = false,
             .mos = 4.41,
             .loss_percent = 0.02,
             .jitter_ms = 1.2},
            {.party = "1002",
             .device = "Desk phone 1.2.3.4",
             .codec = "PCMU/8000",
             .secured = false,
             .mos = 4.38,
             .loss_percent = 0.1,
             .jitter_ms = 2.3}};
  return r;
}

void apply(benchmark::State& state, Store& store, const std::vector<ports::Change>& changes) {
  if (auto done = store.apply(std::span<const ports::Change>(changes)); !done) {
    state.SkipWithError(done.error().sentence.c_str());
  }
}

// Calls that last: opened in one group, ended in a later one.
void call_record_pair(benchmark::State& state) {
  const Scratch scratch;
  Store store = scratch.open();
  const auto per_commit = static_cast<std::uint64_t>(state.range(0));
  std::uint64_t n = 0;
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<ports::Change> opening;
    std::vector<ports::Change> closing;
    for (std::uint64_t i = 0; i < per_commit; ++i) {
      const model::CallRecord r = call(++n);
      opening.emplace_back(ports::OpenCallRecord{r});
      closing.emplace_back(ports::CloseCallRecord{ended(r)});
    }
    state.ResumeTiming();
    apply(state, store, opening);
    apply(state, store, closing);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(n));
}
BENCHMARK(call_record_pair)->Arg(1)->Arg(10)->Arg(100)->Arg(1000);

// As in a busy office: 6,000 calls are up, and those that end are spread among them.
void call_record_pair_of_many(benchmark::State& state) {
  const Scratch scratch;
  Store store = scratch.open();
  constexpr std::uint64_t kUp = 6'000;
  std::vector<std::uint64_t> up;
  std::uint64_t n = 0;
  for (std::uint64_t i = 0; i < kUp; ++i) {
    up.push_back(++n);
    apply(state, store, {ports::OpenCallRecord{call(n)}});
  }
  const auto per_commit = static_cast<std::uint64_t>(state.range(0));
  std::uint64_t pairs = 0;
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<ports::Change> changes;
    for (std::uint64_t i = 0; i < per_commit; ++i) {
      std::uint64_t& ending = up[++pairs * 2'654'435'761U % kUp];
      changes.emplace_back(ports::CloseCallRecord{ended(call(ending))});
      ending = ++n;
      changes.emplace_back(ports::OpenCallRecord{call(n)});
    }
    state.ResumeTiming();
    apply(state, store, changes);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(pairs));
}
BENCHMARK(call_record_pair_of_many)->Arg(10)->Arg(100)->Arg(1000);

ports::Tell tell(std::uint64_t n, std::uint32_t call_seq, events::Event event) {
  std::array<char, 40> id{};
  std::snprintf(id.data(), id.size(), "%08llx-%04llx-7bcd-9def-%08llx%04x", 0x18bcfe56ULL + (n >> 16U),
                static_cast<unsigned long long>(n & 0xffffU), static_cast<unsigned long long>(n), call_seq);
  return {{events::EventId(id.data()), call(n).started + call_seq * 3s, call_seq, std::move(event)}};
}

// What a plain call tells: started, ringing, answered, ended.
std::vector<ports::Change> events_of(std::uint64_t n) {
  const model::CallRecord r = ended(call(n));
  const std::vector<events::LegQuality> quality{{"1001", 4.41, 0.02, 1.2}, {"1002", 4.38, 0.1, 2.3}};
  return {
      tell(n, 1,
           events::CallStarted{r.id, "1001", "1002", r.from_number, r.to_number, "internal", r.caller_name}),
      tell(n, 2, events::CallRinging{r.id, "1002", r.user_agent}),
      tell(n, 3, events::CallAnswered{r.id, "1001", "1002", "1002", r.user_agent, 3.02}),
      tell(n, 4,
           events::CallEnded{r.id, "1001", "1002", 63, 60, r.disposition, "caller", 200, r.reason, "",
                             quality})};
}

void event_as_json(benchmark::State& state) {
  const auto changes = events_of(1);
  std::string out;
  for (auto _ : state) {
    for (const ports::Change& c : changes) {
      const events::Entry& entry = std::get<ports::Tell>(c).entry;
      out.clear();
      events::append_data(out, entry.event, entry.at);
      benchmark::DoNotOptimize(out.data());
    }
  }
  state.SetItemsProcessed(state.iterations() * std::ssize(changes));
}
BENCHMARK(event_as_json);

// The journal alone; an item is an event.
void event(benchmark::State& state) {
  const Scratch scratch;
  Store store = scratch.open();
  const auto per_commit = static_cast<std::size_t>(state.range(0));
  std::uint64_t n = 0;
  std::size_t count = 0;
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<ports::Change> changes;
    while (changes.size() < per_commit) {
      for (auto& c : events_of(++n)) changes.push_back(std::move(c));
    }
    count += changes.size();
    state.ResumeTiming();
    apply(state, store, changes);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(count));
}
BENCHMARK(event)->Arg(4)->Arg(20)->Arg(64)->Arg(256)->Arg(1024);

// Phones that refresh: the rows are there already.
void binding_refresh(benchmark::State& state) {
  const Scratch scratch;
  Store store = scratch.open();
  constexpr std::size_t kPhones = 10'000;
  std::vector<ports::Change> all;
  for (std::size_t i = 0; i < kPhones; ++i) {
    model::Binding b;
    b.extension = model::ExtensionNumber(std::to_string(10'000 + i));
    b.contact = "sip:" + b.extension.value + "@192.0.2.9:40001;transport=udp";
    b.instance = "urn:uuid:00000000-0000-4000-8000-" + std::to_string(100'000'000'000 + i);
    b.call_id = "a84b4c76e66710@192.0.2.9";
    b.flow.remote = *Endpoint::parse("192.0.2.9:40001");
    b.flow.local = *Endpoint::parse("192.0.2.1:5060");
    b.user_agent = "Desk phone 1.2.3.4";
    all.emplace_back(ports::SaveBinding{b});
  }
  apply(state, store, all);
  const auto per_commit = static_cast<std::size_t>(state.range(0));
  std::size_t next = 0;
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<ports::Change> some;
    for (std::size_t i = 0; i < per_commit; ++i) {
      some.push_back(all[next * 7919 % kPhones]);
      ++std::get<ports::SaveBinding>(some.back()).binding.cseq;
      ++next;
    }
    state.ResumeTiming();
    apply(state, store, some);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(next));
}
BENCHMARK(binding_refresh)->Arg(1)->Arg(10)->Arg(100)->Arg(1000);

// CPU time of the database thread so far.
double cpu_seconds(StoreThread& thread) {
  std::promise<double> answer;
  thread.ask([&](Store&) {
    timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    answer.set_value(static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9);
  });
  return answer.get_future().get();
}

// How long events were on their way from persist() to who listens.
class Latency {
 public:
  using Clock = std::chrono::steady_clock;
  void told(std::size_t events) {
    const std::scoped_lock lock(mutex_);
    told_.insert(told_.end(), events, Clock::now());
  }
  StoreThread::OnEvents on_events() {
    return [this](const events::StoredBatch& batch, std::uint64_t) {
      const std::scoped_lock lock(mutex_);
      for (std::size_t i = 0; i < batch->size(); ++i) took_.push_back(Clock::now() - told_[took_.size()]);
    };
  }
  double p99_ms() {
    const std::scoped_lock lock(mutex_);
    if (took_.empty()) return 0;
    const auto at = took_.begin() + std::ssize(took_) * 99 / 100;
    std::ranges::nth_element(took_, at);
    return std::chrono::duration<double, std::milli>(*at).count();
  }

 private:
  std::mutex mutex_;
  std::vector<Clock::time_point> told_;
  std::vector<Clock::duration> took_;
};

// What the whole way costs at a steady rate, with the waking and the grouping; calls of one second, nobody
// waits for them. The second argument: with their events (1), and with somebody who listens to them (2).
void calls_through_the_thread(benchmark::State& state) {
  const Scratch scratch;
  const bool with_events = state.range(1) > 0;
  const auto per_second = static_cast<std::uint64_t>(state.range(0));
  const auto pause = std::chrono::nanoseconds(1s) / static_cast<std::int64_t>(per_second);
  std::uint64_t n = 0;
  double cpu = 0;
  n = per_second;
  for (auto _ : state) {
    StoreThread thread(
        scratch.open(), [](auto) {},
        [&](const Failure* f) {
          if (f != nullptr) state.SkipWithError(f->sentence.c_str());
        });
    Latency latency;
    const Listening listening = state.range(1) > 1 ? thread.listen(latency.on_events()) : Listening{};
    const double before = cpu_seconds(thread);
    auto next = std::chrono::steady_clock::now();
    for (const std::uint64_t end = n + 4 * per_second; n < end; ++n) {
      ports::Persist opening{{}, {ports::OpenCallRecord{call(n)}}};
      ports::Persist closing{{}, {ports::CloseCallRecord{ended(call(n - per_second))}}};
      if (with_events) {
        auto told = events_of(n);
        closing.changes.push_back(std::move(told[3]));
        opening.changes.push_back(std::move(told[0]));
        latency.told(n >= 2 * per_second ? 4 : 3);
        thread.persist(std::move(opening));
        thread.persist({{}, {std::move(told[1])}});
        thread.persist({{}, {std::move(told[2])}});
      } else {
        thread.persist(std::move(opening));
      }
      if (n >= 2 * per_second) thread.persist(std::move(closing));
      std::this_thread::sleep_until(next += pause);
    }
    cpu += cpu_seconds(thread) - before;
    if (state.range(1) > 1) state.counters["p99_ms"] = latency.p99_ms();
  }
  state.counters["cpu_us_per_call"] = cpu / static_cast<double>(n - 2 * per_second) * 1e6;
}
BENCHMARK(calls_through_the_thread)
    ->ArgsProduct({{50, 125, 800}, {0, 1, 2}})
    ->Iterations(1)
    ->Unit(benchmark::kSecond);

}  // namespace
}  // namespace bw::store
