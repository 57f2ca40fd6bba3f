#include "io/host.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <iterator>

#include "io/descriptor.h"
#include "io/socket_address.h"

namespace bw::io {
namespace {

bool is_link_local_v6(const IpAddress& ip) {
  return ip.is_v6() && ip.bytes()[0] == 0xFE && (ip.bytes()[1] & 0xC0) == 0x80;
}

int rank(const IpAddress& ip) {
  return (ip.is_loopback() ? 2 : 0) + (ip.is_v6() ? 1 : 0);
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string{value};
}

}  // namespace

std::vector<IpAddress> local_addresses() {
  std::vector<IpAddress> found;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return found;
  for (const ifaddrs* i = list; i != nullptr; i = i->ifa_next) {
    if (i->ifa_addr == nullptr || (i->ifa_flags & IFF_UP) == 0) continue;
    const int family = i->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    sockaddr_storage address{};
    std::memcpy(&address, i->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    const IpAddress ip = from_sockaddr(address).ip;
    if (!is_link_local_v6(ip)) found.push_back(ip);
  }
  ::freeifaddrs(list);
  std::vector<IpAddress> sorted;
  for (int wanted = 0; wanted < 4; ++wanted) {
    std::ranges::copy_if(found, std::back_inserter(sorted),
                         [&](const IpAddress& ip) { return rank(ip) == wanted; });
  }
  return sorted;
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

FileLimit file_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return {limit.rlim_cur, limit.rlim_max};
}

std::uint64_t raise_file_limit(std::uint64_t wanted) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted) return limit.rlim_cur;
  limit.rlim_cur = std::min<std::uint64_t>(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return file_limit().now;
}

ServiceManager::ServiceManager() : socket_path_(environment("NOTIFY_SOCKET")) {
  const std::string pid = environment("WATCHDOG_PID");
  if (!pid.empty() && pid != std::to_string(::getpid())) return;  // meant for another process
  watchdog_us_ = std::strtoull(environment("WATCHDOG_USEC").c_str(), nullptr, 10);
}

void ServiceManager::say(std::string_view state) const {
  sockaddr_un address{};
  if (socket_path_.empty() || socket_path_.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_path_.data(), socket_path_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // the abstract namespace
  const Descriptor fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!fd) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_path_.size());
  ::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
           length);
}

}  // namespace bw::io
