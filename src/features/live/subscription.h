// One reader of the live stream (docs/live-stream.md): which events it is shown, in order, each once, with
// nothing left out between what was stored before it came and what is stored while it listens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/core.h"
#include "base/time.h"
#include "events/stored.h"

namespace bw::live {

struct Limits {
  std::size_t page_events = 100;  // of the journal at a time; the next when these are on their way
};

struct Filter {
  std::vector<std::string> types{};  // patterns of events::matches(); empty: all
  std::string extension{};           // whom it concerns; empty: all
  std::string call{};                // empty: all
};

// What one may see: everything, or what concerns one extension.
struct Viewer {
  bool everything = false;
  std::string extension{};
};

bool shown_to(const Viewer& viewer, const Filter& filter, const events::StoredEvent& event);

// Follows commits once it has read the journal up to them. Owned by its connection.
class Subscription {
 public:
  // ---- what it is told ----
  struct Committed {            // to be told from construction on, in order
    events::StoredBatch batch;  // null: what was stored up to `newest` is only in the journal
    std::uint64_t newest = 0;
  };
  struct PageRead {  // answers ReadPage
    events::StoredBatch events;
    std::uint64_t reached = 0;  // everything up to this number was looked at
    std::uint64_t oldest = 0;   // still in the journal; 0: it is empty
    std::uint64_t newest = 0;
    bool complete = false;  // there was nothing more
  };
  struct ReadFailed {};     // answers ReadPage
  struct SnapshotShown {};  // answers TakeSnapshot
  struct Drained {};        // what was shown is on its way
  struct Refused {};        // what was shown was not taken: too much of it is unread
  using Input = std::variant<Tick, Committed, PageRead, ReadFailed, SnapshotShown, Drained, Refused>;

  // ---- what it wants ----
  struct ReadPage {
    std::uint64_t after = 0;
    std::size_t limit = 0;
  };
  struct Show {
    events::StoredBatch batch;
    std::size_t index = 0;
  };
  // Show what is so at this moment; events after `as_of` follow, of which it may know already.
  struct TakeSnapshot {
    std::uint64_t as_of = 0;
    std::string_view why;  // a sentence
  };
  struct Leave {  // nothing is wanted after it
    std::string_view reason;
  };
  using Output = std::variant<ReadPage, Show, TakeSnapshot, Leave>;

  // `since`: the last number the reader has. `newest`: the last commit that was told to those who follow.
  Subscription(Filter filter, Viewer viewer, std::uint64_t since, std::uint64_t newest, Limits limits = {});

  void handle(const Input& input, Instant now);
  std::optional<Output> poll();
  Deadline deadline() const { return Deadline::never(); }  // it waits for others, never for time

  const Filter& filter() const { return filter_; }
  const Viewer& viewer() const { return viewer_; }

 private:
  enum class State : std::uint8_t {
    kFollowing,  // every commit is shown as it comes
    kReading,    // a page of the journal is on its way to us
    kDraining,   // a page is on its way to the reader
    kSnapshotting,
    kLeft,
  };

  void on(const Tick&) {}
  void on(const Committed& in);
  void on(const PageRead& in);
  void on(const ReadFailed&);
  void on(const SnapshotShown&);
  void on(const Drained&);
  void on(const Refused&);
  bool show(const events::StoredBatch& batch);
  void read_on();
  void take_snapshot(std::uint64_t newest, std::string_view why);
  void leave(std::string_view reason);

  Filter filter_;
  Viewer viewer_;
  Limits limits_;
  State state_ = State::kFollowing;
  std::uint64_t cursor_;     // all up to here has been shown, or was not wanted
  std::uint64_t committed_;  // the newest we were told of
  std::deque<Output> out_;
};

static_assert(Core<Subscription>);

}  // namespace bw::live
