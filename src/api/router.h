// The table of everything the server can be asked over HTTP. Routing, permissions, the checks of a request
// and the description for integrators all come from it; the operators' socket and the network use the same.
//
// To add a route:
//  1. Write its handler `void f(Services&, Exchange&&)` in a file of its area, and put a Route into the
//  area's
//     constexpr array (calls.cc is an example); an area that is new adds its span to routes() in routes.cc.
//  2. Say who may: anyone (no login), a user (an extension; name in `own` the path parameter or field that
//  has
//     to be its own number, or look at exchange.principal().sees(extension) in the handler), supervisor,
//     admin. `scope` is what an API key needs for it: "area:read" or "area:write"; without one no key may.
//  3. List query parameters and fields of the body; what is unknown, missing, of the wrong type or size is
//     answered 400 before the handler runs. Fields with `secret` never reach the audit log.
//  4. `acts` for a POST that makes something happen which must not happen twice (Idempotency-Key).
//  5. Describe the answer in `answer`. tests/functional/test_openapi.py calls every operation of the table,
//  and
//     test_roles.py asks for each as each role; both follow the table by themselves.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/exchange.h"
#include "api/schema.h"
#include "api/services.h"

namespace bw::api {

enum class Who : std::uint8_t { kAnyone, kUser, kSupervisor, kAdmin, kOperator };

struct Route {
  std::string_view method;
  std::string_view pattern;  // "/api/queues/{number}/agents/{extension}/pause"
  std::string_view id;       // of the operation: "listExtensions"
  std::string_view summary;
  std::string_view tag;
  Who who = Who::kAdmin;
  std::string_view scope{};
  std::string_view own{};
  void (*handle)(Services&, Exchange&&) = nullptr;
  bool acts = false;
  bool audited = true;  // false for what changes nothing that anybody would look for in the audit log
  std::span<const Field> query{};
  std::span<const Field> body{};
  const Shape* answer = nullptr;  // none: {"success": true, "message": …}
};

// All areas, in the order in which they are described.
const std::vector<Route>& routes();

// The route for a path and method, with what stands for its parameters; or 404, or 405 with Allow.
struct Found {
  const Route* route = nullptr;
  PathParameters parameters{};
  http::Response refusal{};  // where there is no route
};
Found find_route(std::span<const Route> table, std::string_view method, std::string_view path);

// Whether `principal` may use the route at all, whatever for.
std::optional<Problem> objection_to(const access::Principal& principal, const Route& route);

// Checks the request and calls the handler. `principal`: who it is, known already.
void run(Found&& found, Services& services, http::Request&& request, const access::Principal& principal,
         Reply reply);
// The same from the table on.
void route(std::span<const Route> table, Services& services, http::Request&& request,
           const access::Principal& principal, http::Respond respond);

}  // namespace bw::api
