// Status, phones, calls, records and the server itself.
#include <array>
#include <charconv>

#include "api/extensions.h"
#include "api/json.h"
#include "api/router.h"
#include "base/core.h"

namespace bw::api {
namespace {

namespace json = boost::json;

json::object success() {
  return {{"success", true}};
}

// Every reply of the exchange to a question that may be any of its kinds.
void answer_reply(Exchange&& e, ports::Reply&& reply, Instant now) {
  std::visit(Overloaded{
                 [&](const ports::Status& s) { e.answer(200, to_json(s, now)); },
                 [&](const ports::Phones& p) {
                   json::array list;
                   for (const model::Binding& b : p.bindings) list.push_back(to_json(b));
                   e.answer(200, list);
                 },
                 [&](const ports::Calls& c) {
                   json::array list;
                   for (const ports::CallView& call : c.calls) list.push_back(to_json(call));
                   e.answer(200, list);
                 },
                 [&](const ports::CallStarted& c) {
                   json::object o = success();
                   o["call_id"] = c.call.value;
                   e.answer(200, o);
                 },
                 [&](const ports::Done&) { e.answer(200, success()); },
                 [&](const ports::Refused& r) { e.refuse(r); },
             },
             std::move(reply));
}

void ask(Services& services, Exchange&& e, ports::Request&& request) {
  services.ask(std::move(request), [&services, e = std::move(e)](ports::Reply&& reply) mutable {
    answer_reply(std::move(e), std::move(reply), services.moment());
  });
}

void health(Services&, Exchange&& e) {
  e.answer(200, json::object{{"status", "ok"}});
}

void status(Services& s, Exchange&& e) {
  ask(s, std::move(e), ports::GetStatus{});
}

void phones(Services& s, Exchange&& e) {
  ask(s, std::move(e), ports::ListPhones{});
}

void phones_of(Services& s, Exchange&& e) {
  const std::string number = e.parameter();
  if (s.directory()->find(number) == nullptr) return e.refuse(no_such_extension(number));
  ask(s, std::move(e), ports::ListPhones{number});
}

void calls(Services& s, Exchange&& e) {
  ask(s, std::move(e), ports::ListCalls{});
}

void start_call(Services& s, Exchange&& e) {
  Body body(e.body());
  ports::StartCall request{body.required_text("from", 32), body.required_text("to", 64)};
  if (const auto problem = body.finish()) return e.refuse(*problem);
  ask(s, std::move(e), std::move(request));
}

void hang_up(Services& s, Exchange&& e) {
  Body body(e.body());
  ports::HangUpCall request{model::CallId{body.required_text("call_id", 64)}};
  if (const auto problem = body.finish()) return e.refuse(*problem);
  ask(s, std::move(e), std::move(request));
}

void call_records(Services& s, Exchange&& e) {
  static constexpr std::array<std::string_view, 2> kKnown{"limit", "extension"};
  if (const auto problem = e.unknown_query(kKnown)) return e.refuse(*problem);
  RecordQuery query;
  query.extension = e.query("extension");
  const std::string limit = e.query("limit");
  if (!limit.empty()) {
    const auto [end, error] = std::from_chars(limit.data(), limit.data() + limit.size(), query.limit);
    if (error != std::errc{} || end != limit.data() + limit.size() || query.limit < 1 ||
        query.limit > 1'000) {
      return e.refuse({"limit must be a whole number from 1 to 1000.", "bad_request", "limit"});
    }
  }
  s.call_records(query, [e = std::move(e)](std::optional<std::vector<model::CallRecord>>&& records) mutable {
    if (!records) return e.refuse({"The database does not answer.", "unavailable", {}, 503});
    json::array list;
    for (const model::CallRecord& r : *records) list.push_back(to_json(r));
    e.answer(200, list);
  });
}

json::array to_array(const std::vector<std::string>& texts) {
  json::array list;
  for (const std::string& text : texts) list.emplace_back(text);
  return list;
}

void reload(Services& s, Exchange&& e) {
  Body body(e.body());
  if (const auto problem = body.finish()) return e.refuse(*problem);
  s.reload([e = std::move(e)](ReloadOutcome&& outcome) mutable {
    json::object o;
    if (outcome.applied) {
      o["success"] = true;
      o["message"] = "The configuration is in force.";
      o["needs_restart"] = to_array(outcome.needs_restart);
    } else {
      o["error"] = "The configuration has errors; nothing was changed.";
      o["code"] = "bad_configuration";
    }
    o["problems"] = to_array(outcome.problems);
    e.answer(outcome.applied ? 200 : 422, o);
  });
}

void backup(Services& s, Exchange&& e) {
  Body body(e.body());
  const std::string file = body.required_text("file", 4'096);
  if (!file.empty() && file.front() != '/') body.object_to("file", "file must be an absolute path.");
  if (const auto problem = body.finish()) return e.refuse(*problem);
  s.backup(file, [e = std::move(e), file](std::optional<std::string>&& why_not) mutable {
    if (why_not) return e.refuse({*why_not, "backup_failed", {}, 409});
    json::object o = success();
    o["file"] = file;
    e.answer(200, o);
  });
}

constexpr Route kHealth{"GET", "/health", health};

constexpr std::array kOperatorRoutes{
    kHealth,
    Route{"GET", "/api/status", status},
    Route{"GET", "/api/registered-phones", phones},
    Route{"GET", "/api/registered-phones/extension/{number}", phones_of},
    Route{"GET", "/api/calls", calls},
    Route{"POST", "/api/call", start_call},
    Route{"POST", "/api/call/hangup", hang_up},
    Route{"GET", "/api/extensions", list_extensions},
    Route{"POST", "/api/extensions", add_extension},
    Route{"GET", "/api/extensions/{number}", show_extension},
    Route{"PUT", "/api/extensions/{number}", change_extension},
    Route{"DELETE", "/api/extensions/{number}", remove_extension},
    Route{"GET", "/api/cdr", call_records},
    Route{"POST", "/api/reload", reload},
    Route{"POST", "/api/backup", backup},
};

constexpr std::array kPublicRoutes{kHealth};

}  // namespace

std::span<const Route> operator_routes() {
  return kOperatorRoutes;
}
std::span<const Route> public_routes() {
  return kPublicRoutes;
}

}  // namespace bw::api
