#include "io/host.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "io/descriptor.h"

namespace bw::io {
namespace {

TEST(LocalAddresses, EndWithLoopbackAndHoldNoLinkLocalIpv6) {
  const auto all = local_addresses();
  ASSERT_FALSE(all.empty());
  EXPECT_TRUE(std::ranges::is_partitioned(all, [](const IpAddress& ip) { return !ip.is_loopback(); }));
  EXPECT_NE(std::ranges::find(all, IpAddress::v4(0x7F000001)), all.end());
  for (const IpAddress& ip : all) EXPECT_FALSE(ip.to_string().starts_with("fe80:")) << ip.to_string();
}

TEST(FileLimit, IsRaisedAsFarAsAllowedAndNotLowered) {
  const FileLimit before = file_limit();
  EXPECT_EQ(raise_file_limit(1), before.now);
  EXPECT_EQ(raise_file_limit(before.most), before.most);
}

class Notified : public testing::Test {
 protected:
  // The service manager's end, in the abstract namespace as systemd may give it.
  Notified() : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const std::string name = "bellwire-notify-" + std::to_string(::getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    bound_ = ::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0;
    ::setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
  }
  ~Notified() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }
  std::string heard() {
    pollfd p{fd_.get(), POLLIN, 0};
    if (::poll(&p, 1, 60'000) != 1) return {};
    char text[256];
    const auto n = ::recv(fd_.get(), text, sizeof text, 0);
    return n > 0 ? std::string(text, static_cast<std::size_t>(n)) : std::string{};
  }

  Descriptor fd_;
  bool bound_ = false;
};

TEST_F(Notified, ServiceManagerHearsWhatIsSaid) {
  ASSERT_TRUE(bound_);
  const ServiceManager manager;
  manager.say("READY=1");
  EXPECT_EQ(heard(), "READY=1");
  EXPECT_EQ(manager.watchdog_us(), 0u);
}

TEST_F(Notified, WatchdogOfAnotherProcessIsNotOurs) {
  ::setenv("WATCHDOG_USEC", "20000000", 1);
  EXPECT_EQ(ServiceManager{}.watchdog_us(), 20'000'000u);
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(ServiceManager{}.watchdog_us(), 0u);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_EQ(ServiceManager{}.watchdog_us(), 20'000'000u);
}

TEST(ServiceManager, WithoutASocketSaysNothing) {
  ServiceManager{}.say("READY=1");
}

}  // namespace
}  // namespace bw::io
