// Forgets what is older than it is kept for, in small steps between the commits of the database thread.
#pragma once

#include <atomic>
#include <cstddef>

#include "base/time.h"
#include "io/clock.h"
#include "server/log.h"
#include "store/store_thread.h"

namespace bw::server {

struct RetentionLimits {
  std::size_t events_per_step = 500;  // a few milliseconds, in which no commit can begin
};

// Outlives the thread it asks; any thread may call it.
class Retention {
 public:
  Retention(store::StoreThread& store, const io::Clock& clock, Log& log, Duration events_for)
      : store_(store), clock_(clock), log_(log), events_for_(events_for.count()) {}

  void keep_events_for(Duration d) { events_for_ = d.count(); }
  // Removes what has grown old since; does nothing while an earlier round is under way.
  void round();
  // The step under way is the last; before the database thread ends.
  void stop() { stopped_ = true; }

 private:
  void ask_for_step();
  void step(store::Store& store);

  static constexpr RetentionLimits kLimits{};
  store::StoreThread& store_;
  const io::Clock& clock_;
  Log& log_;
  std::atomic<Duration::rep> events_for_;
  std::atomic<bool> under_way_ = false;
  std::atomic<bool> stopped_ = false;
  std::size_t removed_ = 0;  // in this round; of the database thread
};

}  // namespace bw::server
