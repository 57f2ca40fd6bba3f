#include "server/control_client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "io/descriptor.h"
#include "server/data_directory.h"

namespace bw::server {
namespace {

constexpr timeval kPatience{120, 0};
constexpr std::size_t kMostLine = 1U << 20U;

std::expected<io::Descriptor, std::string> connect_to(const std::filesystem::path& socket) {
  const auto failed = [&](int error) {
    if (error == EACCES || error == EPERM) return std::unexpected(belongs_to_another(socket, error));
    // The package's server keeps its data where only its user and root look.
    constexpr const char* kPackaged = "/var/lib/bellwire";
    const bool packaged =
        ::geteuid() != 0 && socket.parent_path() != kPackaged && ::access(kPackaged, F_OK) == 0;
    return std::unexpected(
        fmt::format("no server answers on {}: {}. Start it with `bellwire serve`, or name its "
                    "data directory with --data or BELLWIRE_DATA (a demo prints it){}.",
                    socket.string(), std::strerror(error),
                    packaged ? "; that of the installed service is asked by root: `sudo bellwire …`" : ""));
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

// False: nothing more will come.
bool read_some(int fd, std::string& into) {
  char space[16'384];
  const ssize_t n = ::recv(fd, space, sizeof space, 0);
  if (n <= 0) return false;
  into.append(space, static_cast<std::size_t>(n));
  return true;
}

std::string read_all(int fd) {
  std::string text;
  while (read_some(fd, text)) {
  }
  return text;
}

std::expected<ControlAnswer, std::string> parsed(const std::string& answer) {
  const std::size_t head_end = answer.find("\r\n\r\n");
  ControlAnswer a;
  // "HTTP/1.1 200 OK"
  if (head_end == std::string::npos || answer.size() < 12 ||
      std::from_chars(answer.data() + 9, answer.data() + 12, a.status).ec != std::errc{}) {
    return std::unexpected("the server gave no whole answer");
  }
  a.body = answer.substr(head_end + 4);
  return a;
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
  return parsed(read_all(fd->get()));
}

// HTTP/1.0, so that the lines come without chunks around them.
std::expected<ControlAnswer, std::string> follow_server(const std::filesystem::path& data_directory,
                                                        std::string_view target, const OnLine& on_line) {
  const auto fd = connect_to(control_socket(data_directory));
  if (!fd) return std::unexpected(fd.error());
  if (!send_all(fd->get(), fmt::format("GET {} HTTP/1.0\r\n\r\n", target)))
    return std::unexpected("the server hung up");
  std::string waiting;
  std::size_t head_end = std::string::npos;
  while (head_end == std::string::npos) {
    if (!read_some(fd->get(), waiting)) return parsed(waiting);
    head_end = waiting.find("\r\n\r\n");
  }
  const auto head = parsed(waiting);
  if (!head || head->status != 200) return parsed(waiting + read_all(fd->get()));
  waiting.erase(0, head_end + 4);
  do {
    std::size_t begin = 0;
    for (std::size_t end; (end = waiting.find('\n', begin)) != std::string::npos; begin = end + 1) {
      if (!on_line(std::string_view{waiting}.substr(begin, end - begin))) return ControlAnswer{200, {}};
    }
    waiting.erase(0, begin);
  } while (waiting.size() <= kMostLine && read_some(fd->get(), waiting));
  return ControlAnswer{200, {}};
}

}  // namespace bw::server
