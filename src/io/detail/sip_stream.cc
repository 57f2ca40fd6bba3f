#include "io/detail/sip_stream.h"

#include <array>
#include <type_traits>
#include <variant>

#include "base/core.h"
#include "io/detail/write_queue.h"
#include "sip/broken_stream.h"
#include "sip/framing.h"

namespace bw::io::detail {
namespace {

constexpr std::size_t kReadBytes = 4'096;  // one for every connection: most SIP messages fit
constexpr std::size_t kGather = 16;
constexpr std::chrono::seconds kLinger{2};

const Bytes& pong() {
  static const Bytes bytes = std::make_shared<const std::string>(sip::StreamFramer::kPong);
  return bytes;
}

// A peer has `first_message` to say something whole, then may be silent for `idle`; half a message must
// become a whole one within `stalled`, however slowly it drips.
template <typename Stream>
class SipStream final : public Link {
  static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;

 public:
  // `dial`: connect to flow.remote first.
  SipStream(Links& links, const sip::Flow& flow, Stream&& stream, bool dial)
      : Link(links, flow, dial ? Kind::kTrusted : Kind::kStranger),
        stream_(std::move(stream)),
        dial_(dial),
        queue_(links.limits().write_queue_bytes) {
    sip::MessageLimits limits;
    limits.message_bytes = links.limits().message_bytes;
    framer_ = sip::StreamFramer{limits};
  }

  void start() {
    give_time(links().limits().handshake);
    if (!dial_) return greet();
    dialled();
    stream_.lowest_layer().async_connect(to_asio(flow().remote), tracked([this](error_code error) {
                                           if (error) return end();
                                           error_code ignored;
                                           stream_.lowest_layer().set_option(Tcp::no_delay(true), ignored);
                                           mutable_flow().local =
                                               to_endpoint(stream_.lowest_layer().local_endpoint(ignored));
                                           greet();
                                         }));
  }

  void send(const Bytes& bytes) override {
    if (leaving_) return;
    if (!queue_.push(bytes)) return end();
    used();
    if (is_stranger()) befriend(*bytes);
    if (open_ && !queue_.writing()) write_next();
  }

 private:
  void shut() override {
    error_code ignored;
    stream_.lowest_layer().close(ignored);
  }

  void greet() {
    if constexpr (kTls) {
      const auto side = dial_ ? asio::ssl::stream_base::client : asio::ssl::stream_base::server;
      stream_.async_handshake(side, tracked([this](error_code error) {
                                if (error) return end();
                                opened();
                              }));
    } else {
      opened();
    }
  }

  void opened() {
    open_ = true;
    give_time(dial_ ? links().limits().idle : links().limits().first_message);
    write_next();
    read_next();
  }

  void read_next() {
    stream_.async_read_some(asio::buffer(space_), tracked([this](error_code error, std::size_t n) {
                              if (error) return end();
                              if (!leaving_) take({space_.data(), n});
                              if (!ended()) read_next();
                            }));
  }

  void take(std::string_view bytes) {
    const bool was_whole = framer_.pending() == 0;
    framer_.feed(bytes);
    bool progress = false;
    while (!ended()) {
      const auto event = framer_.next();
      if (!event) break;
      progress = true;
      std::visit(Overloaded{[&](const sip::StreamFramer::Frame& frame) {
                              used();
                              if (!links().sink().received(flow(), std::string(frame.bytes))) end();
                            },
                            [&](const sip::StreamFramer::Ping&) { send(pong()); },
                            [](const sip::StreamFramer::Pong&) {},
                            [&](const sip::StreamFramer::Broken& broken) { leave(sip::answer_to(broken)); }},
                 *event);
    }
    if (leaving_) return;
    // The framer keeps to its limits by itself; that a stranger cannot fill the memory shall not hang on one
    // check.
    if (framer_.pending() > links().limits().message_bytes + kReadBytes) return end();
    if (framer_.pending() == 0) {
      give_time(is_stranger() ? links().limits().stranger_idle : links().limits().idle);
    } else if (progress || was_whole) {
      give_time(links().limits().stalled);
    }
  }

  void befriend(std::string_view message) {
    look_for_registration(message);
    if (!is_stranger() && framer_.pending() == 0) give_time(links().limits().idle);
  }

  // Where the next message begins is lost. Whoever sent a request hears so, then the connection ends.
  void leave(std::string&& answer) {
    if (answer.empty()) return end();
    leaving_ = true;
    give_time(kLinger);
    queue_.push_last(std::make_shared<const std::string>(std::move(answer)));
    if (!queue_.writing()) write_next();
  }

  void write_next() {
    if (queue_.empty()) {
      if (!leaving_) return;
      // Closing with bytes unread would reset the connection and lose the answer: the peer goes first.
      error_code ignored;
      stream_.lowest_layer().shutdown(asio::socket_base::shutdown_send, ignored);
      return;
    }
    const auto& buffers = queue_.begin_writing(kGather);
    limit_write(links().limits().stalled);
    asio::async_write(stream_, buffers, tracked([this](error_code error, std::size_t) {
                        if (error) return end();
                        write_done();
                        queue_.written();
                        write_next();
                      }));
  }

  Stream stream_;
  bool dial_;
  bool open_ = false;
  bool leaving_ = false;
  sip::StreamFramer framer_;
  WriteQueue queue_;
  std::array<char, kReadBytes> space_;
};

}  // namespace

void accept_sip_tcp(Links& links, TcpSocket&& socket, const sip::Flow& flow) {
  links.admit<SipStream<TcpSocket>>(flow, std::move(socket), false);
}

void accept_sip_tls(Links& links, TcpSocket&& socket, const sip::Flow& flow, asio::ssl::context& tls) {
  links.admit<SipStream<TlsStream>>(flow, TlsStream{std::move(socket), tls}, false);
}

Link& dial_sip_tcp(Links& links, TcpSocket&& socket, const sip::Flow& flow) {
  return links.admit<SipStream<TcpSocket>>(flow, std::move(socket), true);
}

Link& dial_sip_tls(Links& links, TcpSocket&& socket, const sip::Flow& flow, asio::ssl::context& tls) {
  return links.admit<SipStream<TlsStream>>(flow, TlsStream{std::move(socket), tls}, true);
}

}  // namespace bw::io::detail
