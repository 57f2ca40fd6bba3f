#include "server/jobs.h"

#include <utility>

namespace bw::server {

Jobs::Jobs() : thread_([this] { work(); }) {}

Jobs::~Jobs() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

bool Jobs::has_room() {
  const std::scoped_lock lock(mutex_);
  return waiting_.size() < kMostWaiting;
}

void Jobs::run(Job&& job) {
  {
    const std::scoped_lock lock(mutex_);
    waiting_.push_back(std::move(job));
  }
  wake_.notify_one();
}

void Jobs::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    Job job = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    job();
    job = {};  // what it holds goes before the next is waited for
    lock.lock();
  }
}

}  // namespace bw::server
