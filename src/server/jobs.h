// A thread for what takes long and waits for nothing: password hashes.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace bw::server {

// Runs from construction to destruction; jobs that have not begun then are dropped. Any thread may call
// run().
class Jobs {
 public:
  using Job = std::move_only_function<void()>;

  // A hash takes up to 0.1 s: so many are some seconds of waiting, and nobody waits longer.
  static constexpr std::size_t kMostWaiting = 64;

  Jobs();
  ~Jobs();
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  // For the one thread that gives jobs: the next one is taken.
  bool has_room();
  void run(Job&& job);

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> waiting_;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace bw::server
