// What the API asks for: checked here, stored before it holds, answered after that.
#include <algorithm>
#include <iterator>
#include <utility>

#include "base/rfc3339.h"
#include "base/uuid.h"
#include "webhooks/signature.h"
#include "webhooks/webhooks.h"

namespace bw::webhooks {
namespace {

constexpr std::size_t kIdLength = 12;

Refused wrong(std::string sentence, std::string field) {
  return {400, "bad_request", std::move(sentence), std::move(field)};
}

std::optional<Refused> fault_of(const Draft& draft, const Limits& limits) {
  if (draft.url) {
    if (auto fault = fault_of_url(*draft.url)) return wrong(*fault, "url");
  }
  if (draft.events) {
    if (draft.events->empty()) return wrong("events must name at least one event, or \"*\".", "events");
    if (draft.events->size() > limits.patterns) return wrong("events has more than 64 entries.", "events");
    for (const std::string& e : *draft.events) {
      if (auto fault = fault_of_event(e)) return wrong(*fault, "events");
    }
  }
  if (draft.extensions && draft.extensions->size() > limits.patterns)
    return wrong("extensions has more than 64 entries.", "extensions");
  if (draft.headers) {
    if (draft.headers->size() > limits.headers) return wrong("headers has more than 32 entries.", "headers");
    for (const auto& [name, value] : *draft.headers) {
      if (auto fault = fault_of_header(name, value.reveal())) return wrong(*fault, "headers");
    }
  }
  if (draft.secret && !draft.secret->reveal().empty()) {
    if (auto fault = fault_of_secret(draft.secret->reveal())) return wrong(*fault, "secret");
  }
  return std::nullopt;
}

void apply(const Draft& draft, Subscription& s) {
  if (draft.url) s.url = *draft.url;
  if (draft.events) s.events = *draft.events;
  if (draft.extensions) s.extensions = *draft.extensions;
  if (draft.headers) s.headers = *draft.headers;
  if (draft.secret) {
    s.secret = *draft.secret;
    s.former = {};
    s.former_until = {};
  }
  if (draft.enabled && *draft.enabled != (s.standing == Standing::kActive)) {
    s.standing = *draft.enabled ? Standing::kActive : Standing::kDisabled;
    s.reason.clear();
  }
}

Letter test_letter(const SubscriptionId& id, Rng& rng, Instant now) {
  events::StoredEvent event;
  event.event_id = uuid_v7(now, rng);
  event.at = now;
  event.type = "webhook.test";
  event.data = R"({"message":"A test of this webhook.","subscription_id":")" + id.value +
               R"(","timestamp":")" + rfc3339(now) + R"("})";
  return letter_of(event);
}

// The request as it is shown: the names of a person's own headers, since a value may be a token.
std::vector<std::string> shown_headers(const http::Call& call, const Subscription& s) {
  std::vector<std::string> out = call.headers.reveal();
  out.resize(out.size() - s.headers.size());
  for (const auto& [name, value] : s.headers) out.push_back(name + ": (not shown)");
  return out;
}

}  // namespace

Webhooks::Receiver* Webhooks::find(const SubscriptionId& id) {
  const auto it = receivers_.find(id);
  return it == receivers_.end() ? nullptr : &it->second;
}

void Webhooks::refuse(WishId wish, Refused&& refused) {
  out_.emplace_back(Reply{wish, std::move(refused)});
}

Webhooks::Receiver* Webhooks::find_or_refuse(WishId wish, const SubscriptionId& id, bool to_change) {
  Receiver* r = find(id);
  if (r == nullptr) {
    refuse(wish, {404, "not_found", "There is no webhook " + id.value + ".", "id"});
  } else if (to_change && r->changing) {
    refuse(wish, {409, "conflict", "This webhook is being changed; try again.", ""});
    return nullptr;
  }
  return r;
}

void Webhooks::on(const Asked& asked, Instant now) {
  std::visit([&](const auto& w) { wish(asked.wish, w, now); }, asked.what);
}

void Webhooks::wish(WishId id, const List&, Instant) {
  Listed listed;
  for (const auto& [_, r] : receivers_) listed.subscriptions.push_back(r.view(newest_));
  std::ranges::sort(listed.subscriptions, {}, [](const View& v) { return std::pair(v.created_at, v.id); });
  out_.emplace_back(Reply{id, std::move(listed)});
}

Subscription Webhooks::made(const Draft& draft, Instant now) {
  Subscription s;
  s.id = SubscriptionId("wh_" + rng_.token(kIdLength));
  s.created_at = now;
  apply(draft, s);
  return s;
}

void Webhooks::wish(WishId id, const Create& create, Instant now) {
  if (!create.draft.url) return refuse(id, wrong("url is missing.", "url"));
  if (auto fault = fault_of(create.draft, limits_)) return refuse(id, std::move(*fault));
  if (receivers_.size() + changes_.size() >= limits_.subscriptions)
    return refuse(id, {409, "too_many", "There are as many webhooks as there may be.", ""});
  propose({.wish = id, .save = {made(create.draft, now)}, .drop = {}, .cursor = newest_, .creates = true});
}

// What is wrong in a file was said when the file was read; here it is passed over.
void Webhooks::wish(WishId id, const Adopt& adopt, Instant now) {
  Change change{.wish = id, .cursor = newest_, .creates = true};
  for (const Draft& draft : adopt.drafts) {
    if (!draft.url || fault_of(draft, limits_)) continue;
    const auto same = [&](const Subscription& s) { return s.url == *draft.url; };
    const bool known =
        std::ranges::any_of(receivers_, [&](const auto& e) { return same(e.second.subscription); }) ||
        std::ranges::any_of(change.save, same);
    if (known || receivers_.size() + change.save.size() >= limits_.subscriptions) continue;
    change.save.push_back(made(draft, now));
  }
  if (change.save.empty()) {
    out_.emplace_back(Reply{id, Listed{}});
  } else {
    propose(std::move(change));
  }
}

void Webhooks::wish(WishId id, const webhooks::Change& wanted, Instant) {
  Receiver* r = find_or_refuse(id, wanted.id, true);
  if (r == nullptr) return;
  if (auto fault = fault_of(wanted.draft, limits_)) return refuse(id, std::move(*fault));
  Subscription next = r->subscription;
  apply(wanted.draft, next);
  propose({.wish = id, .save = {std::move(next)}, .sets_standing = wanted.draft.enabled.has_value()});
}

void Webhooks::wish(WishId id, const RotateSecret& wanted, Instant now) {
  Receiver* r = find_or_refuse(id, wanted.id, true);
  if (r == nullptr) return;
  if (wanted.secret) {
    if (auto fault = fault_of_secret(wanted.secret->reveal())) return refuse(id, wrong(*fault, "secret"));
  }
  Subscription next = r->subscription;
  next.former = next.secret;
  next.former_until = now + limits_.former_secret;
  next.secret = wanted.secret ? *wanted.secret : new_secret(rng_);
  Change change{.wish = id, .save = {next}};
  if (!wanted.secret) change.shown_secret = next.secret;
  propose(std::move(change));
}

void Webhooks::wish(WishId id, const Remove& wanted, Instant) {
  if (find_or_refuse(id, wanted.id, true) == nullptr) return;
  propose({.wish = id, .save = {}, .drop = {wanted.id}});
}

void Webhooks::wish(WishId id, const RemoveByUrl& wanted, Instant) {
  Change change{.wish = id};
  for (const auto& [known, r] : receivers_) {
    if (r.subscription.url == wanted.url && !r.changing) change.drop.push_back(known);
  }
  if (change.drop.empty()) return refuse(id, {404, "not_found", "There is no webhook for this URL.", "url"});
  propose(std::move(change));
}

void Webhooks::propose(Change&& change) {
  for (const Subscription& s : change.save) {
    if (Receiver* r = find(s.id)) r->changing = true;
  }
  for (const SubscriptionId& id : change.drop) {
    if (Receiver* r = find(id)) r->changing = true;
  }
  const std::uint64_t ticket = ++last_ticket_;
  out_.emplace_back(Keep{ticket, change.save, change.cursor, change.drop});
  changes_.emplace(ticket, std::move(change));
}

// A change of a person has been stored. What Bellwire itself found out meanwhile stays, unless the person
// spoke of just that.
void Webhooks::changed(Receiver& r, const Subscription& next, bool sets_standing) {
  const Subscription before = std::exchange(r.subscription, next);
  if (!sets_standing) {
    r.subscription.standing = before.standing;
    r.subscription.reason = before.reason;
    if (before.standing != next.standing) keep(r);
  }
  const bool again = before.standing != Standing::kActive && r.active();
  if (again || before.url != next.url) r.forget_failures();
  if (again && before.standing == Standing::kDisabled) r.begin_at(limits_, newest_);
}

void Webhooks::answer(Change&& change, bool ok) {
  if (!ok)
    return refuse(change.wish,
                  {503, "unavailable", "The database does not answer; nothing was changed.", ""});
  if (!change.drop.empty()) {
    out_.emplace_back(Reply{change.wish, Removed{change.drop.size()}});
    return;
  }
  Listed listed;
  for (const Subscription& s : change.save) {
    if (const Receiver* r = find(s.id)) listed.subscriptions.push_back(r->view(newest_));
  }
  if (listed.subscriptions.size() == 1) {
    out_.emplace_back(Reply{change.wish, Shown{listed.subscriptions.front(), change.shown_secret}});
  } else {
    out_.emplace_back(Reply{change.wish, std::move(listed)});
  }
}

void Webhooks::wish(WishId id, const Test& wanted, Instant now) {
  const Receiver* r = find_or_refuse(id, wanted.id, false);
  if (r == nullptr) return;
  if (tests_.size() >= limits_.tests)
    return refuse(id, {429, "too_many", "Too many tests are under way; try again.", ""});
  TestFlight test{id, wanted.id, test_letter(wanted.id, rng_, now), {}};
  const std::uint64_t call_id = ++last_call_;
  http::Call call =
      call_of(test.letter, r->subscription, {call_id, settings_.timeout, settings_.user_agent}, now);
  test.shown = {r->subscription.url, shown_headers(call, r->subscription), test.letter.body, {}};
  tests_.emplace(call_id, std::move(test));
  out_.emplace_back(std::move(call));
}

void Webhooks::wish(WishId id, const Deliveries& wanted, Instant) {
  const Receiver* r = find_or_refuse(id, wanted.id, false);
  if (r == nullptr) return;
  DeliveryLog log;
  for (const DeliveryRecord& delivery : r->log) log.newest_first.push_back(delivery);
  std::ranges::reverse(log.newest_first);
  if (log.newest_first.size() > wanted.limit) log.newest_first.resize(wanted.limit);
  out_.emplace_back(Reply{id, std::move(log)});
}

void Webhooks::wish(WishId id, const Replay& wanted, Instant now) {
  Receiver* r = find_or_refuse(id, wanted.id, false);
  if (r == nullptr) return;
  if (!r->active()) return refuse(id, {409, "conflict", "This webhook is off; enable it first.", ""});
  if (wanted.event_id.empty() && !wanted.since && !wanted.until) return replay_dead(id, *r, now);
  if (r->replay) return refuse(id, {409, "conflict", "A replay is under way already.", ""});
  if (replays_.size() >= limits_.tests)
    return refuse(id, {429, "too_many", "Too many replays begin at once; try again.", ""});
  replays_.emplace(id, wanted.id);
  out_.emplace_back(FindEvents{id, wanted.event_id, wanted.since, wanted.until});
}

void Webhooks::on(const Found& found, Instant now) {
  const auto node = replays_.extract(found.wish);
  if (node.empty()) return;
  Receiver* r = find_or_refuse(found.wish, node.mapped(), false);
  if (r == nullptr) return;
  if (!found.ok) return refuse(found.wish, {503, "unavailable", "The database does not answer.", ""});
  if (found.first == 0) return refuse(found.wish, {404, "not_found", "The journal holds no such event.", ""});
  if (r->replay) return refuse(found.wish, {409, "conflict", "A replay is under way already.", ""});
  r->replay.emplace(limits_, Place{.cursor = found.first - 1, .until = found.last});
  touched(*r, now);
  out_.emplace_back(Reply{found.wish, Replaying{found.count}});
  read_on(now);
}

void Webhooks::replay_dead(WishId wish, Receiver& r, Instant now) {
  std::uint64_t count = 0;
  while (!r.dead.empty() && r.queue.deferred_room() > 0) {
    r.queue.add_deferred(r.dead.front(), now);
    r.dead.pop_front();
    ++count;
  }
  r.dead_dirty = r.dead_dirty || count > 0;
  load(r);
  touched(r, now);
  out_.emplace_back(Reply{wish, Replaying{count}});
}

}  // namespace bw::webhooks
