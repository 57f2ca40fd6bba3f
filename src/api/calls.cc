// Phones, calls and call records.
#include <algorithm>
#include <array>
#include <charconv>

#include "api/areas.h"
#include "api/extensions.h"
#include "api/json.h"
#include "api/paging.h"
#include "base/core.h"

namespace bw::api {

bool concerns(const ports::CallView& call, std::string_view number) {
  return call.from == number || call.to == number ||
         std::ranges::find(call.legs, number, &ports::LegView::party) != call.legs.end();
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
constexpr std::array kLegFields{
    Field{.name = "party", .required = true},
    Field{.name = "state", .required = true},
    Field{.name = "codec", .required = true},
    Field{.name = "secured", .type = Type::kFlag, .about = "the media is encrypted", .required = true},
};
constexpr std::array kCallFields{
    Field{.name = "call_id", .required = true},
    Field{.name = "state", .type = Type::kText, .about = "ringing, up or held", .required = true},
    Field{.name = "from", .required = true},
    Field{.name = "to", .required = true},
    Field{.name = "legs", .type = Type::kObjects, .required = true, .most = 64, .fields = kLegFields},
    Field{.name = "started_at", .type = Type::kTime, .required = true},
    Field{.name = "answered_at", .type = Type::kTime, .required = true, .nullable = true},
};
constexpr std::array kRecordLegFields{
    Field{.name = "party", .required = true},
    Field{.name = "device", .required = true},
    Field{.name = "codec", .required = true},
    Field{.name = "secured", .type = Type::kFlag, .required = true},
    Field{.name = "mos",
          .type = Type::kDecimal,
          .about = "1 to 4.5, by ITU-T G.107",
          .required = true,
          .nullable = true},
    Field{.name = "loss_percent", .type = Type::kDecimal, .required = true},
    Field{.name = "jitter_ms", .type = Type::kDecimal, .required = true},
};
constexpr std::array kRecordFields{
    Field{.name = "call_id", .required = true},
    Field{.name = "from_extension", .required = true},
    Field{.name = "to_extension", .required = true},
    Field{.name = "from_number", .required = true},
    Field{.name = "to_number", .required = true},
    Field{
        .name = "direction", .type = Type::kText, .about = "internal, inbound or outbound", .required = true},
    Field{.name = "start_time", .type = Type::kTime, .required = true},
    Field{.name = "answer_time", .type = Type::kTime, .required = true, .nullable = true},
    Field{.name = "end_time", .type = Type::kTime, .required = true, .nullable = true},
    Field{.name = "disposition",
          .type = Type::kText,
          .about = "answered, no_answer, busy, failed or cancelled",
          .required = true},
    Field{.name = "duration",
          .type = Type::kInteger,
          .about = "seconds from start to end",
          .required = true,
          .most = 2'147'483'647},
    Field{.name = "billsec",
          .type = Type::kInteger,
          .about = "seconds from answer to end",
          .required = true,
          .most = 2'147'483'647},
    Field{.name = "hangup_by", .required = true},
    Field{.name = "hangup_cause", .type = Type::kInteger, .required = true, .most = 2'147'483'647},
    Field{.name = "reason", .type = Type::kText, .about = "in a sentence", .required = true, .most = 8'192},
    Field{.name = "user_agent", .required = true},
    Field{.name = "legs", .type = Type::kObjects, .required = true, .most = 64, .fields = kRecordLegFields},
};
constexpr std::array kStartedFields{
    Field{.name = "success", .type = Type::kFlag, .required = true},
    Field{.name = "call_id", .required = true},
};
constexpr Shape kPhones{"Phone", kPhoneFields, true};
constexpr Shape kCalls{"Call", kCallFields, true};
constexpr Shape kRecords{"CallRecord", kRecordFields, true};
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
constexpr std::array kWhichCall{Field{.name = "call_id", .required = true, .most = 64}};
constexpr std::array kRecordQuery =
    both(kPaging, std::array{Field{.name = "extension", .about = "as caller or callee", .most = 32}});

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

// A user ends its own calls; of those of others it does not even learn that they are there.
void hang_up(Services& s, Exchange&& e) {
  ports::HangUpCall request{model::CallId{e.body().required_text("call_id")}};
  if (e.principal().role != access::Role::kUser) return ask(s, std::move(e), std::move(request));
  s.ask(ports::ListCalls{}, [&s, request, e = std::move(e)](ports::Reply&& reply) mutable {
    if (const auto* refused = std::get_if<ports::Refused>(&reply)) return e.refuse(*refused);
    const auto* list = std::get_if<ports::Calls>(&reply);
    const bool own = list != nullptr && std::ranges::any_of(list->calls, [&](const ports::CallView& call) {
                       return call.id == request.call && concerns(call, e.principal().extension);
                     });
    if (!own) return e.refuse({"There is no such call.", "not_found", "call_id", 404});
    ask(s, std::move(e), std::move(request));
  });
}

void call_records(Services& s, Exchange&& e) {
  RecordQuery query;
  query.extension = e.query("extension");
  if (query.extension.empty()) query.extension = e.principal().extension;
  if (!e.principal().sees(query.extension))
    return e.refuse({"This is not yours to see or change.", "forbidden", "extension", 403});
  query.limit = e.query_number("limit", kPage);
  const std::string cursor = e.query("cursor");
  std::int64_t before = 0;
  const auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), before);
  if (!cursor.empty()) {
    if (error != std::errc{} || end != cursor.data() + cursor.size() || before <= 0)
      return e.refuse({"This cursor is none of this list.", "bad_request", "cursor"});
    query.before = Instant{Duration{before}};
  }
  const std::size_t limit = query.limit;
  s.call_records(query,
                 [e = std::move(e), limit](std::optional<std::vector<model::CallRecord>>&& records) mutable {
                   if (!records) return e.refuse({"The database does not answer.", "unavailable", {}, 503});
                   json::array list;
                   for (const model::CallRecord& r : *records) list.push_back(to_json(r));
                   std::string next;
                   if (records->size() == limit)
                     next = std::to_string(records->back().started.since_epoch().count());
                   answer_page(std::move(e), std::move(list), next);
                 });
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
    Route{.method = "POST",
          .pattern = "/api/call/hangup",
          .id = "hangUpCall",
          .summary = "End a call",
          .tag = "calls",
          .who = Who::kUser,
          .scope = "calls:write",
          .handle = hang_up,
          .acts = true,
          .body = kWhichCall,
          .answer = &kDone},
    Route{.method = "GET",
          .pattern = "/api/cdr",
          .id = "listCallRecords",
          .summary = "Calls that were, newest first; a user sees its own",
          .tag = "calls",
          .who = Who::kUser,
          .scope = "calls:read",
          .handle = call_records,
          .query = kRecordQuery,
          .answer = &kRecords},
};

}  // namespace

std::span<const Route> call_routes() {
  return kRoutes;
}

}  // namespace bw::api
