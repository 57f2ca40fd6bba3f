// An HTTP request and its answer as plain values: what src/io reads and writes and src/api understands.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"

namespace bw::http {

struct Request {
  std::string method;  // "GET"
  std::string path;    // without the query, percent-encoding untouched
  std::string query;   // without '?'
  std::string body;    // at most 1 MiB
  std::vector<std::pair<std::string, std::string>> headers{};  // names in lower case, as they came
  Endpoint from{};   // of the peer; nothing for the operators' socket
  bool tls = false;  // came over TLS

  // The first of that name (in lower case); empty if there is none.
  std::string_view header(std::string_view name) const {
    for (const auto& [n, value] : headers) {
      if (n == name) return value;
    }
    return {};
  }
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
