// What the program asks of the machine it runs on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace bw::io {

// Addresses of interfaces that are up, IPv4 first; loopback ones last, link-local IPv6 left out (they need a
// zone).
std::vector<IpAddress> local_addresses();
std::string host_name();

struct FileLimit {
  std::uint64_t now = 0;
  std::uint64_t most = 0;
};
FileLimit file_limit();
// As high as this process may go, up to `wanted`. Answers the limit that holds then.
std::uint64_t raise_file_limit(std::uint64_t wanted);

// The service manager's notification socket (sd_notify(3)), spoken directly: one datagram per message.
// Without NOTIFY_SOCKET in the environment nothing is sent.
class ServiceManager {
 public:
  ServiceManager();
  void say(std::string_view state) const;  // "READY=1", "STATUS=…"; several separated by newlines
  // How often it wants to hear WATCHDOG=1, in microseconds; 0: it does not.
  std::uint64_t watchdog_us() const { return watchdog_us_; }

 private:
  std::string socket_path_;
  std::uint64_t watchdog_us_ = 0;
};

}  // namespace bw::io
