#include "io/detail/http_session.h"

#include <algorithm>
#include <array>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/ascii.h"
#include "io/detail/channel.h"
#include "io/detail/http_answer.h"
#include "io/detail/web_socket.h"
#include "io/http_head.h"

namespace bw::io::detail {
namespace {

namespace beast = boost::beast;
namespace bhttp = boost::beast::http;

constexpr std::chrono::seconds kLinger{2};
constexpr std::size_t kReadBytes = 4'096;
// The handler's answer to an upgrade of /sip: it may become a connection of SIP.
constexpr int kSwitchingProtocols = 101;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// What to say to a body that cannot be read. Nullopt: nothing, just hang up.
std::optional<http::Response> refusal_of(error_code error) {
  if (error == bhttp::error::body_limit) return refusal(413, "too_large", "The body is too large.");
  if (error == bhttp::error::header_limit || error == bhttp::error::buffer_overflow) {
    return refusal(431, "too_large", "The headers are too large.");
  }
  if (error == bhttp::error::end_of_stream || error.category() != bhttp::make_error_code({}).category()) {
    return std::nullopt;
  }
  return refusal(400, "bad_request", "This is not an HTTP request.");
}

http::Response refusal_of(const HeadWatch& head) {
  return refusal(head.status(), head.status() == 431 ? "too_large" : "bad_request", head.sentence());
}

// RFC 9112 §3.2.2: proxies send the whole URI.
std::string_view without_authority(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    const std::size_t slash = target.find('/', scheme.size());
    return slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  return target;
}

http::Request to_plain(const HttpRequest& request) {
  http::Request plain;
  plain.method = std::string(request.method_string());
  const std::string_view target = without_authority({request.target().data(), request.target().size()});
  const std::size_t question = target.find('?');
  plain.path = target.substr(0, question);
  if (question != std::string_view::npos) plain.query = target.substr(question + 1);
  for (const auto& header : request) {
    const auto name = header.name_string();
    plain.headers.emplace_back(lowered({name.data(), name.size()}), std::string{header.value()});
  }
  plain.web_socket = beast::websocket::is_upgrade(request);
  return plain;
}

// One request at a time; pipelined ones wait in the buffer. Head, body and the reading of the answer each
// have their time, however slowly they drip, so a slow client costs one connection and nothing else.
template <typename Stream>
class HttpSession final : public Link {
  static constexpr bool kLocal = std::is_same_v<Stream, LocalSocket>;
  static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;

 public:
  HttpSession(Links& links, const sip::Flow& flow, Stream&& stream, const http::Handler& handler)
      : Link(links, flow, Kind::kHttp),
        stream_(std::move(stream)),
        handler_(handler),
        buffer_(links.limits().http_header_bytes + 2 * kReadBytes),
        head_(0) {}

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
    head_ = HeadWatch{links().limits().http_header_bytes};
    head_only_ = false;
    give_time(buffer_.size() == 0 ? links().limits().http_idle : links().limits().http_header);
    look_at_head();
  }

  void look_at_head() {
    const auto waiting = buffer_.cdata();
    const std::string_view received{static_cast<const char*>(waiting.data()), waiting.size()};
    switch (head_.look(received)) {
      case HeadWatch::State::kWhole:
        return parse_head(received.substr(head_.begin(), head_.size()));
      case HeadWatch::State::kRefused:
        return answer(refusal_of(head_), false);
      case HeadWatch::State::kMore:
        break;
    }
    const bool first = received.empty();
    stream_.async_read_some(buffer_.prepare(kReadBytes),
                            tracked([this, first](error_code error, std::size_t n) {
                              if (error) return end();
                              if (first) give_time(links().limits().http_header);
                              buffer_.commit(n);
                              look_at_head();
                            }));
  }

  void parse_head(std::string_view head) {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(head.size()));
    parser_->body_limit(links().limits().http_body_bytes);
    error_code error;
    parser_->put(asio::buffer(head.data(), head.size()), error);
    if (error == bhttp::error::need_more) error = {};
    buffer_.consume(head_.begin() + head.size());
    if (error)
      return answer(refusal_of(error).value_or(refusal(400, "bad_request", "This is not HTTP.")), false);
    // Now: what a trailer adds behind the body is no header.
    plain_ = to_plain(parser_->get());
    head_only_ = parser_->get().method() == bhttp::verb::head;
    if (parser_->is_done()) return handle();
    if (expects_nothing()) return read_body();
    if (!beast::iequals(parser_->get()[bhttp::field::expect], "100-continue")) {
      return answer(refusal(417, "bad_request", "Only 100-continue can be expected here."), false);
    }
    limit_write(links().limits().stalled);
    asio::async_write(stream_, asio::buffer(kContinue), tracked([this](error_code failed, std::size_t) {
                        write_done();
                        if (failed) return end();
                        read_body();
                      }));
  }

  // A client that already sends its body does not wait for a 100 (RFC 9110 §10.1.1).
  bool expects_nothing() const {
    return buffer_.size() > 0 || parser_->get().version() < 11 ||
           parser_->get().find(bhttp::field::expect) == parser_->get().end();
  }

  void read_body() {
    give_time(links().limits().http_body);
    bhttp::async_read(stream_, buffer_, *parser_, tracked([this](error_code error, std::size_t) {
                        if (!error) return handle();
                        if (auto said = refusal_of(error)) return answer(std::move(*said), false);
                        end();
                      }));
  }

  void handle() {
    const bool keep = parser_->get().keep_alive() && parser_->get().version() >= 11;
    plain_.from = flow().remote;
    plain_.tls = kTls;
    plain_.body = std::move(parser_->get().body());
    give_time(links().limits().http_answer);
    handler_(std::move(plain_), Answering{links(), flow().connection, keep && !plain_.web_socket});
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
      Link* link = links->find(id_);
      if (link == nullptr) return;
      auto& session = *static_cast<HttpSession*>(link);
      if constexpr (!kLocal) {
        if (response.status == kSwitchingProtocols) return session.become_sip();
      }
      if (response.stays) return session.stay(std::move(response));
      session.answer(std::move(response), keep_);
    }

   private:
    Links* links_;
    sip::ConnectionId id_;
    bool keep_;
  };

  // The stream goes to a link of another kind, with a number of its own; this one ends without it.
  sip::Flow successor() {
    sip::Flow next = flow();
    next.connection = links().next_id();
    return next;
  }

  void become_sip() {
    if constexpr (!kLocal) {
      if (!offers(parser_->get(), kSipProtocol)) {
        return answer(refusal(400, "bad_request", "The subprotocol must be sip (RFC 7118)."), false);
      }
      if (!links().has_room_for_stranger(flow().remote.ip)) {
        return answer(refusal(503, "busy", "There are too many connections that nobody has registered over."),
                      false);
      }
      sip::Flow next = successor();
      next.transport = kTls ? sip::Transport::kWss : sip::Transport::kWs;
      accept_web_socket(links(), std::move(stream_), next, parser_->get());
      end();
    }
  }

  void stay(http::Response&& response) {
    const HttpRequest& request = parser_->get();
    if (beast::websocket::is_upgrade(request)) {
      accept_conversation(links(), std::move(stream_), successor(), request, std::move(response));
    } else if (head_only_) {
      return answer(std::move(response), false);
    } else {
      start_event_stream(links(), std::move(stream_), successor(), request.version() >= 11,
                         std::move(response));
    }
    end();
  }

  void answer(http::Response&& response, bool keep) {
    const auto size = response.body.size();
    answer_ = to_answer(std::move(response), keep, head_only_);
    limit_write(links().limits().stalled + std::chrono::seconds{size / links().limits().slowest_reader});
    bhttp::async_write(stream_, answer_, tracked([this, keep](error_code error, std::size_t) {
                         write_done();
                         if (error) return end();
                         answer_ = {};
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
  HeadWatch head_;
  std::optional<bhttp::request_parser<bhttp::string_body>> parser_;
  http::Request plain_;
  HttpAnswer answer_;
  bool head_only_ = false;
  std::array<char, 512> waste_;
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
