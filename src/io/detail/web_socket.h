// What an HTTP session becomes when it was asked to upgrade: SIP over WebSocket (RFC 7118).
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <string_view>

#include "io/detail/asio.h"
#include "io/detail/link.h"

namespace bw::io::detail {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;

constexpr std::string_view kSipProtocol = "sip";  // RFC 7118 §4: the client must offer it

// Each takes over the stream of an HTTP session that was asked to upgrade.
void accept_web_socket(Links& links, TcpSocket&& stream, const sip::Flow& flow, const HttpRequest& request);
void accept_web_socket(Links& links, TlsStream&& stream, const sip::Flow& flow, const HttpRequest& request);

bool offers(const HttpRequest& request, std::string_view subprotocol);

}  // namespace bw::io::detail
