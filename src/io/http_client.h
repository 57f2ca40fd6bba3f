// HTTP/1.1 to the outside (libcurl): many requests at once, connections kept and used again, every answer
// hostile.
//
// Redirects are not followed, proxies of the environment not asked, certificates verified. The address is
// checked when the connection is made, after DNS, and once more before each request on a kept connection.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "ports/outbound_http.h"

namespace bw::io {

struct HttpClientLimits {
  std::size_t excerpt = 1'024;        // kept of a body
  std::size_t answer = 64 * 1'024;    // read of it; then the connection is closed
  std::size_t headers = 64 * 1'024;   // of an answer, interim ones included
  long kept_connections = 256;        // idle ones
  std::size_t waiting_handles = 256;  // of finished requests, for the next
};

// Lives on one thread, which sleeps in wait(). Destroying it ends what is under way without an outcome.
class HttpClient {
 public:
  // `authorities`: a file of certificates in PEM to trust instead of the system's; empty: the system's.
  // Throws std::runtime_error at start-up only.
  explicit HttpClient(const HttpClientLimits& limits = {}, std::string authorities = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Private networks that may be reached all the same; also holds for connections that are open already.
  void allow(std::vector<Network> networks);
  void start(http::Call&& call);
  std::size_t under_way() const;

  // wait() also returns when `descriptor` can be read.
  void watch(int descriptor);
  // Sleeps until something happens, at most so long, and works on what did.
  void wait(Duration at_most);
  // Those finished since the last time, each exactly once.
  std::vector<http::Outcome> take_finished();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::io
