#include "io/detail/channel.h"

#include <fmt/format.h>

#include <array>
#include <memory>

#include "io/detail/http_answer.h"
#include "io/detail/web_socket_link.h"
#include "io/detail/write_queue.h"

namespace bw::io::detail {
namespace {

constexpr std::size_t kGather = 64;

template <typename Stream>
class WebSocketChannel final : public WebSocketLink<Stream>, public http::Channel {
 public:
  WebSocketChannel(Links& links, const sip::Flow& flow, Stream&& stream, const HttpRequest& request,
                   http::Response&& response)
      : WebSocketLink<Stream>(links, flow, Link::Kind::kHttp, std::move(stream), request,
                              std::move(response.subprotocol)),
        conversation_(std::move(response.stays)) {}

  bool tell(const Bytes& message) override { return !leaving_ && !this->ended() && this->put(message); }
  void close(std::string_view reason) override {
    if (std::exchange(leaving_, true) || this->ended()) return;
    this->say_goodbye(reason);
  }
  void send(const Bytes&) override {}  // carries no SIP

 private:
  void opened() override { conversation_->opened(*this); }
  void take(std::string&& message) override {
    if (!leaving_) conversation_->received(std::move(message));
  }
  void drained() override {
    if (!leaving_) conversation_->drained();
  }
  void shut() override {
    WebSocketLink<Stream>::shut();
    conversation_->ended();
  }

  std::unique_ptr<http::Conversation> conversation_;
  bool leaving_ = false;
};

// An answer whose body never ends: events as lines of text (HTML, "Server-sent events"). Each write is one
// chunk.
template <typename Stream>
class EventStream final : public Link, public http::Channel {
 public:
  EventStream(Links& links, const sip::Flow& flow, Stream&& stream, bool chunked, http::Response&& response)
      : Link(links, flow, Kind::kHttp),
        stream_(std::move(stream)),
        chunked_(chunked),
        head_(stream_head(response, chunked)),
        conversation_(std::move(response.stays)),
        queue_(links.limits().write_queue_bytes) {}

  void start() {
    watch_peer();
    write(asio::buffer(head_), [this] {
      open_ = true;
      conversation_->opened(*this);
    });
  }

  bool tell(const Bytes& message) override {
    if (leaving_ || ended() || !queue_.push(message)) return false;
    if (open_ && !queue_.writing()) write_next();
    return true;
  }

  void close(std::string_view reason) override {
    if (std::exchange(leaving_, true) || ended()) return;
    queue_.drop_waiting();
    queue_.push_last(std::make_shared<const std::string>(
        fmt::format("event: closed\ndata: {{\"reason\":\"{}\"}}\n\n", reason)));
    if (open_ && !queue_.writing()) write_next();
  }

  void send(const Bytes&) override {}  // carries no SIP

  void look_after(SteadyTime now) override {
    if (!open_ || leaving_ || queue_.writing() || now < silent_since_ + links().limits().heartbeat) return;
    static const Bytes kComment = std::make_shared<const std::string>(":\n\n");
    tell(kComment);
  }

 private:
  void shut() override {
    error_code ignored;
    stream_.lowest_layer().close(ignored);
    conversation_->ended();
  }

  // Nothing more is expected of the peer but its end.
  void watch_peer() {
    stream_.async_read_some(asio::buffer(waste_), tracked([this](error_code error, std::size_t) {
                              if (error) return end();
                              watch_peer();
                            }));
  }

  template <typename Buffers, typename Done>
  void write(const Buffers& buffers, Done done) {
    limit_write(links().limits().stalled);
    asio::async_write(stream_, buffers, tracked([this, done](error_code error, std::size_t) {
                        if (error) return end();
                        write_done();
                        silent_since_ = std::chrono::steady_clock::now();
                        done();
                        if (!ended()) write_next();
                      }));
  }

  void write_next() {
    if (queue_.writing() || finished_) return;
    if (queue_.empty()) return leaving_ ? finish() : conversation_->drained();
    const auto& messages = queue_.begin_writing(kGather);
    chunk_.clear();
    if (chunked_) {
      chunk_head_ = fmt::format("{:x}\r\n", asio::buffer_size(messages));
      chunk_.push_back(asio::buffer(chunk_head_));
    }
    chunk_.insert(chunk_.end(), messages.begin(), messages.end());
    if (chunked_) chunk_.push_back(asio::buffer(kChunkEnd));
    write(chunk_, [this] { queue_.written(); });
  }

  void finish() {
    finished_ = true;
    if (!chunked_) return end();
    write(asio::buffer(kLastChunk), [this] { end(); });
  }

  static constexpr std::string_view kChunkEnd = "\r\n";
  static constexpr std::string_view kLastChunk = "0\r\n\r\n";

  Stream stream_;
  bool chunked_;
  std::string head_;
  std::unique_ptr<http::Conversation> conversation_;
  WriteQueue queue_;
  std::string chunk_head_;
  std::vector<asio::const_buffer> chunk_;
  SteadyTime silent_since_;
  bool open_ = false;
  bool leaving_ = false;
  bool finished_ = false;
  std::array<char, 64> waste_;
};

}  // namespace

void accept_conversation(Links& links, TcpSocket&& stream, const sip::Flow& flow, const HttpRequest& request,
                         http::Response&& response) {
  links.admit<WebSocketChannel<TcpSocket>>(flow, std::move(stream), request, std::move(response));
}

void accept_conversation(Links& links, TlsStream&& stream, const sip::Flow& flow, const HttpRequest& request,
                         http::Response&& response) {
  links.admit<WebSocketChannel<TlsStream>>(flow, std::move(stream), request, std::move(response));
}

void accept_conversation(Links& links, LocalSocket&& stream, const sip::Flow& flow,
                         const HttpRequest& request, http::Response&& response) {
  links.admit<WebSocketChannel<LocalSocket>>(flow, std::move(stream), request, std::move(response));
}

void start_event_stream(Links& links, TcpSocket&& stream, const sip::Flow& flow, bool chunked,
                        http::Response&& response) {
  links.admit<EventStream<TcpSocket>>(flow, std::move(stream), chunked, std::move(response));
}

void start_event_stream(Links& links, TlsStream&& stream, const sip::Flow& flow, bool chunked,
                        http::Response&& response) {
  links.admit<EventStream<TlsStream>>(flow, std::move(stream), chunked, std::move(response));
}

void start_event_stream(Links& links, LocalSocket&& stream, const sip::Flow& flow, bool chunked,
                        http::Response&& response) {
  links.admit<EventStream<LocalSocket>>(flow, std::move(stream), chunked, std::move(response));
}

}  // namespace bw::io::detail
