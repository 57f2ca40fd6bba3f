#include "api/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <chrono>

#include "access/credentials.h"
#include "api/areas.h"
#include "base/utf8.h"

namespace bw::api {
namespace {

constexpr std::size_t kIdempotencyKeyBytes = 128;
constexpr std::size_t kAuditedBytes = 4'096;
constexpr int kSwitchingProtocols = 101;  // to the connection: go on as SIP (io/detail/http_session.cc)

// Our own pages hold no inline script; nobody may frame them.
constexpr std::string_view kContentPolicy =
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; media-src 'self' blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

bool reads_only(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

std::string whole_seconds(Duration wait) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count());
}

std::string_view name_of(access::Way way) {
  switch (way) {
    case access::Way::kNobody:
      return "none";
    case access::Way::kOperator:
      return "operator";
    case access::Way::kCookie:
      return "cookie";
    case access::Way::kToken:
      return "token";
    case access::Way::kKey:
      return "key";
  }
  return "none";
}

// What follows the question mark of a URL often opens what it leads to.
void mask_query(boost::json::string& url) {
  const auto question = url.find('?');
  if (question == boost::json::string::npos) return;
  url.erase(question);
  url.append("?(secret)");
}

void mask_urls(boost::json::value& value) {
  if (auto* list = value.if_array()) {
    for (auto& item : *list) mask_urls(item);
  }
  auto* object = value.if_object();
  if (object == nullptr) return;
  for (auto& entry : *object) {
    if (entry.key() == "url" && entry.value().is_string()) {
      mask_query(entry.value().get_string());
    } else {
      mask_urls(entry.value());
    }
  }
}

std::string text_of(boost::json::value&& value) {
  if (value.is_null()) return {};
  mask_urls(value);
  return valid_utf8(boost::json::serialize(value), kAuditedBytes);
}

// Who stands before us may have looked at the other one.
std::optional<Problem> objection_to_doubles(const http::Request& request) {
  for (const char* name : {"origin", "authorization", "x-api-key", "cookie", "content-type",
                           "idempotency-key", "last-event-id"}) {
    if (std::ranges::count(request.headers, name, &std::pair<std::string, std::string>::first) > 1)
      return Problem{fmt::format("There is more than one {} header.", name), "bad_request", name};
  }
  return std::nullopt;
}

// The same key of somebody else is another key.
std::string key_of(const access::Principal& p, std::string_view given) {
  return fmt::format("{}\n{}\n{}", name_of(p.way), p.way == access::Way::kKey ? p.session : p.name, given);
}

std::string digest_of(const http::Request& r) {
  return access::digest_of(fmt::format("{}\n{}\n{}\n{}", r.method, r.path, r.query, r.body));
}

http::Response refused_as_repeat(const access::Repeats::Different&) {
  return to_response(Problem{"This Idempotency-Key came with another request before.", "idempotency_mismatch",
                             "Idempotency-Key", 422});
}
http::Response refused_as_repeat(const access::Repeats::Pending&) {
  auto response = to_response(Problem{"The first request with this Idempotency-Key is still at work.",
                                      "idempotency_pending", "Idempotency-Key", 409});
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

// Changes that were made, and every attempt to log in that was judged: what is no login at all must not push
// others out of the log.
bool is_audited(const Route& r, const http::Response& response) {
  const bool wrong_login = r.id == "login" && (response.status == 401 || response.status == 423);
  return r.audited && r.method != "GET" && (response.status < 400 || wrong_login);
}

}  // namespace

void Gate::from_operator(http::Request&& request, http::Respond respond) {
  admit(std::move(request), access::Principal::from_operator(), std::move(respond));
}

// SIP has no cookie, but a page of any origin could open connections from inside the office, register with
// passwords it guesses and be taken for one of its phones (RFC 6455 §10.2). Phones send no Origin.
http::Response Gate::to_sip(const http::Request& request) const {
  if (const auto problem = objection_to_doubles(request)) return to_response(*problem);
  const std::string_view origin = request.header("origin");
  if (!origin.empty() && !is_welcome(origin, request)) {
    return to_response(
        Problem{"Pages of this origin may not speak SIP here (api.cors_origins).", "bad_origin", {}, 403});
  }
  http::Response go_on;
  go_on.status = kSwitchingProtocols;
  return go_on;
}

void Gate::from_network(http::Request&& request, http::Respond respond) {
  if (request.web_socket && request.path == "/sip") return respond(to_sip(request));
  access::Access& access = services_.access();
  const Instant now = services_.moment();
  const access::Principal principal =
      access.who({request.header("cookie"), request.header("authorization"), request.header("x-api-key")},
                 *services_.directory(), now);
  respond = with_headers(request, principal, std::move(respond));
  if (const auto wait = access.too_many(request.from.ip, principal, now)) {
    auto response = to_response(Problem{"Too many requests; please wait.", "rate_limited", {}, 429});
    response.headers.emplace_back("Retry-After", whole_seconds(*wait));
    return respond(std::move(response));
  }
  if (const auto problem = objection_to_doubles(request)) return respond(to_response(*problem));
  if (request.method == "OPTIONS" && !request.header("origin").empty()) {
    http::Response response;
    response.status = 204;
    return respond(std::move(response));
  }
  if (const auto problem = objection_to_page(request, principal)) return respond(to_response(*problem));
  admit(std::move(request), principal, std::move(respond));
}

bool Gate::is_welcome(std::string_view origin, const http::Request& request) const {
  const auto& origins = services_.access().settings().origins;
  return access::is_origin_of(origin, request.header("host"), request.tls) ||
         std::ranges::find(origins, origin) != origins.end();
}

// A browser adds the cookie to what any page makes it send; the Origin says which page that was. A token or
// key is only sent by whoever has it.
std::optional<Problem> Gate::objection_to_page(const http::Request& request,
                                               const access::Principal& principal) const {
  const std::string_view origin = request.header("origin");
  const bool by_cookie = principal.way == access::Way::kCookie;
  if (!by_cookie && principal.known()) return std::nullopt;
  if (reads_only(request.method) && !(request.web_socket && by_cookie)) return std::nullopt;
  if (origin.empty() ? !by_cookie : is_welcome(origin, request)) return std::nullopt;
  return Problem{"The request comes from a page that may not make it (Origin).", "bad_origin", {}, 403};
}

http::Respond Gate::with_headers(const http::Request& request, const access::Principal& principal,
                                 http::Respond respond) {
  const std::string origin{request.header("origin")};
  const auto& origins = services_.access().settings().origins;
  const bool cross = std::ranges::find(origins, origin) != origins.end();
  return [this, origin, cross, principal, ip = request.from.ip,
          respond = std::move(respond)](http::Response&& r) mutable {
    const auto left = services_.access().allowance(ip, principal, services_.moment());
    const auto add = [&](const char* name, std::string value) {
      r.headers.emplace_back(name, std::move(value));
    };
    add("RateLimit-Limit", std::to_string(left.limit));
    add("RateLimit-Remaining", std::to_string(left.left));
    add("RateLimit-Reset", whole_seconds(left.full_in));
    if (std::ranges::find(r.headers, "Content-Security-Policy",
                          &std::pair<std::string, std::string>::first) == r.headers.end()) {
      add("Content-Security-Policy", std::string(kContentPolicy));
    }
    add("Referrer-Policy", "no-referrer");
    add("Permissions-Policy", "microphone=(self), camera=(), geolocation=()");
    if (r.status == 401) add("WWW-Authenticate", "Bearer realm=\"bellwire\"");
    if (cross) {
      add("Access-Control-Allow-Origin", origin);
      add("Access-Control-Allow-Credentials", "true");
      add("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE");
      add("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, X-API-Key");
      add("Vary", "Origin");
    }
    respond(std::move(r));
  };
}

void Gate::admit(http::Request&& request, const access::Principal& principal, http::Respond respond) {
  Found found = find_route(routes(), request.method, request.path);
  const Route* r = found.route;
  if (r == nullptr) {
    if (auto response = doorstep(services_, request)) return respond(std::move(*response));
  }
  std::string key;
  const std::string_view given = request.header("idempotency-key");
  if (r != nullptr && r->acts && !given.empty() && !objection_to(principal, *r)) {
    if (given.size() > kIdempotencyKeyBytes) {
      return respond(
          to_response(Problem{"The Idempotency-Key is too long.", "bad_request", "Idempotency-Key"}));
    }
    key = key_of(principal, given);
    auto verdict = services_.access().repeats().begin(key, digest_of(request), services_.moment());
    if (const auto* known = std::get_if<access::Repeats::Answered>(&verdict)) {
      http::Response again;
      again.status = known->status;
      again.body = known->body.reveal();
      again.headers.emplace_back("Idempotency-Replayed", "true");
      return respond(std::move(again));
    }
    if (const auto* other = std::get_if<access::Repeats::Different>(&verdict))
      return respond(refused_as_repeat(*other));
    if (const auto* pending = std::get_if<access::Repeats::Pending>(&verdict))
      return respond(refused_as_repeat(*pending));
  }
  const std::string from =
      principal.way == access::Way::kOperator ? std::string{} : request.from.ip.to_string();
  run(std::move(found), services_, std::move(request), principal,
      [this, r, key, from, principal, respond = std::move(respond)](http::Response&& response,
                                                                    Trail&& trail) mutable {
        services_.served(r == nullptr ? std::string_view{"none"} : r->id, response.status);
        if (!key.empty()) services_.access().repeats().ended(key, response.status, response.body);
        if (r != nullptr && is_audited(*r, response)) {
          write_down({.at = services_.moment(),
                      .who = principal.known() ? principal.name : trail.target,
                      .way = std::string(name_of(principal.way)),
                      .from = from,
                      .action = std::string(r->id),
                      .target = trail.target,
                      .status = response.status,
                      .before = text_of(std::move(trail.before)),
                      .after = text_of(std::move(trail.after))});
        }
        respond(std::move(response));
      });
}

void Gate::write_down(access::AuditEntry&& entry) {
  if (entry.status < 400) return services_.audit(std::move(entry));
  if (auto now = failures_.add(std::move(entry))) services_.audit(std::move(*now));
}

void Gate::look_after() {
  for (access::AuditEntry& entry : failures_.due(services_.moment())) services_.audit(std::move(entry));
}

void Gate::finish() {
  for (access::AuditEntry& entry : failures_.rest()) services_.audit(std::move(entry));
}

}  // namespace bw::api
