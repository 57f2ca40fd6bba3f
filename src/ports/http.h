// An HTTP request and its answer as plain values: what src/io reads and writes and src/api understands.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace bw::http {

struct Request {
  std::string method;  // "GET"
  std::string path;    // without the query, percent-encoding untouched
  std::string query;   // without '?'
  std::string body;    // at most 1 MiB
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
};

// Answers exactly once, on the thread that called the handler.
using Respond = std::move_only_function<void(Response&&)>;
using Handler = std::function<void(Request&&, Respond)>;

}  // namespace bw::http
