// What is posted when, and what becomes of it.
#include <algorithm>
#include <utility>

#include "webhooks/backoff.h"
#include "webhooks/webhooks.h"

namespace bw::webhooks {
namespace {

constexpr int kTooMany = 429;
constexpr int kUnavailable = 503;
constexpr int kGone = 410;

bool is_success(int status) {
  return status >= 200 && status < 300;
}

std::string error_of(const http::Outcome& outcome) {
  if (!outcome.error.empty()) return outcome.error;
  if (is_success(outcome.status)) return {};
  const std::string answered = "The receiver answered " + std::to_string(outcome.status);
  return outcome.status >= 300 && outcome.status < 400 ? answered + "; redirects are not followed."
                                                       : answered + ".";
}

DeliveryRecord record_of(const Letter& letter, std::uint64_t seq, std::uint32_t attempt,
                         const http::Outcome& outcome, Instant now) {
  return {.event_id = letter.event_id,
          .type = letter.type,
          .seq = seq,
          .attempt = attempt,
          .at = now - outcome.latency,
          .status = outcome.status,
          .error = error_of(outcome),
          .latency = outcome.latency,
          .excerpt = outcome.excerpt};
}

std::string name_of(const Subscription& s) {
  return s.id.value + " (" + host_of(s.url) + ")";
}

}  // namespace

void Webhooks::send(Receiver& r, Instant now) {
  if (!r.active() || !settings_.enabled || closing_ || now < r.not_before) return;
  r.queue.wake(now);
  if (r.replay) r.replay->wake(now);
  const std::size_t most = r.failing ? 1 : settings_.max_in_flight;
  while (r.in_flight < most) {
    if (r.failing && !r.queue.wake_one() && r.replay) r.replay->wake_one();
    if (const auto item = r.queue.start_next()) {
      start(r, detail::Course::kJournal, *item, now);
    } else if (const auto again = r.replay ? r.replay->start_next() : std::nullopt) {
      start(r, detail::Course::kReplay, *again, now);
    } else {
      break;
    }
  }
}

void Webhooks::start(Receiver& r, detail::Course course, const detail::Queue::Item& item, Instant now) {
  const std::uint64_t id = ++last_call_;
  flights_.emplace(id, Flight{r.subscription.id, course, item.seq, r.epoch});
  ++r.in_flight;
  out_.emplace_back(
      call_of(*item.letter, r.subscription, {id, settings_.timeout, settings_.user_agent}, now));
}

void Webhooks::on(const http::Outcome& outcome, Instant now) {
  if (auto test = tests_.extract(outcome.id)) return test_answered(std::move(test.mapped()), outcome, now);
  const auto node = flights_.extract(outcome.id);
  if (node.empty()) return;
  const Flight& flight = node.mapped();
  Receiver* r = find(flight.subscription);
  if (r == nullptr || r->epoch != flight.epoch) return;
  --r->in_flight;
  ++r->attempts;
  r->attempt_time += outcome.latency;
  detail::Queue* queue = r->queue_of(flight.course);
  if (queue == nullptr) return;
  if (is_success(outcome.status)) {
    const auto item = queue->item(flight.seq);
    r->record(limits_, record_of(*item.letter, flight.seq, item.failures + 1, outcome, now));
    if (r->failing) {
      out_.emplace_back(Note{Note::Level::kInfo, "webhook " + name_of(r->subscription) + " answers again"});
    }
    r->succeeded(now);
    queue->done(flight.seq);
    end_replay_if_finished(*r);
  } else {
    ++r->failures;
    delivery_failed(*r, *queue, flight, outcome, now);
  }
  touched(*r, now);
  send(*r, now);
  read_on(now);
}

void Webhooks::delivery_failed(Receiver& r, detail::Queue& queue, const Flight& flight,
                               const http::Outcome& outcome, Instant now) {
  const auto flown = queue.failed(flight.seq, now);
  r.record(limits_, record_of(*flown.letter, flight.seq, flown.failures, outcome, now));
  if (!r.active()) return queue.rest(flight.seq, now);  // it was switched off while this was under way
  if (outcome.status == kGone) {
    queue.rest(flight.seq, now);
    return stand(r, Standing::kDisabled, "The receiver answered 410 (gone).", now);
  }
  if (!r.failing_since) r.failing_since = now;
  ++r.failures_in_row;
  if (r.first_to_fail == 0) r.first_to_fail = flight.seq;
  r.several_failed = r.several_failed || r.first_to_fail != flight.seq;
  if (!r.failing && r.looks_dead(limits_)) {
    r.failing = true;
    out_.emplace_back(Note{Note::Level::kWarning, "webhook " + name_of(r.subscription) +
                                                      " answers nothing but failures: " + error_of(outcome)});
  }
  if (r.failing) r.not_before = now + probe_delay(r.looks++, settings_.retry_delay, rng_);
  if (outcome.retry_after && (outcome.status == kTooMany || outcome.status == kUnavailable))
    r.not_before = std::max(r.not_before, now + wait_asked_for(*outcome.retry_after));
  if (r.failing && now - *r.failing_since >= limits_.give_up_after) {
    queue.rest(flight.seq, now);
    return stand(
        r, Standing::kPaused,
        "Nothing but failures for a day; enable it again when the receiver answers. Nothing is lost until "
        "then. The last: " +
            error_of(outcome),
        now);
  }
  if (!r.failing && now - flown.first_failed >= limits_.give_up_after) {
    auto dead = queue.bury(flight.seq, now);
    dead->error = error_of(outcome);
    r.bury(limits_, std::move(*dead));
    return end_replay_if_finished(r);
  }
  queue.rest(flight.seq,
             now + retry_delay(flown.failures, settings_.retry_delay, settings_.max_retries, rng_));
  if (!r.failing && flown.failures > settings_.max_retries) queue.defer(flight.seq);
}

void Webhooks::end_replay_if_finished(Receiver& r) {
  if (r.replay && r.replay->finished()) r.replay.reset();
}

// Why it no longer stands where it stood is stored like a change by hand.
void Webhooks::stand(Receiver& r, Standing standing, std::string reason, Instant now) {
  r.subscription.standing = standing;
  r.subscription.reason = std::move(reason);
  out_.emplace_back(Note{Note::Level::kWarning,
                         "webhook " + name_of(r.subscription) + " is off: " + r.subscription.reason});
  touched(r, now);
  keep(r);
}

void Webhooks::keep(Receiver& r) {
  r.keep_again.reset();
  const std::uint64_t ticket = ++last_ticket_;
  changes_.emplace(ticket, Change{.save = {r.subscription}});
  out_.emplace_back(Keep{.ticket = ticket, .save = {r.subscription}});
}

void Webhooks::test_answered(TestFlight&& test, const http::Outcome& outcome, Instant now) {
  test.shown.outcome = record_of(test.letter, 0, 1, outcome, now);
  if (Receiver* r = find(test.subscription)) {
    r->record(limits_, DeliveryRecord(test.shown.outcome));
    touched(*r, now);
  }
  out_.emplace_back(Reply{test.wish, std::move(test.shown)});
}

}  // namespace bw::webhooks
