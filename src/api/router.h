// From an HTTP request to its handler, by a table. The operators' socket and the network port route by the
// same.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/body.h"
#include "api/services.h"
#include "ports/http.h"

namespace bw::api {

// One request on its way through a handler. Answer exactly once.
class Exchange {
 public:
  Exchange(http::Request&& request, std::string parameter, http::Respond respond)
      : request_(std::move(request)), parameter_(std::move(parameter)), respond_(std::move(respond)) {}

  const std::string& parameter() const { return parameter_; }  // what stands for {…} in the path, decoded
  const std::string& body() const { return request_.body; }
  // Of the query string, decoded; empty if absent.
  std::string query(std::string_view name) const;
  // A query parameter nobody knows is named, as an unknown field of a body is.
  std::optional<Problem> unknown_query(std::span<const std::string_view> known) const;

  void answer(int status, const boost::json::value& value);
  void refuse(const Problem& problem);
  void refuse(const ports::Refused& refused);

 private:
  http::Request request_;
  std::string parameter_;
  http::Respond respond_;
};

struct Route {
  std::string_view method;
  std::string_view pattern;  // "/api/extensions/{number}": at most one parameter
  void (*handle)(Services&, Exchange&&);
};

// Unknown path: 404; known path, other method: 405 with Allow.
void route(std::span<const Route> table, Services& services, http::Request&& request, http::Respond respond);

// For whoever may open the control socket: everything.
std::span<const Route> operator_routes();
// For the network, before there are logins: only whether the server is alive.
std::span<const Route> public_routes();

}  // namespace bw::api
