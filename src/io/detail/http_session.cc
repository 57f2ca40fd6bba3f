#include "io/detail/http_session.h"

#include <algorithm>
#include <array>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <cctype>
#include <optional>
#include <type_traits>
#include <utility>

#include "io/detail/web_socket.h"

namespace bw::io::detail {
namespace {

namespace beast = boost::beast;
namespace bhttp = boost::beast::http;

constexpr std::chrono::seconds kLinger{2};

http::Response refusal(int status, std::string_view code, std::string_view sentence) {
  http::Response r;
  r.status = status;
  r.body = std::string{R"({"error":")"}.append(sentence).append(R"(","code":")").append(code).append("\"}\n");
  return r;
}

// What to say to bytes that are no request we take. Nullopt: nothing, just hang up.
std::optional<http::Response> refusal_of(error_code error) {
  if (error == bhttp::error::body_limit) return refusal(413, "too_large", "The body is too large.");
  if (error == bhttp::error::header_limit) return refusal(431, "too_large", "The headers are too large.");
  if (error == bhttp::error::end_of_stream || error.category() != bhttp::make_error_code({}).category()) {
    return std::nullopt;
  }
  return refusal(400, "bad_request", "This is not an HTTP request.");
}

// One request at a time; pipelined ones wait in the buffer. A slow request has to be whole within
// limits.stalled, so a slow client costs one connection and nothing else.
template <typename Stream>
class HttpSession final : public Link {
  static constexpr bool kLocal = std::is_same_v<Stream, LocalSocket>;
  static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;

 public:
  HttpSession(Links& links, const sip::Flow& flow, Stream&& stream, const http::Handler& handler)
      : Link(links, flow, false), stream_(std::move(stream)), handler_(handler) {}

  void start() {
    if constexpr (kTls) {
      give_time(links().limits().handshake);
      stream_.async_handshake(asio::ssl::stream_base::server, tracked([this](error_code error) {
                                if (error) return end();
                                read_next();
                              }));
    } else {
      read_next();
    }
  }

  void send(const Bytes&) override {}  // carries no SIP

 private:
  void shut() override {
    error_code ignored;
    beast::get_lowest_layer(stream_).close(ignored);
  }

  void read_next() {
    const StreamLimits& limits = links().limits();
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(limits.http_header_bytes));
    parser_->body_limit(limits.http_body_bytes);
    give_time(limits.http_idle);
    bhttp::async_read(stream_, buffer_, *parser_, tracked([this](error_code error, std::size_t) {
                        if (!error) return handle();
                        if (auto said = refusal_of(error)) return answer(std::move(*said), false);
                        end();
                      }));
  }

  void handle() {
    HttpRequest request = parser_->release();
    if constexpr (!kLocal) {
      if (beast::websocket::is_upgrade(request)) return upgrade(request);
    }
    const bool keep = request.keep_alive();
    http::Request plain;
    plain.method = std::string(request.method_string());
    const std::string_view target{request.target().data(), request.target().size()};
    const std::size_t question = target.find('?');
    plain.path = target.substr(0, question);
    if (question != std::string_view::npos) plain.query = target.substr(question + 1);
    for (const auto& header : request) {
      std::string name{header.name_string()};
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
      plain.headers.emplace_back(std::move(name), std::string{header.value()});
    }
    plain.from = flow().remote;
    plain.tls = kTls;
    plain.body = std::move(request.body());
    head_only_ = request.method() == bhttp::verb::head;
    give_time(links().limits().http_answer);
    handler_(std::move(plain), Answering{links(), flow().connection, keep});
  }

  // The way back from a handler. The connection may be gone when the answer comes: its number says so, a
  // pointer would not. A handler that drops it without an answer was too busy.
  class Answering {
   public:
    Answering(Links& links, sip::ConnectionId id, bool keep) : links_(&links), id_(id), keep_(keep) {}
    Answering(Answering&& other) noexcept
        : links_(std::exchange(other.links_, nullptr)), id_(other.id_), keep_(other.keep_) {}
    Answering& operator=(Answering&&) = delete;
    ~Answering() {
      if (links_ != nullptr) (*this)(refusal(503, "busy", "The server is too busy."));
    }
    void operator()(http::Response&& response) {
      Links* links = std::exchange(links_, nullptr);
      if (links == nullptr) return;
      if (Link* link = links->find(id_)) static_cast<HttpSession*>(link)->answer(std::move(response), keep_);
    }

   private:
    Links* links_;
    sip::ConnectionId id_;
    bool keep_;
  };

  void upgrade(const HttpRequest& request) {
    if constexpr (!kLocal) {
      if (request.target() != "/sip")
        return answer(refusal(404, "not_found", "There is nothing here."), false);
      if (!offers_sip(request)) {
        return answer(refusal(400, "bad_request", "The subprotocol must be sip (RFC 7118)."), false);
      }
      sip::Flow sip_flow = flow();
      sip_flow.transport = kTls ? sip::Transport::kWss : sip::Transport::kWs;
      sip_flow.connection = links().next_id();
      accept_web_socket(links(), std::move(stream_), sip_flow, request);
      end();
    }
  }

  void answer(http::Response&& response, bool keep) {
    answer_ = {};
    answer_.result(static_cast<unsigned>(response.status));
    answer_.version(11);
    answer_.set(bhttp::field::server, "Bellwire");
    answer_.set(bhttp::field::content_type, response.content_type);
    answer_.set("X-Content-Type-Options", "nosniff");
    answer_.set(bhttp::field::cache_control, "no-store");
    for (const auto& [name, value] : response.headers) answer_.set(name, value);
    answer_.keep_alive(keep);
    answer_.body() = std::move(response.body);
    answer_.prepare_payload();
    if (head_only_) answer_.body().clear();
    limit_write(links().limits().stalled);
    bhttp::async_write(stream_, answer_, tracked([this, keep](error_code error, std::size_t) {
                         write_done();
                         if (error) return end();
                         if (keep) return read_next();
                         // Closing at once, with bytes of the peer unread, would reset the connection and
                         // lose the answer.
                         error_code ignored;
                         beast::get_lowest_layer(stream_).shutdown(asio::socket_base::shutdown_send, ignored);
                         give_time(kLinger);
                         drain();
                       }));
  }

  void drain() {
    beast::get_lowest_layer(stream_).async_read_some(asio::buffer(waste_),
                                                     tracked([this](error_code error, std::size_t) {
                                                       if (error) return end();
                                                       drain();
                                                     }));
  }

  Stream stream_;
  const http::Handler& handler_;
  beast::flat_buffer buffer_;
  std::optional<bhttp::request_parser<bhttp::string_body>> parser_;
  bhttp::response<bhttp::string_body> answer_;
  bool head_only_ = false;
  std::array<char, 4096> waste_;
};

}  // namespace

void start_http(Links& links, TcpSocket&& socket, const sip::Flow& flow, const http::Handler& handler) {
  links.admit<HttpSession<TcpSocket>>(flow, std::move(socket), handler);
}

void start_https(Links& links, TcpSocket&& socket, const sip::Flow& flow, const http::Handler& handler,
                 asio::ssl::context& tls) {
  links.admit<HttpSession<TlsStream>>(flow, TlsStream{std::move(socket), tls}, handler);
}

void start_local_http(Links& links, LocalSocket&& socket, const sip::Flow& flow,
                      const http::Handler& handler) {
  links.admit<HttpSession<LocalSocket>>(flow, std::move(socket), handler);
}

}  // namespace bw::io::detail
