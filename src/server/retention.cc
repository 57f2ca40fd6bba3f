#include "server/retention.h"

#include <utility>

#include "store/journal.h"

namespace bw::server {

void Retention::round() {
  if (!stopped_ && !under_way_.exchange(true)) ask_for_step();
}

void Retention::ask_for_step() {
  // Too many questions wait: the next round comes.
  if (!store_.ask([this](store::Store& store) { step(store); })) under_way_ = false;
}

void Retention::step(store::Store& store) {
  const Instant before = clock_.now() - Duration{events_for_.load()};
  const auto count = store::Journal(store).remove_before(before, kLimits.events_per_step);
  if (!count) log_.error("old events could not be removed: {}", count.error().sentence);
  removed_ += count.value_or(0);
  if (count == kLimits.events_per_step && !stopped_) return ask_for_step();
  if (const std::size_t all = std::exchange(removed_, 0); all > 0) log_.info("{} old events removed", all);
  under_way_ = false;
}

}  // namespace bw::server
