#include "io/detail/web_socket.h"

#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>

#include "io/detail/utf8.h"

namespace bw::io::detail {
namespace {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;

constexpr std::string_view kSubprotocol = "sip";
constexpr std::size_t kEntryCost = 64;  // so that a queue of tiny messages is bounded too

// One SIP message per WebSocket message, text or binary (RFC 7118 §5). Beast itself pings a silent peer and
// closes on one that does not answer.
template <typename Stream>
class WebSocketLink final : public Link {
 public:
  WebSocketLink(Links& links, const sip::Flow& flow, Stream&& stream, const HttpRequest& request)
      : Link(links, flow, true), ws_(std::move(stream)), request_(request) {}

  void start() {
    const StreamLimits& limits = links().limits();
    websocket::stream_base::timeout timeouts{};
    timeouts.handshake_timeout = limits.handshake;
    timeouts.idle_timeout = limits.websocket_idle;
    timeouts.keep_alive_pings = true;
    ws_.set_option(timeouts);
    ws_.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
      response.set(beast::http::field::sec_websocket_protocol, kSubprotocol);
      response.set(beast::http::field::server, "Bellwire");
    }));
    ws_.read_message_max(limits.message_bytes);
    ws_.auto_fragment(false);
    ws_.async_accept(request_, tracked([this](error_code error) {
                       request_ = {};
                       if (error) return end();
                       open_ = true;
                       write_next();
                       read_next();
                     }));
  }

  void send(const Bytes& bytes) override {
    queued_bytes_ += bytes->size() + kEntryCost;
    if (queued_bytes_ > links().limits().write_queue_bytes) return end();
    used();
    queue_.push_back(bytes);
    if (open_ && queue_.size() == 1) write_next();
  }

 private:
  void shut() override {
    error_code ignored;
    beast::get_lowest_layer(ws_).close(ignored);
  }

  void read_next() {
    ws_.async_read(buffer_, tracked([this](error_code error, std::size_t) {
                     if (error) return end();
                     take(beast::buffers_to_string(buffer_.data()));
                     buffer_.consume(buffer_.size());
                     if (!ended()) read_next();
                   }));
  }

  void take(std::string&& message) {
    if (message.find_first_not_of("\r\n") == std::string::npos) {
      // RFC 5626 §3.5.1: the ping is a double CRLF, the pong a single one.
      static const Bytes kPong = std::make_shared<const std::string>("\r\n");
      if (message == "\r\n\r\n") send(kPong);
      return;
    }
    used();
    if (!links().sink().received(flow(), std::move(message))) end();
  }

  void write_next() {
    if (queue_.empty()) return;
    const Bytes& bytes = queue_.front();
    ws_.text(is_utf8(*bytes));  // RFC 6455 §5.6: a text frame must be UTF-8
    limit_write(links().limits().stalled);
    ws_.async_write(asio::buffer(*bytes), tracked([this](error_code error, std::size_t) {
                      if (error) return end();
                      write_done();
                      queued_bytes_ -= queue_.front()->size() + kEntryCost;
                      queue_.pop_front();
                      write_next();
                    }));
  }

  websocket::stream<Stream> ws_;
  HttpRequest request_;
  beast::flat_buffer buffer_;
  std::deque<Bytes> queue_;  // front: being written
  std::size_t queued_bytes_ = 0;
  bool open_ = false;
};

template <typename Stream>
void accept(Links& links, Stream&& stream, const sip::Flow& flow, const HttpRequest& request) {
  links.admit<WebSocketLink<Stream>>(flow, std::move(stream), request);
}

}  // namespace

void accept_web_socket(Links& links, TcpSocket&& stream, const sip::Flow& flow, const HttpRequest& request) {
  accept<TcpSocket>(links, std::move(stream), flow, request);
}

void accept_web_socket(Links& links, TlsStream&& stream, const sip::Flow& flow, const HttpRequest& request) {
  accept<TlsStream>(links, std::move(stream), flow, request);
}

bool offers_sip(const HttpRequest& request) {
  const auto offered = request[beast::http::field::sec_websocket_protocol];
  for (const auto& token : beast::http::token_list{offered}) {
    if (beast::iequals(token, {kSubprotocol.data(), kSubprotocol.size()})) return true;
  }
  return false;
}

}  // namespace bw::io::detail
