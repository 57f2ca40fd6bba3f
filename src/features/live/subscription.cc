#include "live/subscription.h"

#include <algorithm>
#include <utility>

#include "events/description.h"

namespace bw::live {

bool shown_to(const Viewer& viewer, const Filter& filter, const events::StoredEvent& event) {
  const auto concerns = [&](const std::string& extension) {
    return std::ranges::find(event.extensions, extension) != event.extensions.end();
  };
  if (!viewer.everything && (viewer.extension.empty() || !concerns(viewer.extension))) return false;
  if (!filter.extension.empty() && !concerns(filter.extension)) return false;
  if (!filter.call.empty() && event.call_id != filter.call) return false;
  return filter.types.empty() || std::ranges::any_of(filter.types, [&](const std::string& pattern) {
           return events::matches(pattern, event.type);
         });
}

Subscription::Subscription(Filter filter, Viewer viewer, std::uint64_t since, std::uint64_t newest,
                           Limits limits)
    : filter_(std::move(filter)),
      viewer_(std::move(viewer)),
      limits_(limits),
      cursor_(since),
      committed_(newest) {
  if (since != newest) read_on();
}

void Subscription::handle(const Input& input, Instant) {
  if (state_ == State::kLeft) return;
  std::visit([this](const auto& in) { on(in); }, input);
}

std::optional<Subscription::Output> Subscription::poll() {
  if (out_.empty()) return std::nullopt;
  Output first = std::move(out_.front());
  out_.pop_front();
  return first;
}

// Nothing is kept of commits that come while the journal is read: they are in it.
void Subscription::on(const Committed& in) {
  const bool told = in.batch && !in.batch->empty();
  const std::uint64_t last = told ? in.batch->back().seq : in.newest;
  committed_ = std::max(committed_, last);
  if (state_ != State::kFollowing) return;
  if (last <= cursor_) return;
  if (!told || in.batch->front().seq > cursor_ + 1) return read_on();  // a commit nobody told us of
  show(in.batch);
  cursor_ = last;
}

void Subscription::on(const PageRead& in) {
  if (state_ != State::kReading) return;
  if (cursor_ > in.newest) {
    return take_snapshot(in.newest, "The number asked for is not yet given: this is another journal.");
  }
  if (in.oldest > cursor_ + 1) {
    return take_snapshot(in.newest, "Events before this were removed from the journal.");
  }
  const bool shown = show(in.events);
  cursor_ = std::max(cursor_, in.reached);
  if (in.complete && cursor_ >= committed_) {
    state_ = State::kFollowing;
  } else if (shown) {
    state_ = State::kDraining;
  } else {
    read_on();
  }
}

void Subscription::on(const ReadFailed&) {
  leave("The journal cannot be read at present.");
}

void Subscription::on(const SnapshotShown&) {
  if (state_ == State::kSnapshotting) read_on();
}

void Subscription::on(const Drained&) {
  if (state_ == State::kDraining) read_on();
}

void Subscription::on(const Refused&) {
  leave("The reader is too slow. Come back with the last number read.");
}

bool Subscription::show(const events::StoredBatch& batch) {
  bool any = false;
  for (std::size_t i = 0; i < batch->size(); ++i) {
    const events::StoredEvent& event = (*batch)[i];
    if (event.seq <= cursor_ || !shown_to(viewer_, filter_, event)) continue;
    out_.emplace_back(Show{batch, i});
    any = true;
  }
  return any;
}

void Subscription::read_on() {
  state_ = State::kReading;
  out_.emplace_back(ReadPage{cursor_, limits_.page_events});
}

void Subscription::take_snapshot(std::uint64_t newest, std::string_view why) {
  state_ = State::kSnapshotting;
  cursor_ = newest;
  out_.emplace_back(TakeSnapshot{newest, why});
}

void Subscription::leave(std::string_view reason) {
  state_ = State::kLeft;
  out_.clear();
  out_.emplace_back(Leave{reason});
}

}  // namespace bw::live
