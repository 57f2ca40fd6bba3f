// Connections that stay open for a handler's Conversation: WebSockets and event streams.
#pragma once

#include "io/detail/asio.h"
#include "io/detail/link.h"
#include "io/detail/web_socket.h"
#include "ports/http.h"

namespace bw::io::detail {

// Each takes over the stream of an HTTP session whose handler answered with `stays`.
void accept_conversation(Links& links, TcpSocket&& stream, const sip::Flow& flow, const HttpRequest& request,
                         http::Response&& response);
void accept_conversation(Links& links, TlsStream&& stream, const sip::Flow& flow, const HttpRequest& request,
                         http::Response&& response);
void accept_conversation(Links& links, LocalSocket&& stream, const sip::Flow& flow,
                         const HttpRequest& request, http::Response&& response);

void start_event_stream(Links& links, TcpSocket&& stream, const sip::Flow& flow, bool chunked,
                        http::Response&& response);
void start_event_stream(Links& links, TlsStream&& stream, const sip::Flow& flow, bool chunked,
                        http::Response&& response);
void start_event_stream(Links& links, LocalSocket&& stream, const sip::Flow& flow, bool chunked,
                        http::Response&& response);

}  // namespace bw::io::detail
