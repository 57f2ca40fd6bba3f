// Configuration, figures and readiness, as the table describes them.
#include "api/operations.h"

#include <array>

#include "api/areas.h"
#include "api/json.h"

namespace bw::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostKeys = 1'000;

constexpr std::array kSections{
    Field{.name = "watch", .type = Type::kAny, .about = "read the file again when it changes"},
    Field{.name = "server", .type = Type::kAny, .about = "addresses and ports of SIP and media"},
    Field{.name = "api", .type = Type::kAny, .about = "addresses and ports of HTTP"},
    Field{.name = "database", .type = Type::kAny},
    Field{.name = "extensions", .type = Type::kAny, .about = "first values; later /api/extensions is right"},
    Field{.name = "dialplan", .type = Type::kAny},
    Field{.name = "features", .type = Type::kAny},
    Field{.name = "recording", .type = Type::kAny},
    Field{.name = "voicemail", .type = Type::kAny},
    Field{.name = "conference", .type = Type::kAny},
    Field{.name = "queues", .type = Type::kAny},
    Field{.name = "parking", .type = Type::kAny},
    Field{.name = "presence", .type = Type::kAny},
    Field{.name = "music_on_hold", .type = Type::kAny},
    Field{.name = "prompts", .type = Type::kAny},
    Field{.name = "auto_attendant", .type = Type::kAny},
    Field{.name = "emergency", .type = Type::kAny},
    Field{.name = "trunks", .type = Type::kAny},
    Field{.name = "integrations", .type = Type::kAny},
    Field{.name = "logging", .type = Type::kAny},
    Field{.name = "security", .type = Type::kAny},
    Field{.name = "provisioning", .type = Type::kAny},
    Field{.name = "events", .type = Type::kAny},
};
constexpr Shape kConfiguration{"Configuration", kSections};

constexpr std::array kProblemFields{
    Field{.name = "key", .about = "server.sip_port; empty: the file as a whole", .required = true},
    Field{.name = "message", .about = "in a sentence", .required = true, .most = 8'192},
};
constexpr std::array kChangedFields{
    Field{.name = "success", .type = Type::kFlag, .required = true},
    Field{.name = "message", .required = true},
    Field{.name = "changed", .type = Type::kTexts, .about = "keys", .required = true, .most = kMostKeys},
    Field{.name = "needs_restart",
          .type = Type::kTexts,
          .about = "keys whose change a restart applies",
          .required = true,
          .most = kMostKeys},
    Field{.name = "warnings",
          .type = Type::kObjects,
          .about = "of the configuration as it is now",
          .required = true,
          .most = kMostKeys,
          .fields = kProblemFields},
};
constexpr Shape kChanged{"ConfigurationChanged", kChangedFields};

constexpr std::array kPartFields{
    Field{.name = "sip", .about = "ok or down", .required = true},
    Field{.name = "database", .about = "ok or down", .required = true},
    Field{.name = "media", .about = "ok or down", .required = true},
};
constexpr std::array kReadyFields{
    Field{.name = "status", .about = "ready or not_ready", .required = true},
    Field{.name = "parts", .type = Type::kObject, .required = true, .fields = kPartFields},
};
constexpr Shape kReady{"Readiness", kReadyFields};
constexpr Shape kFigures{"Figures", {}, false, "text/plain"};

// ---- handlers ----

template <typename F>
void with_operations(Services& s, Exchange&& e, F&& then) {
  if (Operations* operations = s.operations()) return then(*operations, std::move(e));
  e.refuse(Problem{"The server is not up yet.", "unavailable", {}, 503});
}

json::array to_array(const std::vector<std::string>& texts) {
  json::array list;
  for (const std::string& text : texts) list.emplace_back(text);
  return list;
}

json::array to_array(const std::vector<ConfigurationProblem>& problems, bool warnings) {
  json::array list;
  for (const ConfigurationProblem& p : problems) {
    if (p.warning == warnings) list.push_back(json::object{{"key", p.key}, {"message", p.sentence}});
  }
  return list;
}

void answer_outcome(Exchange&& e, ConfigurationOutcome&& outcome) {
  e.trail().before = std::move(outcome.before);
  e.trail().after = std::move(outcome.after);  // never the body: that may hold secrets
  if (outcome.refused) return e.refuse(*outcome.refused);
  if (!outcome.applied) {
    json::object o{{"error", "The configuration would have errors; nothing was changed."},
                   {"code", "bad_configuration"}};
    o["problems"] = to_array(outcome.problems, false);
    return e.answer(422, o);
  }
  json::object o = success();
  o["message"] = outcome.changed.empty() ? "Nothing is different." : "The configuration is in force.";
  o["changed"] = to_array(outcome.changed);
  o["needs_restart"] = to_array(outcome.needs_restart);
  o["warnings"] = to_array(outcome.problems, true);
  e.answer(200, o);
}

void show_configuration(Services& s, Exchange&& e) {
  with_operations(s, std::move(e), [](Operations& o, Exchange&& ex) { ex.answer(200, o.configuration()); });
}

void change_configuration(Services& s, Exchange&& e) {
  with_operations(s, std::move(e), [](Operations& o, Exchange&& ex) {
    const json::object wanted = ex.body().value();
    answer_outcome(std::move(ex), o.change_configuration(wanted));
  });
}

void undo_configuration(Services& s, Exchange&& e) {
  with_operations(s, std::move(e), [](Operations& o, Exchange&& ex) {
    answer_outcome(std::move(ex), o.undo_configuration());
  });
}

void ready(Services& s, Exchange&& e) {
  with_operations(s, std::move(e), [](Operations& o, Exchange&& ex) {
    o.readiness([ex = std::move(ex)](const Readiness& r) mutable {
      const bool all = r.sip && r.database && r.media;
      const auto word = [](bool up) { return up ? "ok" : "down"; };
      const json::object parts{
          {"sip", word(r.sip)}, {"database", word(r.database)}, {"media", word(r.media)}};
      json::object body{{"status", all ? "ready" : "not_ready"}, {"parts", parts}};
      if (!all) {
        body["error"] = "The server cannot take calls as it should.";
        body["code"] = "not_ready";
      }
      ex.answer(all ? 200 : 503, body);
    });
  });
}

void figures(Services& s, Exchange&& e) {
  with_operations(s, std::move(e), [](Operations& o, Exchange&& ex) {
    o.figures([ex = std::move(ex)](std::string&& text) mutable {
      http::Response response;
      response.content_type = "text/plain; version=0.0.4; charset=utf-8";
      response.body = std::move(text);
      ex.answer(std::move(response));
    });
  });
}

constexpr std::array kRoutes{
    Route{.method = "GET",
          .pattern = "/health/ready",
          .id = "ready",
          .summary = "Whether calls can be taken: SIP, database and media; 503 if one is down",
          .tag = "server",
          .who = Who::kAnyone,
          .handle = ready,
          .answer = &kReady},
    Route{.method = "GET",
          .pattern = "/metrics",
          .id = "metrics",
          .summary = "Figures in the text format of Prometheus",
          .tag = "server",
          .who = Who::kSupervisor,
          .scope = "metrics",
          .handle = figures,
          .answer = &kFigures},
    Route{.method = "GET",
          .pattern = "/api/config",
          .id = "showConfiguration",
          .summary = "Every key of the configuration with the value in force; secrets are masked",
          .tag = "server",
          .who = Who::kAdmin,
          .scope = "config:read",
          .handle = show_configuration,
          .answer = &kConfiguration},
    Route{.method = "PUT",
          .pattern = "/api/config",
          .id = "changeConfiguration",
          .summary = "Change the configuration, all of it or a part (JSON merge patch)",
          .tag = "server",
          .who = Who::kAdmin,
          .scope = "config:write",
          .handle = change_configuration,
          .body = kSections,
          .answer = &kChanged},
    Route{.method = "POST",
          .pattern = "/api/config/undo",
          .id = "undoConfiguration",
          .summary = "Put the file back as it was before the last change",
          .tag = "server",
          .who = Who::kAdmin,
          .scope = "config:write",
          .handle = undo_configuration,
          .answer = &kChanged},
};

}  // namespace

std::span<const Route> operation_routes() {
  return kRoutes;
}

}  // namespace bw::api
