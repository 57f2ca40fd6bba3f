// Health, status and the server itself.
#include <array>

#include "api/areas.h"
#include "api/json.h"
#include "api/operations.h"

namespace bw::api {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMost = 9'007'199'254'740'991;  // the largest integer that every JSON reader keeps

constexpr std::array kHealthFields{
    Field{.name = "status", .type = Type::kText, .about = "ok", .required = true}};
constexpr std::array kStatusFields{
    Field{.name = "running", .type = Type::kFlag, .required = true},
    Field{.name = "version", .required = true},
    Field{.name = "registered_extensions", .type = Type::kInteger, .required = true, .most = kMost},
    Field{.name = "registered_contacts", .type = Type::kInteger, .required = true, .most = kMost},
    Field{.name = "active_calls", .type = Type::kInteger, .required = true, .most = kMost},
    Field{.name = "total_calls",
          .type = Type::kInteger,
          .about = "since the start",
          .required = true,
          .most = kMost},
    Field{.name = "transactions",
          .type = Type::kInteger,
          .about = "of SIP, at this moment",
          .required = true,
          .most = kMost},
    Field{.name = "started_at", .type = Type::kTime, .required = true},
    Field{.name = "uptime", .type = Type::kInteger, .about = "seconds", .required = true, .most = kMost},
    Field{.name = "needs_restart",
          .type = Type::kTexts,
          .about = "keys whose change waits for a restart",
          .required = true,
          .most = 1'000},
    Field{.name = "config_file",
          .about = "what a reload reads, on the machine of the server; empty: started without one",
          .required = true,
          .most = 4'096},
};
constexpr std::array kReloadedFields{
    Field{.name = "success", .type = Type::kFlag, .required = true},
    Field{.name = "message", .required = true},
    Field{.name = "needs_restart",
          .type = Type::kTexts,
          .about = "keys whose change a restart applies",
          .required = true,
          .most = 1'000},
    Field{.name = "problems",
          .type = Type::kTexts,
          .about = "of the file, each with its line",
          .required = true,
          .most = 1'000},
};
constexpr std::array kBackedUpFields{
    Field{.name = "success", .type = Type::kFlag, .required = true},
    Field{.name = "file", .required = true, .most = 4'096},
};
constexpr Shape kHealth{"Health", kHealthFields};
constexpr Shape kStatus{"Status", kStatusFields};
constexpr Shape kReloaded{"Reloaded", kReloadedFields};
constexpr Shape kBackedUp{"BackedUp", kBackedUpFields};

constexpr std::array kBackup{Field{.name = "file",
                                   .type = Type::kText,
                                   .about = "on the machine of the server; must not exist",
                                   .required = true,
                                   .most = 4'096,
                                   .format = Format::kPath}};

void health(Services&, Exchange&& e) {
  e.answer(200, json::object{{"status", "ok"}});
}

json::array to_array(const std::vector<std::string>& texts) {
  json::array list;
  for (const std::string& text : texts) list.emplace_back(text);
  return list;
}

void status(Services& s, Exchange&& e) {
  s.ask(ports::GetStatus{}, [&s, e = std::move(e)](ports::Reply&& reply) mutable {
    if (const auto* status = std::get_if<ports::Status>(&reply)) {
      json::object o = to_json(*status, s.moment());
      o["needs_restart"] = to_array(s.operations() == nullptr ? std::vector<std::string>{}
                                                              : s.operations()->waits_for_restart());
      o["config_file"] = s.operations() == nullptr ? std::string{} : s.operations()->configuration_file();
      return e.answer(200, o);
    }
    const auto* refused = std::get_if<ports::Refused>(&reply);
    e.refuse(refused != nullptr ? *refused
                                : ports::Refused{503, "unavailable", "The exchange does not answer."});
  });
}

void reload(Services& s, Exchange&& e) {
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
  const std::string file = e.body().required_text("file", 4'096);
  s.backup(file, [e = std::move(e), file](std::optional<std::string>&& why_not) mutable {
    if (why_not) return e.refuse({*why_not, "backup_failed", {}, 409});
    json::object o = success();
    o["file"] = file;
    e.answer(200, o);
  });
}

constexpr std::array kRoutes{
    Route{.method = "GET",
          .pattern = "/health",
          .id = "health",
          .summary = "The server is alive",
          .tag = "server",
          .who = Who::kAnyone,
          .handle = health,
          .answer = &kHealth},
    Route{.method = "GET",
          .pattern = "/api/status",
          .id = "showStatus",
          .summary = "What the server does at this moment",
          .tag = "server",
          .who = Who::kSupervisor,
          .scope = "status:read",
          .handle = status,
          .answer = &kStatus},
    Route{.method = "POST",
          .pattern = "/api/reload",
          .id = "reload",
          .summary = "Read the configuration again and put it in force",
          .tag = "server",
          .who = Who::kAdmin,
          .scope = "server:write",
          .handle = reload,
          .answer = &kReloaded},
    Route{.method = "POST",
          .pattern = "/api/backup",
          .id = "backUp",
          .summary = "Copy the database into a file; on the machine of the server alone",
          .tag = "server",
          .who = Who::kOperator,
          .handle = backup,
          .body = kBackup,
          .answer = &kBackedUp},
};

}  // namespace

std::span<const Route> system_routes() {
  return kRoutes;
}

}  // namespace bw::api
