#include "api/exchange.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "api/query.h"

namespace bw::api {
namespace {

namespace json = boost::json;

json::object to_json(const Problem& p) {
  json::object o;
  o["error"] = p.sentence;
  o["code"] = p.code;
  if (!p.field.empty()) o["field"] = p.field;
  return o;
}

}  // namespace

http::Response to_response(int status, const json::value& value) {
  http::Response response;
  response.status = status;
  response.body = json::serialize(value) + "\n";
  return response;
}

http::Response to_response(const Problem& problem) {
  return to_response(problem.status, to_json(problem));
}

const std::string& Exchange::parameter(std::string_view name) const {
  static const std::string kNone;
  const auto it = std::ranges::find(parameters_, name, &PathParameters::value_type::first);
  return it == parameters_.end() ? kNone : it->second;
}

std::string Exchange::query(std::string_view name) const {
  return query_value(request_.query, name);
}

std::uint32_t Exchange::query_number(std::string_view name, std::uint32_t otherwise) const {
  const std::string text = query(name);
  std::uint32_t number = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void Exchange::answer(int status, const json::value& value) {
  answer(to_response(status, value));
}

void Exchange::answer(http::Response&& response) {
  reply_(std::move(response), std::move(trail_));
}

void Exchange::refuse(const Problem& problem) {
  answer(to_response(problem));
}

void Exchange::refuse(const ports::Refused& refused) {
  refuse(Problem{refused.sentence, refused.code, {}, refused.status});
}

}  // namespace bw::api
