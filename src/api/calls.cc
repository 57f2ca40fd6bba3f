// Phones, and the calls of this moment.
#include <algorithm>
#include <array>

#include "api/areas.h"
#include "api/call_fields.h"
#include "api/extensions.h"
#include "api/json.h"
#include "api/paging.h"
#include "base/core.h"

namespace bw::api {

// Who has left has no say in what the others do then; `from` and `to` stay as they were dialled.
bool concerns(const ports::CallView& call, std::string_view number) {
  if (number.empty()) return false;
  if (call.state == "ringing" && (call.from == number || call.to == number)) return true;
  return std::ranges::any_of(
      call.legs, [number](const ports::LegView& leg) { return leg.party == number && leg.state != "ended"; });
}

namespace {

namespace json = boost::json;

// ---- as the table describes them ----

constexpr std::array kPhoneFields{
    Field{.name = "id", .required = true, .most = 1'024},
    Field{.name = "mac_address", .required = true, .nullable = true},
    Field{.name = "extension_number", .required = true, .format = Format::kExtension},
    Field{.name = "user_agent", .required = true},
    Field{.name = "ip_address", .required = true},
    Field{.name = "port", .type = Type::kInteger, .required = true, .most = 65'535},
    Field{.name = "transport", .required = true},
    Field{.name = "first_registered", .type = Type::kTime, .required = true},
    Field{.name = "last_registered", .type = Type::kTime, .required = true},
    Field{.name = "expires_at", .type = Type::kTime, .required = true},
    Field{.name = "contact_uri", .required = true, .most = 512},
};
constexpr std::array kStartedFields{
    Field{.name = "success", .type = Type::kFlag, .required = true},
    Field{.name = "call_id", .required = true},
};
constexpr Shape kPhones{"Phone", kPhoneFields, true};
constexpr Shape kCalls{"Call", kCallFields, true};
constexpr Shape kStarted{"CallStarted", kStartedFields};

constexpr std::array kStart{
    Field{.name = "from",
          .type = Type::kText,
          .about = "the extension that rings first; a user's own",
          .required = true,
          .most = 32},
    Field{.name = "to",
          .type = Type::kText,
          .about = "what it is connected to then",
          .required = true,
          .most = 64},
};
// ---- handlers ----

void answer_phones(Exchange&& e, const ports::Phones& phones) {
  std::vector<std::pair<std::string, json::value>> items;
  for (const model::Binding& b : phones.bindings) {
    if (!e.principal().sees(b.extension.value)) continue;
    json::object phone = to_json(b);
    std::string id{phone.at("id").as_string()};
    items.emplace_back(std::move(id), std::move(phone));
  }
  answer_page(std::move(e), std::move(items));
}

void answer_calls(Exchange&& e, const ports::Calls& calls) {
  const access::Principal& who = e.principal();
  std::vector<std::pair<std::string, json::value>> items;
  for (const ports::CallView& call : calls.calls) {
    if (who.role != access::Role::kUser || concerns(call, who.extension))
      items.emplace_back(call.id.value, to_json(call));
  }
  answer_page(std::move(e), std::move(items));
}

// Every reply of the exchange to a question that may be any of its kinds.
void answer_reply(Exchange&& e, ports::Reply&& reply) {
  std::visit(Overloaded{
                 [&](const ports::Status&) { e.answer(200, success()); },
                 [&](const ports::Phones& p) { answer_phones(std::move(e), p); },
                 [&](const ports::Calls& c) { answer_calls(std::move(e), c); },
                 [&](const ports::Presences&) { e.answer(200, success()); },  // nobody here asks for it
                 [&](const ports::Lockouts&) { e.answer(200, success()); },   // nor for these
                 [&](const ports::CallStarted& c) {
                   json::object o = success();
                   o["call_id"] = c.call.value;
                   e.answer(200, o);
                 },
                 [&](const ports::Done&) { e.answer(200, success()); },
                 [&](const ports::BrowserReply&) { e.answer(200, success()); },  // nor for these
                 [&](const ports::Refused& r) { e.refuse(r); },
             },
             std::move(reply));
}

void ask(Services& services, Exchange&& e, ports::Request&& request) {
  services.ask(std::move(request), [e = std::move(e)](ports::Reply&& reply) mutable {
    answer_reply(std::move(e), std::move(reply));
  });
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
  Body body = e.body();
  ports::StartCall request{body.required_text("from"), body.required_text("to")};
  ask(s, std::move(e), std::move(request));
}

constexpr std::array kRoutes{
    Route{.method = "GET",
          .pattern = "/api/registered-phones",
          .id = "listPhones",
          .summary = "Registered phones; a user sees its own",
          .tag = "phones",
          .who = Who::kUser,
          .scope = "phones:read",
          .handle = phones,
          .query = kPaging,
          .answer = &kPhones},
    Route{.method = "GET",
          .pattern = "/api/registered-phones/extension/{number}",
          .id = "listPhonesOfExtension",
          .summary = "Registered phones of an extension",
          .tag = "phones",
          .who = Who::kUser,
          .scope = "phones:read",
          .own = "number",
          .handle = phones_of,
          .query = kPaging,
          .answer = &kPhones},
    Route{.method = "GET",
          .pattern = "/api/calls",
          .id = "listCalls",
          .summary = "Calls at this moment; a user sees its own",
          .tag = "calls",
          .who = Who::kUser,
          .scope = "calls:read",
          .handle = calls,
          .query = kPaging,
          .answer = &kCalls},
    Route{.method = "POST",
          .pattern = "/api/call",
          .id = "startCall",
          .summary = "Ring one extension, then connect it (click to dial)",
          .tag = "calls",
          .who = Who::kUser,
          .scope = "calls:write",
          .own = "from",
          .handle = start_call,
          .acts = true,
          .body = kStart,
          .answer = &kStarted},
};

}  // namespace

std::span<const Route> call_routes() {
  return kRoutes;
}

}  // namespace bw::api
