// For tests: the far end of a connection, blocking, written without the libraries of the near end.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "io/descriptor.h"
#include "io/socket_address.h"

namespace bw::io {

class TestClient {
 public:
  static constexpr std::chrono::milliseconds kPatience{60'000};  // only a broken front needs it

  explicit TestClient(const Endpoint& to, bool tls = false) {
    fd_ = Descriptor{::socket(to.ip.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_storage name{};
    const socklen_t length = to_sockaddr(to, name);
    connected_ = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&name), length) == 0;
    if (connected_ && tls) connected_ = start_tls();
  }
  explicit TestClient(const std::string& path) {
    fd_ = Descriptor{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path.data(), path.size());
    connected_ = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
  }

  bool connected() const { return connected_; }
  int descriptor() const { return fd_.get(); }

  bool send(std::string_view bytes) {
    if (ssl_) return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
    return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }

  // What comes until `enough` bytes are there, the peer closes, or patience ends.
  std::string receive(std::size_t enough = 1) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (inbox_.size() < enough && read_some(until)) {
    }
    return std::exchange(inbox_, {});
  }
  std::string receive_until(std::string_view end) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (inbox_.find(end) == std::string::npos && read_some(until)) {
    }
    return std::exchange(inbox_, {});
  }
  bool closed_by_peer() {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (read_some(until)) {
    }
    return closed_;
  }

  // RFC 6455 §5.2: one final frame of a client, masked with zeros.
  static std::string frame(std::string_view payload, unsigned opcode = 1) {
    std::string f;
    f += static_cast<char>(0x80U | opcode);
    if (payload.size() < 126) {
      f += static_cast<char>(0x80U | payload.size());
    } else {
      f += static_cast<char>(0x80U | 126U);
      f += static_cast<char>(payload.size() >> 8U);
      f += static_cast<char>(payload.size() & 0xFFU);
    }
    return f.append(4, '\0').append(payload);
  }
  std::string receive_frame() {
    std::string head = receive(2);
    std::size_t size = static_cast<unsigned char>(head.size() > 1 ? head[1] : 0);
    std::size_t skip = 2;
    if (size == 126) {
      while (head.size() < 4) head += receive(1);
      size = static_cast<std::size_t>(static_cast<unsigned char>(head[2]) << 8U |
                                      static_cast<unsigned char>(head[3]));
      skip = 4;
    }
    while (head.size() < skip + size) {
      const std::string more = receive(1);
      if (more.empty()) break;
      head += more;
    }
    return head.substr(std::min(skip, head.size()));
  }
  static std::string upgrade(std::string_view path = "/sip", std::string_view protocol = "sip") {
    return std::string{"GET "}
        .append(path)
        .append(
            " HTTP/1.1\r\nHost: pbx\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: "
            "13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ")
        .append(protocol)
        .append("\r\n\r\n");
  }

 private:
  struct Free {
    void operator()(SSL* s) const { SSL_free(s); }
    void operator()(SSL_CTX* c) const { SSL_CTX_free(c); }
  };

  bool start_tls() {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), fd_.get());
    return SSL_connect(ssl_.get()) == 1;
  }

  bool read_some(std::chrono::steady_clock::time_point until) {
    if (closed_) return false;
    if (!ssl_ || SSL_pending(ssl_.get()) == 0) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      pollfd p{fd_.get(), POLLIN, 0};
      if (left.count() <= 0 || ::poll(&p, 1, static_cast<int>(left.count())) <= 0) return false;
    }
    char bytes[16'384];
    const long n =
        ssl_ ? SSL_read(ssl_.get(), bytes, sizeof bytes) : ::recv(fd_.get(), bytes, sizeof bytes, 0);
    // A TLS record that holds no data (a session ticket) reads as "try again".
    if (ssl_ && n <= 0 && SSL_get_error(ssl_.get(), static_cast<int>(n)) == SSL_ERROR_WANT_READ) return true;
    if (n <= 0) {
      closed_ = true;
      return false;
    }
    inbox_.append(bytes, static_cast<std::size_t>(n));
    return true;
  }

  Descriptor fd_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
  bool connected_ = false;
  bool closed_ = false;
  std::string inbox_;
};

}  // namespace bw::io
