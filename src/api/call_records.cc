// Calls that were: records and figures.
#include <array>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "api/areas.h"
#include "api/call_fields.h"
#include "api/csv.h"
#include "api/json.h"
#include "api/operations.h"
#include "api/paging.h"
#include "api/period.h"
#include "base/rfc3339.h"

namespace bw::api {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMost = 9'007'199'254'740'991;  // the largest integer that every JSON reader keeps
constexpr Duration kLongestPeriod = 24h * 366;

constexpr std::array kRecordLegFields =
    both(std::array{kHeardField, Field{.name = "party", .required = true},
                    Field{.name = "device", .required = true, .most = 8'192},
                    Field{.name = "codec", .required = true},
                    Field{.name = "secured", .type = Type::kFlag, .required = true}},
         kQualityFields);
constexpr std::array kRecordFields{
    Field{.name = "call_id", .required = true},
    Field{.name = "from_extension", .about = "empty: from outside", .required = true},
    Field{.name = "to_extension", .about = "empty: to outside or a service", .required = true},
    Field{.name = "from_number", .required = true},
    Field{.name = "to_number", .about = "as dialled", .required = true},
    Field{.name = "direction", .about = "internal, inbound or outbound", .required = true},
    Field{.name = "start_time", .type = Type::kTime, .required = true},
    Field{.name = "answer_time", .type = Type::kTime, .required = true, .nullable = true},
    Field{.name = "end_time", .type = Type::kTime, .required = true, .nullable = true},
    Field{.name = "disposition",
          .about = "answered, no_answer, busy, failed or cancelled; null until the call has ended",
          .required = true,
          .nullable = true},
    Field{.name = "duration",
          .type = Type::kInteger,
          .about = "seconds from start to end",
          .required = true,
          .most = kMost},
    Field{.name = "billsec",
          .type = Type::kInteger,
          .about = "seconds from answer to end",
          .required = true,
          .most = kMost},
    Field{.name = "recording_file", .about = "null: not recorded", .required = true, .nullable = true},
    Field{.name = "hangup_by", .about = "caller, callee or system", .required = true},
    Field{.name = "hangup_cause",
          .type = Type::kInteger,
          .about = "SIP status or Q.850 cause",
          .required = true,
          .most = kMost},
    Field{.name = "reason", .about = "in a sentence", .required = true, .most = 8'192},
    Field{.name = "user_agent", .about = "of the caller", .required = true, .most = 8'192},
    Field{.name = "legs", .type = Type::kObjects, .required = true, .most = 64, .fields = kRecordLegFields},
    Field{.name = "quality",
          .type = Type::kObject,
          .about = "the worst of the legs; null: no media was measured",
          .required = true,
          .nullable = true,
          .fields = kQualityFields},
};
constexpr Shape kRecords{"CallRecord", kRecordFields, true};

constexpr std::array kRecordQuery =
    both(both(kPaging, kPeriodQuery),
         std::array{Field{.name = "extension", .about = "as caller or callee", .most = 32},
                    Field{.name = "format", .about = "json (the default) or csv", .most = 8}});

constexpr std::array kSumFields{
    Field{.name = "total_calls", .type = Type::kInteger, .required = true, .most = kMost},
    Field{.name = "answered_calls", .type = Type::kInteger, .required = true, .most = kMost},
    Field{.name = "failed_calls",
          .type = Type::kInteger,
          .about = "over without an answer",
          .required = true,
          .most = kMost},
    Field{.name = "answer_rate",
          .type = Type::kDecimal,
          .about = "percent of those answered or failed",
          .required = true},
    Field{.name = "total_duration", .type = Type::kInteger, .about = "s", .required = true, .most = kMost},
    Field{.name = "total_billsec", .type = Type::kInteger, .about = "s", .required = true, .most = kMost},
    Field{.name = "average_duration",
          .type = Type::kDecimal,
          .about = "seconds from answer to end of an answered call",
          .required = true},
};
constexpr std::array kHourFields =
    both(std::array{Field{.name = "hour", .type = Type::kInteger, .required = true, .most = 23}}, kSumFields);
constexpr std::array kFailureFields{
    Field{.name = "no_answer", .type = Type::kInteger, .required = true, .most = kMost},
    Field{.name = "busy", .type = Type::kInteger, .required = true, .most = kMost},
    Field{.name = "failed", .type = Type::kInteger, .required = true, .most = kMost},
    Field{.name = "cancelled", .type = Type::kInteger, .required = true, .most = kMost},
};
constexpr std::array kExtensionFields{
    Field{.name = "extension", .required = true},
    Field{.name = "made_calls", .type = Type::kInteger, .required = true, .most = kMost},
    Field{.name = "received_calls", .type = Type::kInteger, .required = true, .most = kMost},
    Field{.name = "answered_calls", .type = Type::kInteger, .required = true, .most = kMost},
    Field{.name = "total_billsec", .type = Type::kInteger, .required = true, .most = kMost},
};
constexpr std::array kStatisticsFields =
    both(both(std::array{Field{.name = "date", .about = "the first day of the period", .required = true},
                         Field{.name = "from", .type = Type::kTime, .required = true},
                         Field{.name = "to",
                               .type = Type::kTime,
                               .about = "calls of this moment are not in it",
                               .required = true},
                         Field{.name = "timezone", .about = "of days and hours: UTC", .required = true}},
              kSumFields),
         std::array{Field{.name = "failures",
                          .type = Type::kObject,
                          .about = "failed_calls by disposition",
                          .required = true,
                          .fields = kFailureFields},
                    Field{.name = "per_hour",
                          .type = Type::kObjects,
                          .about = "by the hour of the day, all 24",
                          .required = true,
                          .most = 24,
                          .fields = kHourFields},
                    Field{.name = "per_extension",
                          .type = Type::kObjects,
                          .about = "those with most calls first",
                          .required = true,
                          .most = model::CallStatistics::kMostExtensions,
                          .fields = kExtensionFields}});
constexpr Shape kStatistics{"Statistics", kStatisticsFields};

// ---- records ----

// Where the next page begins: moment and name of the last record of this one.
std::string cursor_after(const model::CallRecord& last) {
  return std::to_string(last.started.since_epoch().count()) + '-' + last.id.value;
}

std::optional<RecordQuery::Place> place_of(std::string_view cursor) {
  std::int64_t at = 0;
  const auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), at);
  if (error != std::errc{} || at < 0 || end == cursor.data() + cursor.size() || *end != '-')
    return std::nullopt;
  return RecordQuery::Place{Instant{Duration{at}}, std::string(end + 1, cursor.data() + cursor.size())};
}

constexpr std::array<std::string_view, 20> kColumns{
    "call_id",        "from_extension", "to_extension", "from_number", "to_number",  "direction",
    "start_time",     "answer_time",    "end_time",     "disposition", "duration",   "billsec",
    "recording_file", "hangup_by",      "hangup_cause", "reason",      "user_agent", "mos",
    "loss_percent",   "jitter_ms"};

void write_cell(Csv& csv, const json::value& v) {
  if (const auto* text = v.if_string()) return csv.cell(std::string_view{text->data(), text->size()});
  csv.cell(v.is_null() ? std::string{} : json::serialize(v));
}

// The fields of the JSON in its order; of the legs only the quality of the worst.
std::string in_csv(const std::vector<model::CallRecord>& records) {
  Csv csv;
  for (const std::string_view column : kColumns) csv.cell(column);
  csv.end_row();
  for (const model::CallRecord& r : records) {
    const json::object o = to_json(r);
    const json::object* quality = o.at("quality").if_object();
    for (const std::string_view column : kColumns) {
      const json::value* held = o.if_contains(column);
      if (held == nullptr && quality != nullptr) held = quality->if_contains(column);
      write_cell(csv, held == nullptr ? json::value{} : *held);
    }
    csv.end_row();
  }
  return std::move(csv).take();
}

void answer_csv(Exchange&& e, const std::vector<model::CallRecord>& records, std::string_view next) {
  http::Response response;
  response.content_type = "text/csv; charset=utf-8; header=present";
  response.headers.emplace_back("Content-Disposition", "attachment; filename=\"calls.csv\"");
  if (!next.empty()) response.headers.emplace_back("Link", link_to(e.request(), next));
  response.body = in_csv(records);
  e.answer(std::move(response));
}

std::expected<RecordQuery, Problem> record_query(const Exchange& e) {
  const auto period = period_of(e);
  if (!period) return std::unexpected(period.error());
  RecordQuery query;
  query.from = period->from;
  query.before = period->before;
  query.limit = e.query_number("limit", kPage);
  query.extension = e.query("extension");
  if (query.extension.empty()) query.extension = e.principal().extension;
  if (!e.principal().sees(query.extension))
    return std::unexpected(Problem{"This is not yours to see or change.", "forbidden", "extension", 403});
  if (const std::string cursor = e.query("cursor"); !cursor.empty()) {
    query.beyond = place_of(cursor);
    if (!query.beyond)
      return std::unexpected(Problem{"This cursor is none of this list.", "bad_request", "cursor"});
  }
  return query;
}

void call_records(Services& s, Exchange&& e) {
  const auto query = record_query(e);
  if (!query) return e.refuse(query.error());
  const std::string format = e.query("format");
  if (!format.empty() && format != "json" && format != "csv")
    return e.refuse({"format must be json or csv.", "bad_request", "format"});
  s.call_records(*query, [e = std::move(e), csv = format == "csv", limit = query->limit](
                             std::optional<std::vector<model::CallRecord>>&& records) mutable {
    if (!records) return e.refuse({"The database does not answer.", "unavailable", {}, 503});
    const std::string next = records->size() == limit ? cursor_after(records->back()) : std::string{};
    if (csv) return answer_csv(std::move(e), *records, next);
    json::array list;
    for (const model::CallRecord& r : *records) list.push_back(to_json(r));
    answer_page(std::move(e), std::move(list), next);
  });
}

// ---- figures ----

double hundredths(double value) {
  return static_cast<double>(static_cast<std::int64_t>(value * 100 + 0.5)) / 100;
}
double share(std::uint64_t part, std::uint64_t whole, double of_one) {
  return whole == 0 ? 0 : hundredths(static_cast<double>(part) / static_cast<double>(whole) * of_one);
}

void put(json::object& o, const model::CallSums& s) {
  o["total_calls"] = s.total;
  o["answered_calls"] = s.answered;
  o["failed_calls"] = s.failed;
  o["answer_rate"] = share(s.answered, s.answered + s.failed, 100);
  o["total_duration"] = s.duration_s;
  o["total_billsec"] = s.billed_s;
  o["average_duration"] = share(s.billed_s, s.answered, 1);
}

json::object in_json(const model::CallStatistics& s, Instant from, Instant before) {
  json::object o;
  o["date"] = rfc3339(from).substr(0, std::string_view{"2026-03-01"}.size());
  o["from"] = rfc3339(from);
  o["to"] = rfc3339(before);
  o["timezone"] = "UTC";
  put(o, s.sums);
  o["failures"] = json::object{
      {"no_answer", s.no_answer}, {"busy", s.busy}, {"failed", s.refused}, {"cancelled", s.cancelled}};
  json::array hours;
  for (std::size_t hour = 0; hour < s.hours.size(); ++hour) {
    json::object h;
    h["hour"] = hour;
    put(h, s.hours[hour]);
    hours.push_back(std::move(h));
  }
  o["per_hour"] = std::move(hours);
  json::array extensions;
  for (const model::ExtensionSums& x : s.extensions) {
    extensions.push_back(json::object{{"extension", x.extension},
                                      {"made_calls", x.made},
                                      {"received_calls", x.received},
                                      {"answered_calls", x.answered},
                                      {"total_billsec", x.billed_s}});
  }
  o["per_extension"] = std::move(extensions);
  return o;
}

Instant midnight_before(Instant t) {
  return Instant{std::chrono::floor<std::chrono::days>(t.since_epoch())};
}

// Without a word about when: today.
void statistics(Services& s, Exchange&& e) {
  const auto period = period_of(e);
  if (!period) return e.refuse(period.error());
  const Instant before = period->before.value_or(midnight_before(s.moment()) + 24h);
  const Instant from = period->from.value_or(midnight_before(before - Duration{1}));
  if (from > before) return e.refuse({"The period ends before it begins.", "bad_request", "from"});
  if (before - from > kLongestPeriod)
    return e.refuse({"The period must not be longer than 366 days.", "bad_request", "from"});
  Operations* operations = s.operations();
  if (operations == nullptr) return e.refuse({"The server is not up yet.", "unavailable", {}, 503});
  operations->call_statistics(
      from, before, [e = std::move(e), from, before](std::optional<model::CallStatistics>&& figures) mutable {
        if (!figures) return e.refuse({"The database does not answer.", "unavailable", {}, 503});
        e.answer(200, in_json(*figures, from, before));
      });
}

constexpr std::array kRoutes{
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
    Route{.method = "GET",
          .pattern = "/api/statistics",
          .id = "showStatistics",
          .summary = "Figures over the calls of a day or a period, in UTC; without one: today",
          .tag = "calls",
          .who = Who::kSupervisor,
          .scope = "calls:read",
          .handle = statistics,
          .query = kPeriodQuery,
          .answer = &kStatistics},
};

}  // namespace

std::span<const Route> call_record_routes() {
  return kRoutes;
}

}  // namespace bw::api
