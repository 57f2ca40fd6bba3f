// One request on its way through a handler.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/principal.h"
#include "api/body.h"
#include "ports/control.h"
#include "ports/http.h"

namespace bw::api {

// What the audit log keeps of a request that changed something.
struct Trail {
  boost::json::value before;  // without secrets, as all of it
  boost::json::value after;   // the body as the table describes it, if the handler says nothing else
  std::string target;         // the path, or whoever tried to log in
};

// The way back to whoever gave the request to the router.
using Reply = std::move_only_function<void(http::Response&&, Trail&&)>;

using PathParameters = std::vector<std::pair<std::string_view, std::string>>;

// Answer exactly once, on the thread that called the handler.
class Exchange {
 public:
  Exchange(http::Request&& request, access::Principal principal, PathParameters parameters, Body body,
           Trail trail, Reply reply)
      : request_(std::move(request)),
        principal_(std::move(principal)),
        parameters_(std::move(parameters)),
        body_(std::move(body)),
        trail_(std::move(trail)),
        reply_(std::move(reply)) {}

  const access::Principal& principal() const { return principal_; }
  const http::Request& request() const { return request_; }
  // What stands for {name} in the path, decoded. The first where a pattern has but one.
  const std::string& parameter(std::string_view name) const;
  const std::string& parameter() const { return parameters_.front().second; }
  // The fields of the body, which the route's table has approved of.
  Body body() const { return body_; }
  // Of the query string, decoded; empty if absent.
  std::string query(std::string_view name) const;
  // An integer of the query that the route's table has approved of.
  std::uint32_t query_number(std::string_view name, std::uint32_t otherwise) const;

  // What was before and is after, for the audit log.
  Trail& trail() { return trail_; }

  void answer(int status, const boost::json::value& value);
  void answer(http::Response&& response);
  void refuse(const Problem& problem);
  void refuse(const ports::Refused& refused);

 private:
  http::Request request_;
  access::Principal principal_;
  PathParameters parameters_;
  Body body_;
  Trail trail_;
  Reply reply_;
};

http::Response to_response(int status, const boost::json::value& value);
http::Response to_response(const Problem& problem);

}  // namespace bw::api
