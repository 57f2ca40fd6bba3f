#include "api/router.h"

#include <algorithm>
#include <boost/json/serialize.hpp>

namespace bw::api {
namespace {

namespace json = boost::json;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A percent sign that encodes nothing stays as it is.
std::string decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool encoded =
        text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
    if (encoded) {
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

// Calls f(name, value) for each pair until it answers true.
template <typename F>
void each_query(std::string_view query, F f) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = equals < pair.size() ? pair.substr(equals + 1) : std::string_view{};
    if (f(decoded(pair.substr(0, equals), true), decoded(value, true))) return;
  }
}

// The parameter of the path if it fits the pattern ("" for a pattern without one).
std::optional<std::string> match(std::string_view pattern, std::string_view path) {
  const std::size_t open = pattern.find('{');
  if (open == std::string_view::npos) {
    return pattern == path ? std::optional<std::string>{std::string{}} : std::nullopt;
  }
  if (!path.starts_with(pattern.substr(0, open))) return std::nullopt;
  const std::string_view value = path.substr(open);
  if (value.empty() || value.find('/') != std::string_view::npos) return std::nullopt;
  return decoded(value, false);
}

http::Response to_response(int status, const json::value& value) {
  http::Response response;
  response.status = status;
  response.body = json::serialize(value) + "\n";
  return response;
}

json::object to_json(const Problem& p) {
  json::object o;
  o["error"] = p.sentence;
  o["code"] = p.code;
  if (!p.field.empty()) o["field"] = p.field;
  return o;
}

}  // namespace

std::string Exchange::query(std::string_view name) const {
  std::string found;
  each_query(request_.query, [&](const std::string& n, std::string&& v) {
    if (n != name) return false;
    found = std::move(v);
    return true;
  });
  return found;
}

std::optional<Problem> Exchange::unknown_query(std::span<const std::string_view> known) const {
  std::optional<Problem> problem;
  each_query(request_.query, [&](const std::string& n, const std::string&) {
    if (std::ranges::find(known, n) != known.end()) return false;
    problem = Problem{"Unknown query parameter: " + n + ".", "unknown_field", n};
    return true;
  });
  return problem;
}

void Exchange::answer(int status, const json::value& value) {
  respond_(to_response(status, value));
}

void Exchange::refuse(const Problem& problem) {
  respond_(to_response(problem.status, to_json(problem)));
}

void Exchange::refuse(const ports::Refused& refused) {
  refuse(Problem{refused.sentence, refused.code, {}, refused.status});
}

void route(std::span<const Route> table, Services& services, http::Request&& request, http::Respond respond) {
  std::string allowed;
  // A query answered by HEAD is a GET without its body, which the connection leaves out.
  const std::string_view method = request.method == "HEAD" ? std::string_view{"GET"} : request.method;
  for (const Route& r : table) {
    auto parameter = match(r.pattern, request.path);
    if (!parameter) continue;
    if (r.method == method) {
      return r.handle(services, Exchange{std::move(request), std::move(*parameter), std::move(respond)});
    }
    allowed.append(allowed.empty() ? "" : ", ").append(r.method);
  }
  if (allowed.empty())
    return respond(to_response(404, to_json(Problem{"There is nothing here.", "not_found", {}})));
  auto response = to_response(
      405, to_json(Problem{"This path does not take " + request.method + ".", "method_not_allowed", {}}));
  response.headers.emplace_back("Allow", allowed);
  respond(std::move(response));
}

}  // namespace bw::api
