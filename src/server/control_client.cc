#include "server/control_client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "io/descriptor.h"
#include "server/data_directory.h"

namespace bw::server {
namespace {

constexpr timeval kPatience{120, 0};

std::expected<io::Descriptor, std::string> connect_to(const std::filesystem::path& socket) {
  const auto failed = [&](int error) {
    return std::unexpected(
        fmt::format("no server answers on {}: {}. Start it with `bellwire serve`, or name its "
                    "data directory with --data.",
                    socket.string(), std::strerror(error)));
  };
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = socket.string();
  if (path.size() >= sizeof address.sun_path) return failed(ENAMETOOLONG);
  std::memcpy(address.sun_path, path.data(), path.size());
  io::Descriptor fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!fd) return failed(errno);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return failed(errno);
  return fd;
}

bool send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::string read_all(int fd) {
  std::string text;
  char space[16'384];
  for (;;) {
    const ssize_t n = ::recv(fd, space, sizeof space, 0);
    if (n <= 0) return text;
    text.append(space, static_cast<std::size_t>(n));
  }
}

}  // namespace

std::expected<ControlAnswer, std::string> ask_server(const std::filesystem::path& data_directory,
                                                     std::string_view method, std::string_view target,
                                                     std::string_view body) {
  const auto fd = connect_to(control_socket(data_directory));
  if (!fd) return std::unexpected(fd.error());
  const std::string request = fmt::format(
      "{} {} HTTP/1.1\r\nHost: bellwire\r\nConnection: close\r\nContent-Type: "
      "application/json\r\nContent-Length: {}\r\n\r\n{}",
      method, target, body.size(), body);
  if (!send_all(fd->get(), request)) return std::unexpected("the server hung up");
  const std::string answer = read_all(fd->get());
  const std::size_t head_end = answer.find("\r\n\r\n");
  ControlAnswer parsed;
  // "HTTP/1.1 200 OK"
  if (head_end == std::string::npos || answer.size() < 12 ||
      std::from_chars(answer.data() + 9, answer.data() + 12, parsed.status).ec != std::errc{}) {
    return std::unexpected("the server gave no whole answer");
  }
  parsed.body = answer.substr(head_end + 4);
  return parsed;
}

}  // namespace bw::server
