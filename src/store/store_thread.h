// The database thread: takes what is to be stored, commits in groups, reports back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/time.h"
#include "events/stored.h"
#include "ports/persistence.h"
#include "store/store.h"

namespace bw::store {

struct ThreadLimits {
  std::size_t queued_changes = 50'000;  // beyond: kFull
  std::size_t changes_per_commit = 2'000;
  std::size_t queued_questions = 1'000;
  // Company to wait for before a commit: while somebody waits for a ticket, and only while commits follow
  // each other closely; and when nobody waits. A kill may take what was queued for so long.
  Duration gather = 2ms;
  Duration gather_unawaited = 50ms;
  Duration gather_listened = 20ms;  // nobody waits for a ticket, but somebody listens to events
  Duration retry_first = 50ms;      // doubled up to retry_most
  Duration retry_most = 2s;
  Duration give_up_after = 30s;  // then Stored{ok = false}
};

enum class Admission : std::uint8_t {
  kAccepted,
  kCrowded,  // accepted; more than half full: take on no new work
  kFull,     // not accepted, the batch is untouched: offer it again later
};

// Ends the listening when it goes: then no call is under way and none will come. The StoreThread outlives it;
// it does not end inside the call.
class Listening {
 public:
  enum class Attention : std::uint8_t { kHears, kDoesNotHear, kEnded };
  using Turn = std::move_only_function<void(Attention)>;
  Listening() = default;
  explicit Listening(Turn turn) : turn_(std::move(turn)) {}
  Listening(Listening&& other) noexcept : turn_(std::exchange(other.turn_, nullptr)) {}
  Listening& operator=(Listening&& other) noexcept {
    std::swap(turn_, other.turn_);
    return *this;
  }
  ~Listening() {
    if (turn_) turn_(Attention::kEnded);
  }
  // Not to be called from inside the call. Who has nobody to tell should not hear: an event then costs no
  // copy, and commits may wait longer for company.
  void hear(bool wanted) {
    if (turn_) turn_(wanted ? Attention::kHears : Attention::kDoesNotHear);
  }

 private:
  Turn turn_;
};

// Runs from construction to destruction; the destructor stores what is still queued (giving each group one
// try more when the database is down). Any thread may call the public functions.
class StoreThread {
 public:
  // Both are called in the database thread and must not block; `on_stored` once per commit, in the order
  // of persist(), only for batches that carry a ticket.
  using OnStored = std::function<void(std::span<const ports::Stored>)>;
  // A database that does not answer is told of once, and with null once it does again.
  using OnTrouble = std::function<void(const Failure* failure)>;
  // Runs in the database thread after everything that was queued before it.
  using Question = std::move_only_function<void(Store&)>;

  // What a commit stored in the journal, in the order of seq, after the commit, in the database thread; must
  // not block. No batch, or one that does not begin right after the one before, means that something was
  // stored up to `newest` that cannot be told: then the journal is to be read (store/journal.h).
  using OnEvents = std::function<void(const events::StoredBatch& batch, std::uint64_t newest)>;

  StoreThread(Store store, OnStored on_stored, OnTrouble on_trouble, const ThreadLimits& limits = {});
  ~StoreThread();
  StoreThread(const StoreThread&) = delete;
  StoreThread& operator=(const StoreThread&) = delete;

  // The number of the newest event of which a commit has been told, or would have been. Who begins to hear
  // and then asks for it knows: what is beyond it will be told.
  std::uint64_t newest_event() const;

  Admission persist(ports::Persist&& batch);  // moved from only if accepted
  bool ask(Question question);                // false: too many are waiting
  // How a question fared that reads or writes; only from within it. Trouble is told as that of changes is.
  template <typename T>
  void note(const Result<T>& result) {
    note(result ? nullptr : &result.error());
  }
  std::size_t queued_changes() const;
  // Since the start.
  struct Figures {
    std::uint64_t commits = 0;
    std::uint64_t failures = 0;  // groups that were given up or refused
    Duration committing{0};      // the time of all commits together
  };
  Figures figures() const;

  // While nobody listens, events are not even kept after they are written. The first batch is of the commit
  // that begins next; what was stored before is in the journal.
  [[nodiscard]] Listening listen(OnEvents on_events);

 private:
  void note(const Failure* failure);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::store
