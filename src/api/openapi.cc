#include "api/openapi.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "api/version.h"
#include "base/ascii.h"

namespace bw::api {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMostPerPage = 1'000;
constexpr std::int64_t kSentenceBytes = 8'192;

json::string_view view(std::string_view s) {
  return {s.data(), s.size()};
}

json::object ref(std::string_view kind, std::string_view name) {
  return {{"$ref", fmt::format("#/components/{}/{}", kind, name)}};
}

json::object object_of(std::span<const Field> fields);

json::object text_schema(const Field& f) {
  json::object o{{"type", "string"}, {"maxLength", f.most}, {"pattern", view(pattern_of(f.format))}};
  if (f.least > 0) o["minLength"] = f.least;
  return o;
}

json::object integer_schema(const Field& f) {
  constexpr std::int64_t kInt32 = 2'147'483'647;
  return {{"type", "integer"},
          {"format", f.most > kInt32 ? "int64" : "int32"},
          {"minimum", f.least},
          {"maximum", f.most}};
}

json::object list_of(json::object&& item, std::int64_t most) {
  return {{"type", "array"}, {"maxItems", most}, {"items", std::move(item)}};
}

json::object bare_schema(const Field& f) {
  switch (f.type) {
    case Type::kText:
      return text_schema(f);
    case Type::kInteger:
      return integer_schema(f);
    case Type::kDecimal:
      return {{"type", "number"}, {"format", "double"}};
    case Type::kFlag:
      return {{"type", "boolean"}};
    case Type::kTime:
      return {{"type", "string"}, {"format", "date-time"}, {"maxLength", 32}};
    case Type::kTexts:
      return list_of(text_schema({.name = {}}), f.most);
    case Type::kObject:
      return object_of(f.fields);
    case Type::kObjects:
      return list_of(object_of(f.fields), f.most);
    case Type::kMap:
      return {{"type", "object"},
              {"additionalProperties", text_schema({.name = {}, .most = 4'096})},
              {"maxProperties", f.most}};
    case Type::kAny:
      return {};
  }
  return {};
}

json::object schema_of(const Field& f) {
  json::object o = bare_schema(f);
  if (f.nullable && o.contains("type")) o["type"] = json::array{o.at("type"), "null"};
  if (!f.about.empty()) o["description"] = view(f.about);
  if (f.secret) o["writeOnly"] = true;
  return o;
}

json::object object_of(std::span<const Field> fields) {
  json::object properties;
  json::array required;
  for (const Field& f : fields) {
    properties[view(f.name)] = schema_of(f);
    if (f.required) required.emplace_back(view(f.name));
  }
  json::object o{{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
  if (!required.empty()) o["required"] = std::move(required);
  return o;
}

// ---- answers ----

json::object headers(bool retry, bool paged) {
  json::object h{{"RateLimit-Limit", ref("headers", "RateLimit-Limit")},
                 {"RateLimit-Remaining", ref("headers", "RateLimit-Remaining")},
                 {"RateLimit-Reset", ref("headers", "RateLimit-Reset")},
                 {"Access-Control-Allow-Origin", ref("headers", "Access-Control-Allow-Origin")}};
  if (retry) h["Retry-After"] = ref("headers", "Retry-After");
  if (paged) h["Link"] = ref("headers", "Link");
  return h;
}

json::object success_of(const Route& r) {
  static constexpr std::array kMessage{
      Field{.name = "success", .type = Type::kFlag, .required = true},
      Field{.name = "message", .about = "a sentence", .most = kSentenceBytes}};
  json::object content;
  if (r.answer != nullptr && !r.answer->media.empty()) {
    content[view(r.answer->media)] = json::object{{"schema", text_schema({.name = {}, .most = 1 << 20})}};
  } else {
    json::object schema;
    if (r.answer == nullptr) {
      schema = object_of(kMessage);
    } else {
      schema = ref("schemas", r.answer->name);
      if (r.answer->list) schema = list_of(std::move(schema), kMostPerPage);
    }
    content["application/json"] = json::object{{"schema", std::move(schema)}};
  }
  const bool list = r.answer != nullptr && r.answer->list;
  return {{"description", "What was asked for"},
          {"headers", headers(false, list)},
          {"content", std::move(content)}};
}

struct Refusal {
  int status;
  std::string_view name;
  std::string_view about;
  bool retry = false;
};

constexpr std::array kRefusals{
    Refusal{400, "BadRequest", "A field is missing, unknown, of the wrong type or size"},
    Refusal{401, "Unauthorized", "Nobody is logged in"},
    Refusal{403, "Forbidden", "Not for this role, scope or page"},
    Refusal{404, "NotFound", "There is no such thing"},
    Refusal{409, "Conflict", "It contradicts what there is"},
    Refusal{413, "TooLarge", "The body is larger than 1 MiB"},
    Refusal{415, "UnsupportedMediaType", "The body is not application/json"},
    Refusal{422, "Unprocessable", "It cannot be done as asked"},
    Refusal{423, "Locked", "Too many wrong passwords", true},
    Refusal{429, "TooManyRequests", "Too many requests", true},
    Refusal{500, "Broken", "A fault of the server; never because of what was sent"},
    Refusal{503, "Unavailable", "Busy, or the database does not answer"},
};

bool may_come(const Refusal& refusal, const Route& r) {
  const bool changes = r.method != "GET";
  switch (refusal.status) {
    case 404:
      return r.pattern.find('{') != std::string_view::npos || changes;
    case 409:
    case 413:
    case 415:
    case 422:
      return changes;
    case 423:
      return r.id == "login";
    default:
      return true;
  }
}

json::object responses_of(const Route& r) {
  json::object o{{"200", success_of(r)}};
  for (const Refusal& refusal : kRefusals) {
    if (may_come(refusal, r)) o[std::to_string(refusal.status)] = ref("responses", refusal.name);
  }
  return o;
}

// ---- requests ----

json::object parameter(std::string_view where, const Field& f, bool required) {
  return {{"name", view(f.name)},
          {"in", view(where)},
          {"required", required},
          {"description", f.about.empty() ? view(f.name) : view(f.about)},
          {"schema", bare_schema(f)}};
}

json::array parameters_of(const Route& r) {
  json::array list;
  std::string_view rest = r.pattern;
  for (auto open = rest.find('{'); open != std::string_view::npos; open = rest.find('{')) {
    const auto close = rest.find('}', open);
    const std::string_view name = rest.substr(open + 1, close - open - 1);
    rest.remove_prefix(close + 1);
    list.push_back(parameter("path", {.name = name, .least = 1}, true));
  }
  for (const Field& f : r.query) list.push_back(parameter("query", f, f.required));
  if (r.acts) {
    list.push_back(parameter("header",
                             {.name = "Idempotency-Key",
                              .about = "the same within 24 hours answers the same and does nothing",
                              .most = 128},
                             false));
  }
  return list;
}

std::string_view who_word(Who who) {
  switch (who) {
    case Who::kAnyone:
      return "anyone";
    case Who::kUser:
      return "user";
    case Who::kSupervisor:
      return "supervisor";
    case Who::kAdmin:
      return "admin";
    case Who::kOperator:
      return "operator";
  }
  return {};
}

json::object operation_of(const Route& r) {
  json::object o{{"operationId", view(r.id)},      {"summary", view(r.summary)},
                 {"description", view(r.summary)}, {"tags", json::array{view(r.tag)}},
                 {"responses", responses_of(r)},   {"x-role", view(who_word(r.who))}};
  if (!r.scope.empty()) o["x-scope"] = view(r.scope);
  if (!r.own.empty()) o["x-own"] = view(r.own);
  if (json::array parameters = parameters_of(r); !parameters.empty()) o["parameters"] = std::move(parameters);
  if (!r.body.empty()) {
    const bool required = std::ranges::any_of(r.body, &Field::required);
    o["requestBody"] = json::object{
        {"required", required},
        {"content", json::object{{"application/json", json::object{{"schema", object_of(r.body)}}}}}};
  }
  if (r.who == Who::kAnyone) {
    json::array none;
    none.push_back(json::object{});  // no scheme at all is one way to ask
    o["security"] = std::move(none);
  }
  return o;
}

// ---- the whole ----

json::object header(std::string_view about, json::object schema) {
  return {{"description", view(about)}, {"schema", std::move(schema)}};
}

json::object components_of(std::span<const Route> table) {
  json::object schemas;
  for (const Route& r : table) {
    if (r.answer != nullptr && r.answer->media.empty())
      schemas[view(r.answer->name)] = object_of(r.answer->fields);
  }
  static constexpr std::array kError{
      Field{.name = "error", .about = "a sentence for people", .required = true, .most = kSentenceBytes},
      Field{.name = "code",
            .about = "a word for programs",
            .required = true,
            .most = 64,
            .format = Format::kWord},
      Field{.name = "field", .about = "which of those that were sent", .most = 512},
      Field{.name = "problems", .type = Type::kTexts, .about = "of a configuration", .most = 1'000},
  };
  schemas["Error"] = object_of(kError);
  json::object responses;
  for (const Refusal& r : kRefusals) {
    responses[view(r.name)] = json::object{
        {"description", view(r.about)},
        {"headers", headers(r.retry, false)},
        {"content", json::object{{"application/json", json::object{{"schema", ref("schemas", "Error")}}}}}};
  }
  const json::object count = integer_schema({.name = {}, .type = Type::kInteger, .most = 1'000'000});
  const json::object text = text_schema({.name = {}, .most = 4'096});
  return {
      {"schemas", std::move(schemas)},
      {"responses", std::move(responses)},
      {"headers",
       json::object{{"RateLimit-Limit", header("requests that may come at once", count)},
                    {"RateLimit-Remaining", header("how many of them are left", count)},
                    {"RateLimit-Reset", header("seconds until all are left again", count)},
                    {"Retry-After", header("seconds to wait", count)},
                    {"Link", header("rel=next: the next page", text)},
                    {"Access-Control-Allow-Origin", header("an origin of api.cors_origins", text)}}},
      {"securitySchemes",
       json::object{
           {"token",
            json::object{{"type", "http"},
                         {"scheme", "bearer"},
                         {"description",
                          "A token from /api/login, or an API key. Opaque: no JWT, so RFC8725 has no say."}}},
           {"cookie",
            json::object{{"type", "apiKey"},
                         {"in", "cookie"},
                         {"name", "bellwire_session"},
                         {"description", "The session of a page; changes need an Origin of our own"}}}}}};
}

}  // namespace

json::object openapi(std::span<const Route> table) {
  json::object paths;
  std::set<std::string_view> tags;
  for (const Route& r : table) {
    std::string method{r.method};
    method = lowered(method);
    json::value& path = paths[view(r.pattern)];
    if (!path.is_object()) path.emplace_object();
    path.get_object()[method] = operation_of(r);
    tags.insert(r.tag);
  }
  json::array tag_list;
  for (const std::string_view tag : tags)
    tag_list.push_back(json::object{{"name", view(tag)}, {"description", fmt::format("About {}", tag)}});
  return {
      {"openapi", "3.1.0"},
      {"info",
       json::object{{"title", "Bellwire"},
                    {"version", kVersion},
                    {"description", "The telephone system of an office. See docs/api.md."},
                    {"contact", json::object{{"name", "Bellwire"}}},
                    {"license", json::object{{"name", "Apache License 2.0"}, {"identifier", "Apache-2.0"}}}}},
      {"servers", json::array{json::object{{"url", "https://localhost:8443"},
                                           {"description", "production: the office's own server"},
                                           {"x-internal", true}}}},
      {"tags", std::move(tag_list)},
      {"security",
       json::array{json::object{{"token", json::array{}}}, json::object{{"cookie", json::array{}}}}},
      {"paths", std::move(paths)},
      {"components", components_of(table)}};
}

}  // namespace bw::api
