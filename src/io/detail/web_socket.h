// SIP over WebSocket (RFC 7118): the part behind the HTTP upgrade.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include "io/detail/asio.h"
#include "io/detail/link.h"

namespace bw::io::detail {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;

// Takes over the stream of an HTTP session that was asked to upgrade.
void accept_web_socket(Links& links, TcpSocket&& stream, const sip::Flow& flow, const HttpRequest& request);
void accept_web_socket(Links& links, TlsStream&& stream, const sip::Flow& flow, const HttpRequest& request);

// RFC 7118 §4: the client must offer the subprotocol "sip".
bool offers_sip(const HttpRequest& request);

}  // namespace bw::io::detail
