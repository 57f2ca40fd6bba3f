// Who is there, and what people say of themselves.
#include <array>

#include "api/areas.h"
#include "api/paging.h"
#include "base/rfc3339.h"

namespace bw::api {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMost = 9'007'199'254'740'991;
constexpr std::size_t kMessageBytes = 200;

constexpr std::array kPresenceFields{
    Field{.name = "extension", .required = true},
    Field{.name = "name", .required = true},
    Field{.name = "status", .about = "available, ringing, in_call, away, dnd or offline", .required = true},
    Field{.name = "custom_message", .required = true},
    Field{.name = "in_call", .type = Type::kFlag, .required = true},
    Field{.name = "last_activity",
          .type = Type::kTime,
          .about = "null: none since the start of the server",
          .required = true,
          .nullable = true},
    Field{.name = "idle_time",
          .type = Type::kInteger,
          .about = "seconds since then",
          .required = true,
          .nullable = true,
          .most = kMost},
};
constexpr Shape kPresences{"Presence", kPresenceFields, true};

constexpr std::array kSet{
    Field{.name = "extension", .about = "a user's own, which it need not name", .most = 10},
    Field{.name = "status", .about = "available, away or dnd (refuses calls)", .required = true, .most = 16},
    Field{.name = "custom_message", .most = kMessageBytes},
};

json::object to_json(const ports::PresenceView& p, Instant now) {
  json::object o;
  o["extension"] = p.extension;
  o["name"] = p.name.reveal();
  o["status"] = p.status;
  o["custom_message"] = p.custom_message;
  o["in_call"] = p.in_call;
  o["last_activity"] = nullptr;
  o["idle_time"] = nullptr;
  if (p.last_activity) {
    o["last_activity"] = rfc3339(*p.last_activity);
    o["idle_time"] = std::chrono::duration_cast<std::chrono::seconds>(now - *p.last_activity).count();
  }
  return o;
}

// Every colleague may see who is there: that is what it is for. Who has no extension is none.
void list(Services& s, Exchange&& e) {
  if (e.principal().role == access::Role::kUser && e.principal().extension.empty())
    return answer_page(std::move(e), std::vector<std::pair<std::string, json::value>>{});
  s.ask(ports::ListPresence{}, [&s, e = std::move(e)](ports::Reply&& reply) mutable {
    if (const auto* refused = std::get_if<ports::Refused>(&reply)) return e.refuse(*refused);
    std::vector<std::pair<std::string, json::value>> items;
    if (const auto* people = std::get_if<ports::Presences>(&reply)) {
      for (const ports::PresenceView& p : people->people)
        items.emplace_back(p.extension, to_json(p, s.moment()));
    }
    answer_page(std::move(e), std::move(items));
  });
}

std::optional<ports::OwnStatus> status_of(std::string_view word) {
  if (word == "available") return ports::OwnStatus::kAvailable;
  if (word == "away") return ports::OwnStatus::kAway;
  if (word == "dnd") return ports::OwnStatus::kDoNotDisturb;
  return std::nullopt;
}

void set(Services& s, Exchange&& e) {
  Body body = e.body();
  std::string extension = body.text("extension").value_or("");
  if (extension.empty()) extension = e.principal().extension;
  if (extension.empty()) return e.refuse({"extension is missing.", "missing_field", "extension"});
  if (!e.principal().sees(extension))
    return e.refuse({"This is not yours to see or change.", "forbidden", "extension", 403});
  const auto status = status_of(body.required_text("status"));
  if (!status) return e.refuse({"status must be available, away or dnd.", "bad_request", "status"});
  ports::SetPresence wish{extension, *status, body.text("custom_message").value_or("")};
  s.ask(std::move(wish), [e = std::move(e)](ports::Reply&& reply) mutable {
    if (const auto* refused = std::get_if<ports::Refused>(&reply)) return e.refuse(*refused);
    e.answer(200, success());
  });
}

constexpr std::array kRoutes{
    Route{.method = "GET",
          .pattern = "/api/presence",
          .id = "listPresence",
          .summary = "Who is there, who talks, who wants no calls",
          .tag = "presence",
          .who = Who::kUser,
          .scope = "presence:read",
          .handle = list,
          .query = kPaging,
          .answer = &kPresences},
    Route{.method = "POST",
          .pattern = "/api/presence/set",
          .id = "setPresence",
          .summary = "Say what somebody does; until the server ends",
          .tag = "presence",
          .who = Who::kUser,
          .scope = "presence:write",
          .handle = set,
          .body = kSet,
          .answer = &kDone},
};

}  // namespace

std::span<const Route> presence_routes() {
  return kRoutes;
}

}  // namespace bw::api
