#include "io/front.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/ip/v6_only.hpp>
#include <cstring>
#include <future>
#include <list>
#include <thread>

#include "io/detail/http_session.h"
#include "io/detail/listener.h"
#include "io/detail/sip_stream.h"
#include "io/detail/tls_context.h"

namespace bw::io {

using namespace detail;  // the private half of this module

namespace {

using Local = asio::local::stream_protocol;
using TlsContext = std::unique_ptr<asio::ssl::context>;

// Phones behind vanished NATs never say goodbye: TCP itself finds them (about 2 minutes), and a peer that
// acknowledges nothing for 30 s is gone.
void tune(TcpSocket& socket) {
  error_code ignored;
  socket.set_option(Tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  const int fd = socket.native_handle();
  const auto set = [fd](int name, int value) { ::setsockopt(fd, IPPROTO_TCP, name, &value, sizeof value); };
  set(TCP_KEEPIDLE, 60);
  set(TCP_KEEPINTVL, 15);
  set(TCP_KEEPCNT, 4);
  set(TCP_USER_TIMEOUT, 30'000);
}

std::expected<AcceptorOf<Tcp>, OpenError> open_tcp(asio::io_context& context, const Endpoint& at,
                                                   std::string_view what) {
  AcceptorOf<Tcp> acceptor{context};
  const Tcp::endpoint endpoint = to_asio(at);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && at.ip.is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return std::unexpected(open_error(what, at, error.value()));
  return acceptor;
}

OpenError local_error(const std::string& path, int error) {
  return {{}, error, fmt::format("cannot listen on the control socket {}: {}.", path, std::strerror(error))};
}

// The path may be left over from a killed run; the lock of the data directory says nobody else uses it.
std::expected<AcceptorOf<Local>, OpenError> open_local(asio::io_context& context, const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) return std::unexpected(local_error(path, ENAMETOOLONG));
  ::unlink(path.c_str());
  AcceptorOf<Local> acceptor{context};
  error_code error;
  acceptor.open(Local{}, error);
  // The mode before bind(): there is no moment at which others could connect.
  if (!error && ::fchmod(acceptor.native_handle(), 0600) != 0)
    error = {errno, boost::system::system_category()};
  if (!error) acceptor.bind(Local::endpoint{path}, error);
  if (!error && ::chmod(path.c_str(), 0600) != 0) error = {errno, boost::system::system_category()};
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return std::unexpected(local_error(path, error.value()));
  return acceptor;
}

}  // namespace

struct Front::Impl {
  Impl(FrontSink& given_sink, const StreamLimits& given_limits)
      : sink(given_sink),
        limits(given_limits),
        context(1),
        links(limits, sink, [this](std::function<void()> work) { asio::post(context, std::move(work)); }),
        sweeper(context) {}
  ~Impl() {
    stop();
    doors.clear();
    local_doors.clear();
    links.clear();  // sockets must go before the context
    if (!control_socket.empty()) ::unlink(control_socket.c_str());
  }
  void stop() {
    context.stop();
    if (thread.joinable()) thread.join();
  }

  using Accept = void (Impl::*)(TcpSocket&&, const sip::Flow&);
  std::expected<void, OpenError> open(const FrontDoors& wanted);
  std::expected<void, OpenError> open_doors(const std::vector<Endpoint>& at, std::string_view what,
                                            sip::Transport transport, std::vector<Endpoint>& bound,
                                            Accept accept);
  void accepted(TcpSocket&& socket, sip::Transport transport, Accept accept);
  void accepted_local(LocalSocket&& socket);
  void sip_tcp(TcpSocket&& s, const sip::Flow& f) { accept_sip_tcp(links, std::move(s), f); }
  void sip_tls(TcpSocket&& s, const sip::Flow& f) { accept_sip_tls(links, std::move(s), f, *sip_context); }
  void web(TcpSocket&& s, const sip::Flow& f) { start_http(links, std::move(s), f, handlers.from_network); }
  void web_tls(TcpSocket&& s, const sip::Flow& f) {
    start_https(links, std::move(s), f, handlers.from_network, *http_context);
  }
  void transmit(const sip::Transmit& message);
  Link* dial(const sip::Flow& to);
  void sweep();
  void publish();

  FrontSink& sink;
  StreamLimits limits;
  FrontHandlers handlers;
  asio::io_context context;
  Links links;
  TlsContext sip_context, http_context;
  std::list<Listener<Tcp>> doors;
  std::list<Listener<Local>> local_doors;
  asio::steady_timer sweeper;
  std::string control_socket;
  std::vector<Endpoint> bound_tcp, bound_tls, bound_http, bound_https;
  std::atomic<std::size_t> connections = 0;
  std::atomic<std::uint64_t> total_accepted = 0, refused = 0, timed_out = 0;
  std::thread thread;
};

std::expected<void, OpenError> Front::Impl::open_doors(const std::vector<Endpoint>& at, std::string_view what,
                                                       sip::Transport transport, std::vector<Endpoint>& bound,
                                                       Accept accept) {
  for (const Endpoint& address : at) {
    auto acceptor = open_tcp(context, address, what);
    if (!acceptor) return std::unexpected(acceptor.error());
    error_code ignored;
    bound.push_back(to_endpoint(acceptor->local_endpoint(ignored)));
    doors.emplace_back(context, std::move(*acceptor), [this, transport, accept](TcpSocket&& socket) {
      accepted(std::move(socket), transport, accept);
    });
  }
  return {};
}

std::expected<void, OpenError> Front::Impl::open(const FrontDoors& wanted) {
  using enum sip::Transport;
  if (auto r = open_doors(wanted.sip_tcp, "TCP (SIP)", kTcp, bound_tcp, &Impl::sip_tcp); !r) return r;
  if (auto r = open_doors(wanted.sip_tls, "TCP (SIP over TLS)", kTls, bound_tls, &Impl::sip_tls); !r)
    return r;
  if (auto r = open_doors(wanted.http, "TCP (HTTP)", kWs, bound_http, &Impl::web); !r) return r;
  if (auto r = open_doors(wanted.https, "TCP (HTTPS)", kWss, bound_https, &Impl::web_tls); !r) return r;
  if (!wanted.control_socket.empty()) {
    auto acceptor = open_local(context, wanted.control_socket);
    if (!acceptor) return std::unexpected(acceptor.error());
    control_socket = wanted.control_socket;
    local_doors.emplace_back(context, std::move(*acceptor),
                             [this](LocalSocket&& socket) { accepted_local(std::move(socket)); });
  }
  return {};
}

void Front::Impl::accepted(TcpSocket&& socket, sip::Transport transport, Accept accept) {
  error_code error;
  sip::Flow flow;
  flow.transport = transport;
  flow.remote = to_endpoint(socket.remote_endpoint(error));
  if (!error) flow.local = to_endpoint(socket.local_endpoint(error));
  if (error || !links.has_room(flow.remote.ip)) return;  // the socket closes itself
  const bool sip = transport == sip::Transport::kTcp || transport == sip::Transport::kTls;
  if (sip && !links.has_room_for_stranger(flow.remote.ip)) return;
  tune(socket);
  flow.connection = links.next_id();
  (this->*accept)(std::move(socket), flow);
}

void Front::Impl::accepted_local(LocalSocket&& socket) {
  sip::Flow flow;
  flow.connection = links.next_id();
  if (links.has_room({})) start_local_http(links, std::move(socket), flow, handlers.from_operator);
}

void Front::Impl::transmit(const sip::Transmit& message) {
  Link* link = message.to.connection ? links.find(message.to.connection)
                                     : links.find_sip(message.to.transport, message.to.remote);
  if (link == nullptr && !message.to.connection) link = dial(message.to);
  if (link == nullptr || !link->carries_sip()) return sink.lost(message.to);
  link->send(message.bytes);
}

// Nobody can connect to a browser (RFC 7118 §3), so only TCP and TLS are dialled.
Link* Front::Impl::dial(const sip::Flow& to) {
  if (!links.has_room(to.remote.ip)) return nullptr;
  sip::Flow flow = to;
  flow.connection = links.next_id();
  if (to.transport == sip::Transport::kTcp) return &dial_sip_tcp(links, TcpSocket{context}, flow);
  if (to.transport == sip::Transport::kTls && sip_context) {
    return &dial_sip_tls(links, TcpSocket{context}, flow, *sip_context);
  }
  return nullptr;
}

void Front::Impl::publish() {
  connections.store(links.size(), std::memory_order_relaxed);
  total_accepted.store(links.accepted(), std::memory_order_relaxed);
  refused.store(links.refused(), std::memory_order_relaxed);
  timed_out.store(links.timed_out(), std::memory_order_relaxed);
}

void Front::Impl::sweep() {
  sweeper.expires_after(limits.sweep);
  sweeper.async_wait([this](error_code stopped) {
    if (stopped) return;
    links.sweep(std::chrono::steady_clock::now());
    handlers.look_after();
    publish();
    sweep();
  });
}

Front::Front(FrontSink& sink, const StreamLimits& limits) : impl_(std::make_unique<Impl>(sink, limits)) {
  impl_->sweep();
  impl_->thread = std::thread([m = impl_.get()] { m->context.run(); });
  ::pthread_setname_np(impl_->thread.native_handle(), "front");
}

Front::Front(Front&&) noexcept = default;
Front& Front::operator=(Front&&) noexcept = default;
Front::~Front() = default;

void Front::stop() {
  impl_->stop();
}

// The doors belong to the front thread, so they are opened there.
std::expected<void, OpenError> Front::listen(const FrontDoors& doors, FrontHandlers handlers) {
  std::promise<std::expected<void, OpenError>> opened;
  asio::post(impl_->context, [&, m = impl_.get()] {
    m->handlers = std::move(handlers);
    opened.set_value(m->open(doors));
  });
  return opened.get_future().get();
}

void Front::transmit(std::vector<sip::Transmit>&& messages) {
  asio::post(impl_->context, [m = impl_.get(), batch = std::move(messages)] {
    for (const sip::Transmit& message : batch) m->transmit(message);
  });
}

void Front::close(sip::ConnectionId connection) {
  asio::post(impl_->context, [m = impl_.get(), connection] {
    if (Link* link = m->links.find(connection)) link->end();
  });
}

void Front::post(std::move_only_function<void()> work) {
  asio::post(impl_->context, [w = std::move(work)]() mutable { w(); });
}

std::expected<void, std::string> Front::use_certificates(const std::optional<TlsFiles>& sip,
                                                         const std::optional<TlsFiles>& http) {
  TlsContext next_sip, next_http;
  for (const auto& [files, into] : {std::pair{&sip, &next_sip}, std::pair{&http, &next_http}}) {
    if (!*files) continue;
    auto made = make_tls_context(**files);
    if (!made) return std::unexpected(made.error());
    *into = std::move(*made);
  }
  asio::post(impl_->context, [m = impl_.get(), s = std::move(next_sip), h = std::move(next_http)]() mutable {
    if (s) m->sip_context = std::move(s);
    if (h) m->http_context = std::move(h);
  });
  return {};
}

FrontCounters Front::counters() const {
  return {impl_->connections, impl_->total_accepted, impl_->refused, impl_->timed_out};
}

std::vector<Endpoint> Front::bound_sip_tcp() const {
  return impl_->bound_tcp;
}
std::vector<Endpoint> Front::bound_sip_tls() const {
  return impl_->bound_tls;
}
std::vector<Endpoint> Front::bound_http() const {
  return impl_->bound_http;
}
std::vector<Endpoint> Front::bound_https() const {
  return impl_->bound_https;
}

}  // namespace bw::io
