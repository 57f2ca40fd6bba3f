// The front thread: every connection that is a stream. SIP over TCP, TLS, WS and WSS, and HTTP.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "io/udp_links.h"
#include "ports/http.h"
#include "sip/flow.h"
#include "sip/transaction.h"

namespace bw::io {

struct StreamLimits {
  std::size_t connections = 20'000;  // beyond: closed as soon as accepted
  std::size_t connections_per_address = 2'000;
  // Of SIP connections nobody has registered over: an address that cannot log in may not take all, nor may
  // many.
  std::size_t strangers = 8'000;
  std::size_t strangers_per_address = 500;
  std::chrono::milliseconds stranger_idle{180'000};  // in the place of `idle`
  std::chrono::milliseconds handshake{10'000};       // connect, TLS, HTTP upgrade
  std::chrono::milliseconds first_message{30'000};   // until the peer has said something whole
  std::chrono::milliseconds stalled{30'000};         // half a message, or a peer that does not read
  std::chrono::milliseconds idle{7'200'000};       // SIP over TCP and TLS; dead peers are found by TCP itself
  std::chrono::milliseconds http_idle{60'000};     // between requests
  std::chrono::milliseconds http_header{10'000};   // from the first byte of a request to its empty line
  std::chrono::milliseconds http_body{30'000};     // from there until its body is whole
  std::chrono::milliseconds http_answer{120'000};  // ours, e.g. while a backup is written
  std::chrono::milliseconds websocket_idle{120'000};  // half of it without traffic: a ping
  std::chrono::milliseconds heartbeat{15'000};        // a comment on an event stream
  std::chrono::milliseconds sweep{1'000};             // how often the above are looked at
  std::size_t message_bytes = 65'535;
  std::size_t write_queue_bytes = 1U << 20U;  // beyond: the peer does not read, the connection ends
  std::size_t slowest_reader = 65'536;        // of an HTTP answer, bytes in a second, besides `stalled`
  std::size_t http_header_bytes = 16U << 10U;
  std::size_t http_body_bytes = 1U << 20U;
};

struct TlsFiles {           // PEM
  std::string certificate;  // with its chain
  std::string key;
};

struct FrontDoors {
  std::vector<Endpoint> sip_tcp;
  std::vector<Endpoint> sip_tls;
  std::vector<Endpoint> http;
  std::vector<Endpoint> https;
  std::string control_socket;  // path of the Unix socket for operators; empty: none
};

// Called on the front thread.
class FrontSink {
 public:
  virtual ~FrontSink() = default;
  // A whole SIP message. False: no room, and the connection it came from is ended.
  virtual bool received(const sip::Flow& flow, std::string&& bytes) = 0;
  // A connection that carried messages ended, or one could not be made (then without ConnectionId).
  virtual void lost(const sip::Flow& flow) = 0;
};

struct FrontHandlers {
  http::Handler from_network;                // http and https
  http::Handler from_operator;               // control_socket
  std::function<void()> look_after = [] {};  // every StreamLimits::sweep
};

struct FrontCounters {
  std::size_t connections = 0;
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;    // limits
  std::uint64_t timed_out = 0;  // slow, stalled or idle
};

// Runs from construction to stop() or destruction. Public functions may be called from any thread.
class Front {
 public:
  // Throws std::system_error if the system gives no thread or descriptor (start-up).
  explicit Front(FrontSink& sink, const StreamLimits& limits = {});
  Front(Front&&) noexcept;
  Front& operator=(Front&&) noexcept;
  ~Front();

  // `sip`: for sip_tls and connecting out; `http`: for https. New connections get these certificates; none is
  // touched if one cannot be used, and why is answered.
  std::expected<void, std::string> use_certificates(const std::optional<TlsFiles>& sip,
                                                    const std::optional<TlsFiles>& http);
  // Once. The TLS doors need their certificates first.
  std::expected<void, OpenError> listen(const FrontDoors& doors, FrontHandlers handlers);
  // Ends the thread; work posted later is never run. For those whose own end must come between.
  void stop();

  // A message whose flow names a connection goes there or is reported lost; without one, a connection to the
  // remote address is used again or made.
  void transmit(std::vector<sip::Transmit>&& messages);
  void close(sip::ConnectionId connection);
  // Runs `work` on the front thread.
  void post(std::move_only_function<void()> work);
  FrontCounters counters() const;
  // Where the listeners really are (port 0: chosen by the system), in the order they were given.
  std::vector<Endpoint> bound_sip_tcp() const;
  std::vector<Endpoint> bound_sip_tls() const;
  std::vector<Endpoint> bound_http() const;
  std::vector<Endpoint> bound_https() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::io
