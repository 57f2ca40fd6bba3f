#include "api/router.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/query.h"
#include "base/ascii.h"
#include "base/utf8.h"

namespace bw::api {
namespace {

constexpr std::size_t kParameterBytes = 256;

std::string_view next_segment(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('/', 1), rest.size());
  const std::string_view segment = rest.substr(0, end);
  rest.remove_prefix(end);
  return segment;
}

// Segment by segment, each with its slash; what stands for a parameter is decoded after cutting, so that an
// encoded slash is no way around the table.
std::optional<PathParameters> match(std::string_view pattern, std::string_view path) {
  PathParameters parameters;
  while (!pattern.empty() && !path.empty()) {
    const std::string_view expected = next_segment(pattern);
    const std::string_view given = next_segment(path);
    if (expected.starts_with("/{")) {
      std::string value = percent_decoded(given.substr(given.empty() ? 0 : 1), false);
      if (value.empty() || valid_utf8(value, kParameterBytes) != value) return std::nullopt;
      parameters.emplace_back(expected.substr(2, expected.size() - 3), std::move(value));
    } else if (expected != given) {
      return std::nullopt;
    }
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return parameters;
}

bool reads_only(std::string_view method) {
  return method == "GET" || method == "HEAD";
}

// The table says JSON; a form or a text would be read as something its sender did not mean, and is what a
// page of somebody else can make a browser send.
std::optional<Problem> objection_to_type(const http::Request& request, const access::Principal& principal) {
  if (request.body.empty()) return std::nullopt;
  std::string_view type = request.header("content-type");
  type = trimmed(type.substr(0, type.find(';')));
  if (iequals(type, "application/json") || (type.empty() && principal.way == access::Way::kOperator))
    return std::nullopt;
  return Problem{"The body must be application/json.", "unsupported_media_type", {}, 415};
}

// A user may only speak of its own extension where the table says so.
std::optional<Problem> objection_to_owner(const access::Principal& principal, const Route& r,
                                          const http::Request& request, const PathParameters& parameters,
                                          const Body& body) {
  if (r.own.empty() || principal.role != access::Role::kUser) return std::nullopt;
  std::string number = query_value(request.query, r.own);
  const auto in_path = std::ranges::find(parameters, r.own, &PathParameters::value_type::first);
  const auto* in_body = body.value().if_contains(r.own);
  if (in_path != parameters.end()) {
    number = in_path->second;
  } else if (in_body != nullptr && in_body->is_string()) {
    number = in_body->get_string();
  }
  if (principal.sees(number)) return std::nullopt;
  return Problem{"This is not yours to see or change.", "forbidden", std::string(r.own), 403};
}

// Permission first: who may not ask learns nothing of what would have been wrong.
std::optional<Problem> objection_to(const http::Request& request, const access::Principal& principal,
                                    const Found& found, const Body& body) {
  const Route& r = *found.route;
  const bool reads = reads_only(request.method);
  // Before a body that is none is taken for one that names somebody else.
  if (!reads) {
    if (auto problem = objection_to_type(request, principal)) return problem;
  }
  if (auto problem = objection_to_owner(principal, r, request, found.parameters, body)) return problem;
  if (auto problem = check_query(request.query, r.query)) return problem;
  if (reads) return std::nullopt;
  return check(body, r.body);
}

}  // namespace

Found find_route(std::span<const Route> table, std::string_view method, std::string_view path) {
  Found found;
  std::string allowed;
  // A query answered by HEAD is a GET without its body, which the connection leaves out.
  const std::string_view wanted = method == "HEAD" ? std::string_view{"GET"} : method;
  for (const Route& r : table) {
    auto parameters = match(r.pattern, path);
    if (!parameters) continue;
    if (r.method == wanted) {
      found.route = &r;
      found.parameters = std::move(*parameters);
      return found;
    }
    allowed.append(allowed.empty() ? "" : ", ").append(r.method);
  }
  if (allowed.empty()) {
    found.refusal = to_response(Problem{"There is nothing here.", "not_found", {}, 404});
    return found;
  }
  found.refusal = to_response(Problem{"This path does not take that method.", "method_not_allowed", {}, 405});
  found.refusal.headers.emplace_back("Allow", allowed);
  return found;
}

std::optional<Problem> objection_to(const access::Principal& p, const Route& r) {
  const auto forbidden = [](std::string sentence) {
    return Problem{std::move(sentence), "forbidden", {}, 403};
  };
  if (r.who == Who::kAnyone) return std::nullopt;
  if (!p.known()) return Problem{"Please log in first.", "unauthorized", {}, 401};
  if (r.who == Who::kOperator && p.way != access::Way::kOperator)
    return forbidden("This is only done on the machine of the server: `bellwire help`.");
  if (!p.has_scope(r.scope)) {
    return forbidden(r.scope.empty() ? std::string{"No API key may do this."}
                                     : fmt::format("This API key lacks the scope {}.", r.scope));
  }
  const bool may = r.who == Who::kUser || (r.who == Who::kSupervisor && p.role != access::Role::kUser) ||
                   p.role == access::Role::kAdmin;
  if (may) return std::nullopt;
  return forbidden(fmt::format("The role {} may not do this.", access::name_of(p.role)));
}

void run(Found&& found, Services& services, http::Request&& request, const access::Principal& principal,
         Reply reply) {
  if (found.route == nullptr) return reply(std::move(found.refusal), {});
  if (const auto problem = objection_to(principal, *found.route)) return reply(to_response(*problem), {});
  const bool reads = reads_only(request.method);
  Body body{reads ? std::string_view{} : std::string_view{request.body}};
  Trail trail{.before = nullptr, .after = nullptr, .target = request.path};
  if (const auto problem = objection_to(request, principal, found, body))
    return reply(to_response(*problem), std::move(trail));
  if (!reads) trail.after = without_secrets(body.value(), found.route->body);
  found.route->handle(services, Exchange{std::move(request), principal, std::move(found.parameters),
                                         std::move(body), std::move(trail), std::move(reply)});
}

void route(std::span<const Route> table, Services& services, http::Request&& request,
           const access::Principal& principal, http::Respond respond) {
  Found found = find_route(table, request.method, request.path);
  run(std::move(found), services, std::move(request), principal,
      [respond = std::move(respond)](http::Response&& response, Trail&&) mutable {
        respond(std::move(response));
      });
}

}  // namespace bw::api
