// An HTTP request and its answer as plain values: what src/io reads and writes and src/api understands.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
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
  Endpoint from{};          // of the peer; nothing for the operators' socket
  bool tls = false;         // came over TLS
  bool web_socket = false;  // asks to become a WebSocket: Response::stays says yes

  // The first of that name (in lower case); empty if there is none.
  std::string_view header(std::string_view name) const {
    for (const auto& [n, value] : headers) {
      if (n == name) return value;
    }
    return {};
  }
};

using Bytes = std::shared_ptr<const std::string>;  // one text for all who read it

// The way to a reader whose connection stays open. Belongs to the connection; on its thread only.
class Channel {
 public:
  virtual ~Channel() = default;
  // A whole WebSocket message, or whole lines of an event stream. False: too much of what was sent before has
  // not been read; nothing was taken.
  virtual bool tell(const Bytes& message) = 0;
  // What waits is dropped, the reader hears the reason (a sentence without quotes), the connection ends.
  virtual void close(std::string_view reason) = 0;
};

// The handler's side of such a connection, which owns it. Nothing is called after ended().
class Conversation {
 public:
  virtual ~Conversation() = default;
  virtual void opened(Channel& channel) = 0;      // which lives until ended()
  virtual void received(std::string&& text) = 0;  // of a WebSocket; an event stream only listens
  virtual void drained() = 0;                     // all that was sent is on its way
  virtual void ended() = 0;
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  // The connection stays open for this: as a WebSocket if that was asked for, else as a body without end
  // (Server-Sent Events). `body` is not sent then.
  std::unique_ptr<Conversation> stays = nullptr;
  std::string subprotocol = {};  // of the WebSocket, one of those the client offered; empty: none
};

// Answers exactly once, on the thread that called the handler.
using Respond = std::move_only_function<void(Response&&)>;
using Handler = std::function<void(Request&&, Respond)>;

}  // namespace bw::http
