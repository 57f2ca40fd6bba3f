#include "io/media_loop.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <mutex>

#include "io/descriptor.h"
#include "io/socket_address.h"
#include "rtp/packet.h"
#include "stun/message.h"
#include "webrtc/test_peer.h"

namespace bw::io {
namespace {

using media::MediaLegId;

constexpr MediaLegId kAlice{1};
constexpr MediaLegId kBob{2};
constexpr Duration kPatience = 60s;  // only a broken loop needs it

bool is_free(std::uint16_t port) {
  sockaddr_storage address{};
  const socklen_t length = to_sockaddr({IpAddress::v4(0), port}, address);
  const Descriptor probe{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  return ::bind(probe.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0;
}

// The first of so many ports that nobody has, from an even number on; none is given twice. Below those that
// the system gives out by itself, and far from those of another process of this test.
std::uint16_t free_ports(std::uint16_t count) {
  static auto next = static_cast<std::uint16_t>(10'000 + ::getpid() % 40 * 120);
  for (std::uint16_t free = 0; free < count;)
    free = is_free(next++) ? static_cast<std::uint16_t>(free + 1) : 0;
  const auto first = static_cast<std::uint16_t>(next - count);
  return first % 2 == 0 ? first : free_ports(count);
}

// A socket on loopback with the manners of a phone.
class Phone {
 public:
  explicit Phone(const char* ip, std::uint16_t port = 0) : ip_(IpAddress::parse(ip).value()) {
    sockaddr_storage address{};
    socklen_t length = to_sockaddr({ip_, port}, address);
    socket_ = Descriptor{::socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    open_ = ::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), length) == 0;
    length = sizeof address;
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    local = from_sockaddr(address);
  }
  bool open() const { return open_; }

  void says(std::uint16_t server_port, std::uint32_t ssrc) {
    std::array<std::uint8_t, 172> packet{};
    rtp::write_header({false, 0, ++sequence_, sequence_ * 160U, ssrc}, packet);
    sends(server_port, packet);
  }
  void sends(std::uint16_t server_port, std::span<const std::uint8_t> bytes) {
    sockaddr_storage to{};
    const socklen_t length = to_sockaddr({ip_, server_port}, to);
    ::sendto(socket_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&to), length);
  }
  bool is_answered() {
    pollfd ready{socket_.get(), POLLIN, 0};
    std::array<std::uint8_t, 2'000> buffer{};
    return ::poll(&ready, 1, static_cast<int>(kPatience / 1ms)) == 1 &&
           ::recv(socket_.get(), buffer.data(), buffer.size(), 0) > 0;
  }
  // The SSRC of what comes next; 0 if nothing comes.
  std::uint32_t hears(Duration patience = kPatience) {
    pollfd ready{socket_.get(), POLLIN, 0};
    if (::poll(&ready, 1, static_cast<int>(patience / 1ms)) != 1) return 0;
    std::array<std::uint8_t, 2'000> buffer{};
    const ssize_t n = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (n < 0) return 0;
    const auto packet = rtp::Packet::parse(std::span{buffer}.first(static_cast<std::size_t>(n)));
    return packet ? packet->header().ssrc : 0;
  }

  Endpoint local;

 private:
  IpAddress ip_;
  Descriptor socket_;
  bool open_ = false;
  std::uint16_t sequence_ = 0;
};

// Keeps the events of a loop for the test's thread.
class Journal {
 public:
  MediaLoop::EventSink sink() {
    return [this](std::vector<media::Event>&& events) {
      const std::lock_guard lock(mutex_);
      for (auto& e : events) events_.push_back(std::move(e));
      changed_.notify_all();
    };
  }
  // The next event of this kind that was not asked for yet.
  template <typename T>
  std::optional<T> next() {
    std::unique_lock lock(mutex_);
    std::optional<T> found;
    changed_.wait_for(lock, kPatience, [&] {
      for (auto it = events_.begin(); it != events_.end(); ++it) {
        if (T* one = std::get_if<T>(&*it)) {
          found = std::move(*one);
          events_.erase(it);
          return true;
        }
      }
      return false;
    });
    return found;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<media::Event> events_;
};

class MediaLoopTest : public ::testing::Test {
 protected:
  static MediaLoopSettings settings(std::uint16_t first, std::uint16_t count) {
    MediaLoopSettings s;
    s.range = {first, static_cast<std::uint16_t>(first + count - 1)};
    s.relay.port_rest = 50ms;
    return s;
  }
  std::vector<media::PortPair> open(MediaLoop& loop, std::uint16_t count) {
    loop.push(media::OpenPorts{count});
    auto opened = journal.next<media::PortsOpened>();
    return opened ? opened->ports : std::vector<media::PortPair>{};
  }
  static void connect(MediaLoop& loop, const std::vector<media::PortPair>& ports, const Phone& alice,
                      const Phone& bob) {
    loop.push(media::OpenLeg{kAlice, ports[0]});
    loop.push(media::OpenLeg{kBob, ports[1]});
    loop.push(media::SetPeer{.leg = kAlice, .peer = {alice.local, alice.local}});
    loop.push(media::SetPeer{.leg = kBob, .peer = {bob.local, bob.local}});
    loop.push(media::Connect{kAlice, kBob});
  }
  // Commands and packets come by different ways; a phone that gets no answer speaks again.
  static bool talk(Phone& from, std::uint16_t port, Phone& to, std::uint32_t ssrc) {
    for (int i = 0; i < 100; ++i) {
      from.says(port, ssrc);
      if (to.hears(100ms) == ssrc) return true;
    }
    return false;
  }

  Clock clock;
  Journal journal;
};

TEST_F(MediaLoopTest, PhonesHearEachOtherThroughIt) {
  MediaLoop loop{settings(free_ports(20), 20), clock, journal.sink()};
  const auto ports = open(loop, 2);
  ASSERT_EQ(ports.size(), 2U);
  Phone alice{"127.0.0.1"};
  Phone bob{"127.0.0.1"};
  connect(loop, ports, alice, bob);
  EXPECT_TRUE(talk(alice, ports[0].rtp, bob, 0xa11ce));
  EXPECT_TRUE(talk(bob, ports[1].rtp, alice, 0xb0b));
  ASSERT_TRUE(journal.next<media::MediaStarted>());
  loop.push(media::CloseLeg{kAlice});
  const auto closed = journal.next<media::LegClosed>();
  ASSERT_TRUE(closed);
  EXPECT_GE(closed->quality.packets_received, 1U);
  const auto rested = journal.next<media::PortsOpened>();
  ASSERT_TRUE(rested);
  ASSERT_EQ(rested->ports.size(), 1U);
  EXPECT_EQ(rested->ports[0].rtp, ports[0].rtp);
  EXPECT_GE(loop.figures().received, 2U);
}

TEST_F(MediaLoopTest, AnIpv4PhoneTalksWithAnIpv6Phone) {
  Phone alice{"127.0.0.1"};
  Phone bob{"::1"};
  if (!bob.open()) GTEST_SKIP() << "no IPv6 here";
  MediaLoop loop{settings(free_ports(20), 20), clock, journal.sink()};
  const auto ports = open(loop, 2);
  ASSERT_EQ(ports.size(), 2U);
  connect(loop, ports, alice, bob);
  EXPECT_TRUE(talk(alice, ports[0].rtp, bob, 0xa11ce));
  EXPECT_TRUE(talk(bob, ports[1].rtp, alice, 0xb0b));
}

TEST_F(MediaLoopTest, AnIpv4OnlyLoopRelaysAndRefusesIpv6Peers) {
  Phone alice{"127.0.0.1"};
  Phone bob{"127.0.0.1"};
  auto s = settings(free_ports(20), 20);
  s.bind = IpAddress::v4(0x7f000001);
  MediaLoop loop{s, clock, journal.sink()};
  const auto ports = open(loop, 2);
  ASSERT_EQ(ports.size(), 2U);
  connect(loop, ports, alice, bob);
  EXPECT_TRUE(talk(alice, ports[0].rtp, bob, 0xa11ce));
  loop.push(media::SetPeer{.leg = kBob, .peer = {*Endpoint::parse("[::1]:9"), *Endpoint::parse("[::1]:10")}});
  for (int i = 0; i < 100 && loop.figures().send_failed == 0; ++i) {
    alice.says(ports[0].rtp, 0xa11ce);
    bob.hears(10ms);
  }
  EXPECT_GT(loop.figures().send_failed, 0U);
}

TEST_F(MediaLoopTest, PortsOfOtherProgramsAreSkippedAndTheEndOfTheRangeIsTold) {
  const std::uint16_t first = free_ports(6);
  Phone squatter{"127.0.0.1", static_cast<std::uint16_t>(first + 3)};  // the RTCP port of the second pair
  ASSERT_TRUE(squatter.open());
  MediaLoop loop{settings(first, 6), clock, journal.sink()};
  loop.push(media::OpenPorts{10});
  const auto opened = journal.next<media::PortsOpened>();
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->range_exhausted);
  ASSERT_EQ(opened->ports.size(), 2U);
  EXPECT_EQ(opened->ports[0].rtp, first);
  EXPECT_EQ(opened->ports[1].rtp, first + 4);
}

TEST_F(MediaLoopTest, TwoLoopsShareARangeWithoutMeeting) {
  const std::uint16_t first_port = free_ports(8);
  auto s = settings(first_port, 8);
  s.loops = 2;
  MediaLoop first{s, clock, journal.sink()};
  const auto even = open(first, 10);
  s.index = 1;
  MediaLoop second{s, clock, journal.sink()};
  const auto odd = open(second, 10);
  ASSERT_EQ(even.size(), 2U);
  ASSERT_EQ(odd.size(), 2U);
  EXPECT_EQ(odd[0].loop, 1);
  EXPECT_EQ(odd[0].rtp, first_port + 2);
}

TEST_F(MediaLoopTest, ALoopThatIsTornDownReleasesItsPorts) {
  const std::uint16_t first = free_ports(4);
  for (int i = 0; i < 3; ++i) {
    MediaLoop loop{settings(first, 4), clock, journal.sink()};
    EXPECT_EQ(open(loop, 2).size(), 2U);
  }
}

// A page is told its credentials once the session was pushed; its check must not overtake it.
TEST_F(MediaLoopTest, TheFirstCheckOfASessionThatWasJustOpenedIsAnswered) {
  const Endpoint any{IpAddress::v4(0x7f000001), 0};
  auto port = BrowserPort::open(std::span{&any, 1});
  for (int i = 0; i < 50 && !port; ++i) port = BrowserPort::open(std::span{&any, 1});  // free for UDP and TCP
  ASSERT_TRUE(port);
  const std::uint16_t number = port->port();
  MediaLoop loop{settings(26'094, 26'099), clock, journal.sink(),
                 std::make_unique<BrowserSide>(std::move(*port), webrtc::test_context())};
  Phone browser{"127.0.0.1"};
  for (std::uint64_t n = 1; n <= 50; ++n) {
    const webrtc::IceCredentials ours{"frag" + std::to_string(n),
                                      Secret<std::string>{"password-of-22-and-more"}};
    loop.push(
        media::CloseLeg{kAlice});  // so that the loop looks for commands by itself, and is not woken by one
    ASSERT_TRUE(open(loop, 0).empty());
    loop.push(media::SessionCommand{media::OpenSession{media::SessionId{n}, ours}});
    stun::Writer check{stun::Class::kRequest, {static_cast<std::uint8_t>(n)}};
    check.text(stun::Type::kUsername, ours.ufrag + ":theirs");
    browser.sends(number, check.integrity(ours.password.reveal()).fingerprint().take());
    ASSERT_TRUE(browser.is_answered()) << n;
  }
  EXPECT_EQ(loop.figures().no_session, 0U);
}

TEST_F(MediaLoopTest, ADatagramLargerThanAFrameIsDropped) {
  MediaLoop loop{settings(free_ports(4), 4), clock, journal.sink()};
  const auto ports = open(loop, 1);
  ASSERT_EQ(ports.size(), 1U);
  const Descriptor fd{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  sockaddr_storage to{};
  const socklen_t length = to_sockaddr({IpAddress::v4(0x7f000001), ports[0].rtp}, to);
  const std::vector<std::uint8_t> giant(9'000, 0x80);
  for (int i = 0; i < 100 && loop.figures().oversized == 0; ++i) {
    ::sendto(fd.get(), giant.data(), giant.size(), 0, reinterpret_cast<sockaddr*>(&to), length);
    pollfd none{-1, 0, 0};
    ::poll(&none, 1, 20);
  }
  EXPECT_GT(loop.figures().oversized, 0U);
}

}  // namespace
}  // namespace bw::io
