// HTTP that Bellwire asks of others, as values: what a core wants said, and what came of it.
// src/io/http_client.h does it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "base/time.h"

namespace bw::http {

struct Call {
  std::uint64_t id = 0;  // of the asking side; comes back in the outcome
  std::string method = "POST";
  std::string url;
  Secret<std::vector<std::string>> headers;  // "Name: value"; any of them may carry a token
  std::string body;
  Duration timeout = 10s;  // from the start to the last byte of the answer, names and TLS included
};

struct Outcome {
  std::uint64_t id = 0;
  int status = 0;       // 0: there was no answer, and `error` says why
  std::string error;    // a sentence
  std::string excerpt;  // the beginning of the body, valid UTF-8
  Duration latency{};
  std::optional<std::chrono::seconds> retry_after;
};

}  // namespace bw::http
