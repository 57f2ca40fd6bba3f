// HTTP/1.1 over one connection.
#pragma once

#include "io/detail/asio.h"
#include "io/detail/link.h"
#include "ports/http.h"

namespace bw::io::detail {

void start_http(Links& links, TcpSocket&& socket, const sip::Flow& flow, const http::Handler& handler);
void start_https(Links& links, TcpSocket&& socket, const sip::Flow& flow, const http::Handler& handler,
                 asio::ssl::context& tls);
void start_local_http(Links& links, LocalSocket&& socket, const sip::Flow& flow,
                      const http::Handler& handler);

}  // namespace bw::io::detail
