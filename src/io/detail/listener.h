// An open door: accepts until it is destroyed.
#pragma once

#include <functional>
#include <memory>

#include "io/detail/asio.h"
#include "io/detail/link.h"

namespace bw::io::detail {

template <typename Protocol>
using AcceptorOf = asio::basic_socket_acceptor<Protocol, asio::io_context::executor_type>;

// `on_accept` gets the socket and the remote address, after the limits of Links were checked.
template <typename Protocol>
class Listener {
 public:
  using Socket = asio::basic_stream_socket<Protocol, asio::io_context::executor_type>;
  using OnAccept = std::function<void(Socket&&)>;

  Listener(asio::io_context& context, AcceptorOf<Protocol>&& acceptor, OnAccept on_accept)
      : acceptor_(std::move(acceptor)), pause_(context), on_accept_(std::move(on_accept)) {
    accept_next();
  }
  const AcceptorOf<Protocol>& acceptor() const { return acceptor_; }

 private:
  void accept_next() {
    acceptor_.async_accept([this](error_code error, Socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (!error) {
        on_accept_(std::move(socket));
        return accept_next();
      }
      // Out of descriptors, most likely: wait for some to come back instead of turning in circles.
      pause_.expires_after(std::chrono::milliseconds{100});
      pause_.async_wait([this](error_code stopped) {
        if (!stopped) accept_next();
      });
    });
  }

  AcceptorOf<Protocol> acceptor_;
  asio::steady_timer pause_;
  OnAccept on_accept_;
};

}  // namespace bw::io::detail
