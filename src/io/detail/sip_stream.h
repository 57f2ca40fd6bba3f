// SIP over TCP and TLS (RFC 3261 §18).
#pragma once

#include "io/detail/asio.h"
#include "io/detail/link.h"

namespace bw::io::detail {

void accept_sip_tcp(Links& links, TcpSocket&& socket, const sip::Flow& flow);
void accept_sip_tls(Links& links, TcpSocket&& socket, const sip::Flow& flow, asio::ssl::context& tls);
// Connects to flow.remote; what is sent meanwhile waits.
Link& dial_sip_tcp(Links& links, TcpSocket&& socket, const sip::Flow& flow);
Link& dial_sip_tls(Links& links, TcpSocket&& socket, const sip::Flow& flow, asio::ssl::context& tls);

}  // namespace bw::io::detail
