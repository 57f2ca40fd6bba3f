// Webhooks (docs/webhooks.md): what is asked for goes to their core as a wish, and its answer becomes JSON.
#include <array>
#include <utility>

#include "api/areas.h"
#include "api/json.h"
#include "api/moment.h"
#include "base/core.h"
#include "base/rfc3339.h"
#include "webhooks/wishes.h"

namespace bw::api {
namespace {

namespace json = boost::json;
using webhooks::SubscriptionId;

constexpr std::int64_t kMost = 9'007'199'254'740'991;
constexpr std::size_t kLongestUrl = 2'048;
constexpr std::size_t kLongestSecret = 512;
constexpr std::size_t kMostItems = 64;

// ---- as the table describes them ----

constexpr std::array kDraft{
    Field{.name = "url", .about = "http:// or https://; where events are posted", .most = kLongestUrl},
    Field{.name = "events",
          .type = Type::kTexts,
          .about = "\"*\", groups such as \"call.*\", types such as \"call.ended\"; at first \"*\"",
          .most = kMostItems},
    Field{.name = "secret",
          .about = "signs every delivery; \"whsec_\" and base64, or a text of 8 characters or more",
          .secret = true,
          .most = kLongestSecret},
    Field{.name = "headers",
          .type = Type::kMap,
          .about = "added to every delivery; never shown again",
          .secret = true,
          .most = 32},
    Field{.name = "extensions",
          .type = Type::kTexts,
          .about = "only what concerns one of them; none: everything",
          .most = kMostItems},
    Field{.name = "enabled", .type = Type::kFlag, .about = "false: nothing is sent"},
};
constexpr std::array kReplay{
    Field{.name = "event_id", .about = "of one event", .most = 64},
    Field{.name = "since", .about = "RFC 3339; the first to send again", .most = 64},
    Field{.name = "until", .about = "RFC 3339; the last to send again", .most = 64},
};
constexpr std::array kRotate{Field{.name = "secret",
                                   .about = "the new one; without it one is made and shown this once",
                                   .secret = true,
                                   .most = kLongestSecret}};
constexpr std::array kByUrl{
    Field{.name = "url", .about = "all webhooks with this URL", .required = true, .most = kLongestUrl}};
constexpr std::array kHowMany{
    Field{.name = "limit", .type = Type::kInteger, .about = "at most (100)", .least = 1, .most = 100}};

constexpr std::array kHookFields{
    Field{.name = "id", .required = true},
    Field{.name = "url", .required = true, .most = kLongestUrl},
    Field{.name = "events", .type = Type::kTexts, .required = true, .most = kMostItems},
    Field{.name = "extensions", .type = Type::kTexts, .required = true, .most = kMostItems},
    Field{.name = "headers", .type = Type::kTexts, .about = "names only", .required = true, .most = 32},
    Field{.name = "signed", .type = Type::kFlag, .about = "has a secret", .required = true},
    Field{.name = "enabled", .type = Type::kFlag, .required = true},
    Field{.name = "state", .about = "active, failing, paused or disabled", .required = true},
    Field{.name = "reason", .about = "why it is not active", .required = true, .most = 2'048},
    Field{.name = "created_at", .type = Type::kTime, .required = true},
    Field{.name = "last_sent",
          .type = Type::kTime,
          .about = "and acknowledged",
          .required = true,
          .nullable = true},
    Field{.name = "success_count", .type = Type::kInteger, .required = true, .most = kMost},
    Field{.name = "failure_count",
          .type = Type::kInteger,
          .about = "attempts",
          .required = true,
          .most = kMost},
    Field{.name = "pending",
          .type = Type::kInteger,
          .about = "events not sent yet",
          .required = true,
          .most = kMost},
    Field{.name = "dead_letters",
          .type = Type::kInteger,
          .about = "events given up after a day; can be sent again",
          .required = true,
          .most = kMost},
    Field{.name = "replaying", .type = Type::kFlag, .about = "a replay is under way", .required = true},
};
constexpr std::array kShownFields{
    Field{.name = "success", .type = Type::kFlag, .required = true},
    Field{.name = "message", .required = true},
    Field{.name = "subscription", .type = Type::kObject, .required = true, .fields = kHookFields},
    Field{.name = "secret", .about = "where one was made; shown this once", .most = kLongestSecret},
    Field{.name = "warning", .about = "why nothing will reach it as it is", .most = 2'048},
};
constexpr std::array kDeliveryFields{
    Field{.name = "event_id", .required = true},
    Field{.name = "event_type", .required = true},
    Field{.name = "seq", .type = Type::kInteger, .required = true, .most = kMost},
    Field{.name = "attempt", .type = Type::kInteger, .required = true, .most = kMost},
    Field{.name = "timestamp", .type = Type::kTime, .required = true},
    Field{.name = "status",
          .type = Type::kInteger,
          .about = "null: no answer",
          .required = true,
          .nullable = true},
    Field{.name = "latency_ms", .type = Type::kDecimal, .required = true},
    Field{.name = "error", .required = true, .most = 2'048},
    Field{.name = "response", .about = "its beginning", .required = true, .most = 4'096},
};
constexpr std::array kRequestFields{
    Field{.name = "url", .required = true, .most = kLongestUrl},
    Field{.name = "headers", .type = Type::kTexts, .required = true, .most = kMostItems},
    Field{.name = "body", .required = true, .most = 4'096},
};
constexpr std::array kTestedFields{
    Field{.name = "success", .type = Type::kFlag, .about = "it was acknowledged", .required = true},
    Field{.name = "message", .required = true, .most = 2'048},
    Field{.name = "request", .type = Type::kObject, .required = true, .fields = kRequestFields},
    Field{.name = "delivery", .type = Type::kObject, .required = true, .fields = kDeliveryFields},
};
constexpr std::array kCountFields{
    Field{.name = "success", .type = Type::kFlag, .required = true},
    Field{.name = "message", .required = true},
    Field{.name = "count", .type = Type::kInteger, .required = true, .most = kMost},
};
constexpr Shape kHooks{.name = "Webhook", .fields = kHookFields, .list = true};
constexpr Shape kShown{.name = "WebhookShown", .fields = kShownFields};
constexpr Shape kDeliveries{.name = "Delivery", .fields = kDeliveryFields, .list = true};
constexpr Shape kTested{.name = "WebhookTested", .fields = kTestedFields};
constexpr Shape kCount{.name = "Count", .fields = kCountFields};

// ---- answers as JSON ----

json::array texts(const std::vector<std::string>& items) {
  json::array list;
  for (const std::string& item : items) list.emplace_back(item);
  return list;
}

json::object to_json(const webhooks::View& v) {
  json::object o;
  o["id"] = v.id.value;
  o["url"] = v.url;
  o["events"] = texts(v.events);
  o["extensions"] = texts(v.extensions);
  o["headers"] = texts(v.headers);
  o["signed"] = v.signs;
  o["enabled"] = v.enabled;
  o["state"] = v.state;
  o["reason"] = v.reason;
  o["created_at"] = rfc3339(v.created_at);
  o["last_sent"] = v.last_sent ? json::value(rfc3339(*v.last_sent)) : json::value(nullptr);
  o["success_count"] = v.success_count;
  o["failure_count"] = v.failure_count;
  o["pending"] = v.pending;
  o["dead_letters"] = v.dead_letters;
  o["replaying"] = v.replaying_until.has_value();
  return o;
}

json::object to_json(const webhooks::DeliveryRecord& d) {
  json::object o;
  o["event_id"] = d.event_id;
  o["event_type"] = d.type;
  o["seq"] = d.seq;
  o["attempt"] = d.attempt;
  o["timestamp"] = rfc3339(d.at);
  o["status"] = d.status == 0 ? json::value(nullptr) : json::value(d.status);
  o["latency_ms"] = static_cast<double>(d.latency.count()) / 1e6;
  o["error"] = d.error;
  o["response"] = d.excerpt;
  return o;
}

json::object done(std::string message) {
  json::object o = success();
  o["message"] = std::move(message);
  return o;
}

void answer_tested(Exchange&& x, const webhooks::Tested& t) {
  json::object o;
  o["success"] = t.outcome.error.empty();
  o["message"] = t.outcome.error.empty() ? "The receiver acknowledged the test." : t.outcome.error;
  o["request"] = json::object{{"url", t.url}, {"headers", texts(t.headers)}, {"body", t.body}};
  o["delivery"] = to_json(t.outcome);
  x.answer(200, o);
}

void answer(Exchange&& x, webhooks::Answer&& given, const std::string& message) {
  std::visit(Overloaded{[&](const webhooks::Listed& l) {
                          json::array list;
                          for (const webhooks::View& v : l.subscriptions) list.push_back(to_json(v));
                          x.answer(200, list);
                        },
                        [&](const webhooks::Shown& s) {
                          json::object o = done(message);
                          o["subscription"] = to_json(s.subscription);
                          if (s.secret) o["secret"] = s.secret->reveal();
                          if (!s.warning.empty()) o["warning"] = s.warning;
                          x.answer(200, o);
                        },
                        [&](const webhooks::Removed& r) {
                          json::object o = done(message);
                          o["count"] = r.count;
                          x.answer(200, o);
                        },
                        [&](const webhooks::Tested& t) { answer_tested(std::move(x), t); },
                        [&](const webhooks::DeliveryLog& log) {
                          json::array list;
                          for (const auto& d : log.newest_first) list.push_back(to_json(d));
                          x.answer(200, list);
                        },
                        [&](const webhooks::Replaying& r) {
                          json::object o = done(message);
                          o["count"] = r.count;
                          x.answer(200, o);
                        },
                        [&](const webhooks::Refused& r) {
                          x.refuse(Problem{r.sentence, r.code, r.field, r.status});
                        }},
             std::move(given));
}

void wish(Services& services, Exchange&& x, webhooks::Wish&& what, std::string message = {}) {
  services.webhooks(std::move(what),
                    [x = std::move(x), message = std::move(message)](webhooks::Answer&& given) mutable {
                      answer(std::move(x), std::move(given), message);
                    });
}

// ---- requests ----

webhooks::Draft draft_of(Body body) {
  webhooks::Draft d;
  d.url = body.text("url", kLongestUrl);
  d.events = body.list("events", kMostItems);
  if (auto secret = body.text("secret", kLongestSecret)) d.secret = Secret(std::move(*secret));
  if (auto headers = body.map("headers", kMostItems)) {
    d.headers.emplace();
    for (auto& [name, value] : *headers) d.headers->emplace_back(std::move(name), Secret(std::move(value)));
  }
  d.extensions = body.list("extensions", kMostItems);
  d.enabled = body.flag("enabled");
  return d;
}

SubscriptionId id_of(const Exchange& x) {
  return SubscriptionId(x.parameter());
}

void list(Services& s, Exchange&& x) {
  wish(s, std::move(x), webhooks::List{});
}

void create(Services& s, Exchange&& x) {
  webhooks::Create what{draft_of(x.body())};
  wish(s, std::move(x), std::move(what), "The webhook was made.");
}

void change(Services& s, Exchange&& x) {
  webhooks::Change what{id_of(x), draft_of(x.body())};
  wish(s, std::move(x), std::move(what), "The webhook was changed.");
}

void remove(Services& s, Exchange&& x) {
  webhooks::Remove what{id_of(x)};
  wish(s, std::move(x), std::move(what), "The webhook was removed.");
}

void remove_by_url(Services& s, Exchange&& x) {
  webhooks::RemoveByUrl what{x.query("url")};
  wish(s, std::move(x), std::move(what), "The webhooks with this URL were removed.");
}

void test(Services& s, Exchange&& x) {
  webhooks::Test what{id_of(x)};
  wish(s, std::move(x), std::move(what));
}

void deliveries(Services& s, Exchange&& x) {
  webhooks::Deliveries what{id_of(x), x.query_number("limit", 100)};
  wish(s, std::move(x), std::move(what));
}

void replay(Services& s, Exchange&& x) {
  Body body = x.body();
  webhooks::Replay what{.id = id_of(x), .event_id = body.text("event_id", 64).value_or("")};
  for (const char* name : {"since", "until"}) {
    const auto text = body.text(name, 64);
    if (!text) continue;
    const auto moment = parse_moment(*text);
    if (!moment)
      return x.refuse(
          {std::string(name) + " must be a date such as 2026-03-01T09:30:00Z.", "bad_request", name});
    (std::string_view(name) == "since" ? what.since : what.until) = moment;
  }
  if (!what.event_id.empty() && (what.since || what.until))
    return x.refuse({"Either event_id, or since and until.", "bad_request", "event_id"});
  wish(s, std::move(x), std::move(what), "They are being sent again.");
}

void rotate_secret(Services& s, Exchange&& x) {
  webhooks::RotateSecret what{.id = id_of(x), .secret = {}};
  if (auto secret = x.body().text("secret", kLongestSecret)) what.secret = Secret(std::move(*secret));
  wish(s, std::move(x), std::move(what),
       "The secret was changed; the one before signs as well for 24 hours.");
}

constexpr std::string_view kRead = "webhooks:read";
constexpr std::string_view kWrite = "webhooks:write";

constexpr std::array kRoutes{
    Route{.method = "GET",
          .pattern = "/api/webhooks",
          .id = "listWebhooks",
          .summary = "Webhooks, oldest first",
          .tag = "webhooks",
          .who = Who::kAdmin,
          .scope = kRead,
          .handle = list,
          .answer = &kHooks},
    Route{.method = "POST",
          .pattern = "/api/webhooks",
          .id = "addWebhook",
          .summary = "Subscribe a URL to events",
          .tag = "webhooks",
          .who = Who::kAdmin,
          .scope = kWrite,
          .handle = create,
          .body = kDraft,
          .answer = &kShown},
    Route{.method = "DELETE",
          .pattern = "/api/webhooks",
          .id = "removeWebhooksByUrl",
          .summary = "Remove the webhooks with a URL",
          .tag = "webhooks",
          .who = Who::kAdmin,
          .scope = kWrite,
          .handle = remove_by_url,
          .query = kByUrl,
          .answer = &kCount},
    Route{.method = "PUT",
          .pattern = "/api/webhooks/{id}",
          .id = "changeWebhook",
          .summary = "Change, enable or disable a webhook; what is not given stays",
          .tag = "webhooks",
          .who = Who::kAdmin,
          .scope = kWrite,
          .handle = change,
          .body = kDraft,
          .answer = &kShown},
    Route{.method = "DELETE",
          .pattern = "/api/webhooks/{id}",
          .id = "removeWebhook",
          .summary = "Remove a webhook",
          .tag = "webhooks",
          .who = Who::kAdmin,
          .scope = kWrite,
          .handle = remove,
          .answer = &kCount},
    Route{.method = "POST",
          .pattern = "/api/webhooks/{id}/test",
          .id = "testWebhook",
          .summary = "Send a webhook.test now, and show request and answer",
          .tag = "webhooks",
          .who = Who::kAdmin,
          .scope = kWrite,
          .handle = test,
          .acts = true,
          .answer = &kTested},
    Route{.method = "GET",
          .pattern = "/api/webhooks/{id}/deliveries",
          .id = "listDeliveries",
          .summary = "The last attempts, newest first",
          .tag = "webhooks",
          .who = Who::kAdmin,
          .scope = kRead,
          .handle = deliveries,
          .query = kHowMany,
          .answer = &kDeliveries},
    Route{.method = "POST",
          .pattern = "/api/webhooks/{id}/replay",
          .id = "replayWebhook",
          .summary = "Send an event, a time, or all dead letters again",
          .tag = "webhooks",
          .who = Who::kAdmin,
          .scope = kWrite,
          .handle = replay,
          .acts = true,
          .body = kReplay,
          .answer = &kCount},
    Route{.method = "POST",
          .pattern = "/api/webhooks/{id}/rotate-secret",
          .id = "rotateWebhookSecret",
          .summary = "A new secret; both are valid for 24 hours",
          .tag = "webhooks",
          .who = Who::kAdmin,
          .scope = kWrite,
          .handle = rotate_secret,
          .acts = true,
          .body = kRotate,
          .answer = &kShown},
};

}  // namespace

std::span<const Route> webhook_routes() {
  return kRoutes;
}

}  // namespace bw::api
