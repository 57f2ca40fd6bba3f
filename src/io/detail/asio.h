// Boost.Asio with its implementation compiled once (asio_impl.cc): include this, never <boost/asio.hpp>.
#pragma once

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "base/address.h"

namespace bw::io::detail {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using TcpSocket = asio::basic_stream_socket<Tcp, asio::io_context::executor_type>;
using TlsStream = asio::ssl::stream<TcpSocket>;
using LocalSocket = asio::basic_stream_socket<asio::local::stream_protocol, asio::io_context::executor_type>;

inline Endpoint to_endpoint(const Tcp::endpoint& e) {
  const auto a = e.address();
  if (a.is_v4()) return {IpAddress::v4(a.to_v4().to_uint()), e.port()};
  return {IpAddress::v6(a.to_v6().to_bytes()), e.port()};
}

inline Tcp::endpoint to_asio(const Endpoint& e) {
  if (e.ip.is_v4()) return {asio::ip::address_v4{e.ip.to_v4()}, e.port};
  return {asio::ip::address_v6{e.ip.bytes()}, e.port};
}

}  // namespace bw::io::detail
