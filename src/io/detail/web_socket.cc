#include "io/detail/web_socket.h"

#include <boost/beast/http/rfc7230.hpp>

#include "io/detail/web_socket_link.h"

namespace bw::io::detail {
namespace {

namespace beast = boost::beast;

// One SIP message per WebSocket message, text or binary (RFC 7118 §5).
template <typename Stream>
class SipWebSocket final : public WebSocketLink<Stream> {
 public:
  SipWebSocket(Links& links, const sip::Flow& flow, Stream&& stream, const HttpRequest& request)
      : WebSocketLink<Stream>(links, flow, Link::Kind::kStranger, std::move(stream), request,
                              std::string{kSipProtocol}) {}

  void send(const Bytes& bytes) override {
    if (!this->put(bytes)) return this->end();
    this->used();
    this->look_for_registration(*bytes);
  }

 private:
  void take(std::string&& message) override {
    if (message.find_first_not_of("\r\n") == std::string::npos) {
      // RFC 5626 §3.5.1: the ping is a double CRLF, the pong a single one.
      static const Bytes kPong = std::make_shared<const std::string>("\r\n");
      if (message == "\r\n\r\n") send(kPong);
      return;
    }
    this->used();
    if (!this->links().sink().received(this->flow(), std::move(message))) this->end();
  }
};

}  // namespace

void accept_web_socket(Links& links, TcpSocket&& stream, const sip::Flow& flow, const HttpRequest& request) {
  links.admit<SipWebSocket<TcpSocket>>(flow, std::move(stream), request);
}

void accept_web_socket(Links& links, TlsStream&& stream, const sip::Flow& flow, const HttpRequest& request) {
  links.admit<SipWebSocket<TlsStream>>(flow, std::move(stream), request);
}

bool offers(const HttpRequest& request, std::string_view subprotocol) {
  const auto offered = request[beast::http::field::sec_websocket_protocol];
  for (const auto& token : beast::http::token_list{offered}) {
    if (beast::iequals(token, {subprotocol.data(), subprotocol.size()})) return true;
  }
  return false;
}

}  // namespace bw::io::detail
