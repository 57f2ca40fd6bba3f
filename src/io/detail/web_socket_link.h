// The WebSocket half of a link (RFC 6455), whatever its messages mean.
#pragma once

#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <string>
#include <utility>

#include "io/detail/utf8.h"
#include "io/detail/web_socket.h"
#include "io/detail/write_queue.h"

namespace bw::io::detail {

// Beast itself pings a silent peer and closes on one that does not answer.
template <typename Stream>
class WebSocketLink : public Link {
  using WebSocket = boost::beast::websocket::stream<Stream>;

 public:
  WebSocketLink(Links& links, const sip::Flow& flow, Kind kind, Stream&& stream, const HttpRequest& request,
                std::string subprotocol)
      : Link(links, flow, kind),
        ws_(std::move(stream)),
        request_(request),
        subprotocol_(std::move(subprotocol)),
        queue_(links.limits().write_queue_bytes) {}

  void start() {
    namespace websocket = boost::beast::websocket;
    const StreamLimits& limits = links().limits();
    websocket::stream_base::timeout timeouts{};
    timeouts.handshake_timeout = limits.handshake;
    timeouts.idle_timeout = limits.websocket_idle;
    timeouts.keep_alive_pings = true;
    ws_.set_option(timeouts);
    ws_.set_option(websocket::stream_base::decorator([this](websocket::response_type& response) {
      if (!subprotocol_.empty())
        response.set(boost::beast::http::field::sec_websocket_protocol, subprotocol_);
      response.set(boost::beast::http::field::server, "Bellwire");
    }));
    ws_.read_message_max(limits.message_bytes);
    ws_.auto_fragment(false);
    ws_.async_accept(request_, tracked([this](error_code error) {
                       request_ = {};
                       if (error) return end();
                       open_ = true;
                       opened();
                       write_next();
                       read_next();
                     }));
  }

 protected:
  void shut() override {
    error_code ignored;
    boost::beast::get_lowest_layer(ws_).close(ignored);
  }

  virtual void opened() {}
  virtual void take(std::string&& message) = 0;
  virtual void drained() {}  // nothing waits to be written

  // False: the peer does not read.
  bool put(const Bytes& bytes) {
    if (!queue_.push(bytes)) return false;
    if (open_ && !queue_.writing()) write_next();
    return true;
  }

  // The peer hears why (RFC 6455 §7.4.1: 1008) as soon as what is being written is out; then the link ends.
  void say_goodbye(std::string_view reason) {
    namespace websocket = boost::beast::websocket;
    constexpr std::size_t kMostReason = 120;  // §5.5: a control frame takes 125 bytes
    queue_.drop_waiting();
    goodbye_ = websocket::close_reason{websocket::close_code::policy_error};
    goodbye_.reason.assign(reason.data(), std::min(reason.size(), kMostReason));
    if (open_ && !queue_.writing()) write_next();
  }

 private:
  void read_next() {
    ws_.async_read(buffer_, tracked([this](error_code error, std::size_t) {
                     if (error) return end();
                     take(boost::beast::buffers_to_string(buffer_.data()));
                     buffer_.consume(buffer_.size());
                     if (!ended()) read_next();
                   }));
  }

  void write_next() {
    if (ended() || queue_.writing()) return;
    if (queue_.empty()) {
      if (goodbye_.code != boost::beast::websocket::close_code::none) return close();
      return drained();
    }
    const auto& buffers = queue_.begin_writing(1);
    ws_.text(is_utf8(queue_.front()));  // RFC 6455 §5.6: a text frame must be UTF-8
    limit_write(links().limits().stalled);
    ws_.async_write(buffers, tracked([this](error_code error, std::size_t) {
                      if (error) return end();
                      write_done();
                      queue_.written();
                      write_next();
                    }));
  }

  void close() {
    limit_write(links().limits().stalled);
    ws_.async_close(std::exchange(goodbye_, {}), tracked([this](error_code) { end(); }));
  }

  WebSocket ws_;
  HttpRequest request_;
  std::string subprotocol_;
  boost::beast::flat_buffer buffer_;
  WriteQueue queue_;
  boost::beast::websocket::close_reason goodbye_;
  bool open_ = false;
};

}  // namespace bw::io::detail
