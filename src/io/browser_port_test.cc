// Browsers on the real port: loopback, UDP and TCP, IPv4 and IPv6.
#include "io/browser_port.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <filesystem>
#include <mutex>

#include "io/certificate.h"
#include "io/media_loop.h"
#include "io/socket_address.h"
#include "webrtc/test_peer.h"

namespace bw::io {
namespace {

using media::AttachLeg;
using media::MediaLegId;
using media::SessionCommand;
using media::SessionId;
using webrtc::IceCredentials;
using Bytes = std::vector<std::uint8_t>;

constexpr Duration kPatience = 60s;  // only a broken loop needs it
constexpr SessionId kSession{7};

IceCredentials credentials(const std::string& name) {
  return {name, Secret{name + "-password-of-22-and-more"}};
}

// What a browser begins with; nobody's here.
Bytes check() {
  return stun::Writer{stun::Class::kRequest, {1}}
      .text(stun::Type::kUsername, "nobody:here")
      .fingerprint()
      .take();
}

Bytes frames(const Bytes& payload, std::size_t count) {
  Bytes all;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(static_cast<std::uint8_t>(payload.size() >> 8U));
    all.push_back(static_cast<std::uint8_t>(payload.size()));
    all.insert(all.end(), payload.begin(), payload.end());
  }
  return all;
}

// A socket towards the port, with the framing of RFC 4571 where it is TCP.
class Line {
 public:
  Line(const Endpoint& server, bool tcp, const IpAddress& from) : tcp_(tcp) {
    sockaddr_storage address{};
    socklen_t length = to_sockaddr({from, 0}, address);
    socket_ = Descriptor{::socket(address.ss_family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0)};
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    length = to_sockaddr(server, address);
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  }
  void send(const Bytes& bytes) const {
    Bytes frame;
    if (tcp_)
      frame = {static_cast<std::uint8_t>(bytes.size() >> 8U), static_cast<std::uint8_t>(bytes.size())};
    frame.insert(frame.end(), bytes.begin(), bytes.end());
    // In two pieces: a frame need not come at once.
    const std::size_t half = tcp_ ? frame.size() / 2 : frame.size();
    ::send(socket_.get(), frame.data(), half, MSG_NOSIGNAL);
    if (half < frame.size()) ::send(socket_.get(), frame.data() + half, frame.size() - half, MSG_NOSIGNAL);
  }
  void send_as_is(const Bytes& bytes) const {
    EXPECT_EQ(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // The next packet; none when the other end closed, or nothing comes.
  std::optional<Bytes> receive(Duration patience = 100ms) {
    for (;;) {
      if (tcp_ && in_.size() >= 2) {
        const std::size_t size = std::size_t{in_[0]} << 8U | in_[1];
        if (in_.size() >= 2 + size) {
          const auto end = in_.begin() + static_cast<std::ptrdiff_t>(2 + size);
          Bytes packet(in_.begin() + 2, end);
          in_.erase(in_.begin(), end);
          return packet;
        }
      }
      pollfd ready{socket_.get(), POLLIN, 0};
      if (::poll(&ready, 1, static_cast<int>(patience / 1ms)) != 1) return std::nullopt;
      Bytes bytes(4'096);
      const ssize_t n = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
      closed = n <= 0;
      if (closed) return std::nullopt;
      bytes.resize(static_cast<std::size_t>(n));
      if (!tcp_) return bytes;
      in_.insert(in_.end(), bytes.begin(), bytes.end());
    }
  }
  bool closed = false;

 private:
  bool tcp_;
  Descriptor socket_;
  Bytes in_;
};

// Of a number that the system chooses. It is to be free for UDP and TCP alike, so not every choice will do.
BrowserPort opened(const std::vector<Endpoint>& addresses, BrowserPortLimits limits = {}) {
  auto port = BrowserPort::open(addresses, limits);
  for (int i = 0; i < 50 && !port; ++i) port = BrowserPort::open(addresses, limits);
  EXPECT_TRUE(port) << port.error().sentence;
  return std::move(*port);
}

class BrowsersOnLoopback : public ::testing::TestWithParam<std::tuple<bool, const char*>> {
 protected:
  static BrowserPort open_port(BrowserPortLimits limits = {}) {
    return opened(with_dual_stack({IpAddress::v4(0), 0}), limits);
  }
  void start(BrowserPortLimits limits = {}) {
    auto side = std::make_unique<BrowserSide>(
        BrowserSide{open_port(limits), std::move(*webrtc::DtlsContext::make(certificate))});
    port = side->port.port();
    MediaLoopSettings s;
    s.range = {port, static_cast<std::uint16_t>(port + 1)};  // no pair of it is ever opened
    loop.emplace(
        s, clock,
        [this](std::vector<media::Event>&& events) {
          const std::lock_guard lock(mutex);
          for (auto& e : events) told.push_back(std::move(e));
        },
        std::move(side));
  }
  void open_session() {
    loop->push(SessionCommand{media::OpenSession{kSession, credentials("ours")}});
    loop->push(SessionCommand{media::SetSessionRemote{
        kSession, {credentials("theirs"), {browser_context.fingerprint()}, webrtc::DtlsRole::kServer}}});
  }
  void serve(Line& line, Duration patience = 50ms) {
    const Endpoint here{};
    while (auto out = peer.poll()) line.send(out->bytes);
    if (auto bytes = line.receive(patience)) peer.receive(here, *bytes, clock.now());
    peer.tick(clock.now());
  }
  template <typename Condition>
  bool until(Line& line, Condition condition) {
    const Instant end = clock.now() + kPatience;
    for (Instant checked; clock.now() < end; serve(line)) {
      if (condition()) return true;
      if (clock.now() - checked < 500ms) continue;
      checked = clock.now();
      peer.check({}, true);
    }
    return false;
  }
  template <typename T>
  std::optional<T> heard_of() {
    const std::lock_guard lock(mutex);
    for (const auto& e : told) {
      if (const auto* of_session = std::get_if<media::SessionEvent>(&e)) {
        if (const T* one = std::get_if<T>(of_session)) return *one;
      }
    }
    return std::nullopt;
  }

  Clock clock;
  webrtc::DtlsCertificate certificate = webrtc::test_certificate();
  webrtc::DtlsContext browser_context = webrtc::test_context();
  webrtc::TestPeer peer{browser_context, credentials("theirs")};
  std::uint16_t port = 0;
  std::mutex mutex;
  std::vector<media::Event> told;
  std::optional<MediaLoop> loop;
};

INSTANTIATE_TEST_SUITE_P(Ways, BrowsersOnLoopback,
                         ::testing::Combine(::testing::Bool(),
                                            ::testing::Values("127.0.0.1", "127.0.0.7", "::1")),
                         [](const auto& given) {
                           const std::string name = std::get<1>(given.param);
                           return std::string(std::get<0>(given.param) ? "Tcp" : "Udp") +
                                  (name == "::1"        ? "6"
                                   : name.back() == '7' ? "4SecondAddress"
                                                        : "4");
                         });

TEST_P(BrowsersOnLoopback, ConnectAndHearTheirEcho) {
  const auto [tcp, address] = GetParam();
  const IpAddress server = *IpAddress::parse(address);
  if (server.is_v6() && with_dual_stack({IpAddress::v4(0), 0}).size() == 1) GTEST_SKIP() << "no IPv6 here";
  start();
  peer.set_remote({credentials("ours"),
                   {webrtc::DtlsContext::make(certificate)->fingerprint()},
                   webrtc::DtlsRole::kClient});
  open_session();
  // A connected socket takes answers only from the address it wrote to.
  Line line{{server, port}, tcp, server.is_v4() ? IpAddress::v4(0x7F000001) : server};
  ASSERT_TRUE(until(line, [&] { return peer.connected() && heard_of<media::SessionConnected>(); }));
  EXPECT_EQ(heard_of<media::SessionConnected>()->protocol,
            tcp ? webrtc::Protocol::kTcp : webrtc::Protocol::kUdp);
  loop->push(AttachLeg{MediaLegId{1}, kSession});
  loop->push(media::Echo{MediaLegId{1}});
  std::uint16_t sequence = 0;
  EXPECT_TRUE(until(line, [&] {
    line.send(peer.sealed(++sequence));
    return !peer.heard.empty();
  }));
  loop->push(SessionCommand{media::CloseSession{kSession}});
  EXPECT_TRUE(until(line, [&] { return peer.dtls()->state() == webrtc::DtlsEndpoint::State::kEnded; }));
}

TEST_F(BrowsersOnLoopback, AStreamThatProvesNothingIsClosed) {
  BrowserPortLimits limits;
  limits.stream_proof = 1s;
  start(limits);
  Line line{{IpAddress::v4(0x7F000001), port}, true, IpAddress::v4(0x7F000001)};
  line.send(check());
  EXPECT_FALSE(line.receive(kPatience));
  EXPECT_TRUE(line.closed);
}

TEST_F(BrowsersOnLoopback, WhatNoBrowserSendsEndsTheStream) {
  start();
  const Endpoint server{IpAddress::v4(0x7F000001), port};
  Bytes then_empty = frames(check(), 1);
  then_empty.insert(then_empty.end(), {0, 0});
  for (const Bytes& bytes :
       {Bytes{0, 0}, frames(Bytes(40, 0x17), 1), frames(Bytes(2'000, 1), 1), then_empty}) {
    Line line{server, true, server.ip};
    line.send_as_is(bytes);
    EXPECT_FALSE(line.receive(kPatience));
    EXPECT_TRUE(line.closed) << bytes.size();
  }
}

TEST_F(BrowsersOnLoopback, StreamsAreBounded) {
  BrowserPortLimits limits;
  limits.streams_per_address = 2;
  start(limits);
  const Endpoint server{IpAddress::v4(0x7F000001), port};
  Line first{server, true, server.ip};
  Line second{server, true, server.ip};
  Line third{server, true, server.ip};
  EXPECT_FALSE(third.receive(kPatience));
  EXPECT_TRUE(third.closed);
  EXPECT_FALSE(first.receive(10ms));
  EXPECT_FALSE(first.closed || second.closed);
}

TEST_F(BrowsersOnLoopback, WhoOnlyTakesUpPlacesLosesThemToWhoComes) {
  BrowserPortLimits limits;
  limits.streams = 3;
  limits.stream_proof = limits.scarce_stream_proof = 1h;
  start(limits);
  const Endpoint server{IpAddress::v4(0x7F000001), port};
  peer.set_remote({credentials("ours"),
                   {webrtc::DtlsContext::make(certificate)->fingerprint()},
                   webrtc::DtlsRole::kClient});
  open_session();
  Line browser{server, true, server.ip};
  ASSERT_TRUE(until(browser, [&] { return peer.connected(); }));
  Line older{server, true, server.ip};
  Line newer{server, true, server.ip};
  Line next{server, true, server.ip};
  EXPECT_FALSE(older.receive(kPatience));
  EXPECT_TRUE(older.closed);
  EXPECT_FALSE(newer.receive(10ms) || next.receive(10ms));
  EXPECT_FALSE(newer.closed || next.closed);
  loop->push(AttachLeg{MediaLegId{1}, kSession});
  loop->push(media::Echo{MediaLegId{1}});
  std::uint16_t sequence = 0;
  EXPECT_TRUE(until(browser, [&] {
    browser.send(peer.sealed(++sequence));
    return !peer.heard.empty();
  })) << "the one that proved itself stays";
}

TEST_F(BrowsersOnLoopback, APortInUseIsSaidInWords) {
  const BrowserPort first = open_port();
  const Endpoint taken{IpAddress::v4(0), first.port()};
  const auto second = BrowserPort::open(std::span{&taken, 1});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().sentence.find("in use"), std::string::npos);
}

// Many small frames at once: none is lost, and none waits for the next to come.
TEST(BrowserPort, ABurstOfFramesBeyondOneBatchIsReadWhole) {
  const Endpoint any{IpAddress::v4(0x7F000001), 0};
  BrowserPort port = opened({any});
  Line line{{any.ip, port.port()}, true, any.ip};
  Bytes burst = frames(check(), 1);
  constexpr std::size_t kFrames = 500;
  for (std::size_t i = 0; i < kFrames; ++i) burst.insert(burst.end(), {0, 1, static_cast<std::uint8_t>(i)});
  line.send_as_is(burst);
  Clock clock;
  std::size_t got = 0;
  bool begun = false;
  for (const Instant end = clock.now() + kPatience; got < kFrames && clock.now() < end;) {
    pollfd ready{port.descriptor(), POLLIN, 0};
    if (!port.has_more()) ::poll(&ready, 1, 100);
    for (const auto& packet : port.receive(clock.now())) {
      if (!std::exchange(begun, true)) continue;
      ASSERT_EQ(packet.size, 1U);
      ASSERT_EQ(packet.buffer[0], static_cast<std::uint8_t>(got++));
    }
  }
  EXPECT_EQ(got, kFrames);
}

// More than one system call takes, and in the middle one that cannot be sent: nobody else's voice goes with
// it.
TEST(BrowserPort, WhatCannotBeSentTakesNothingElseWithIt) {
  const Endpoint any{IpAddress::v4(0x7F000001), 0};
  BrowserPort port = opened({any});
  BrowserPort listener = opened({any});
  constexpr std::uint8_t kPackets = BrowserPort::kBatch + 10;
  constexpr std::uint8_t kToNowhere = 5;
  std::array<std::array<std::uint8_t, 1>, kPackets> payloads{};
  std::vector<media::OutPacket> packets;
  for (std::uint8_t i = 0; i < kPackets; ++i) {
    payloads[i] = {i};
    const Endpoint to{any.ip, i == kToNowhere ? std::uint16_t{0} : listener.port()};
    packets.push_back({media::kSessionPort, to, payloads[i], any.ip});
  }
  EXPECT_EQ(port.send_all(packets), kPackets - 1U);
  Clock clock;
  Bytes came;
  for (const Instant end = clock.now() + kPatience; came.size() < kPackets - 1U && clock.now() < end;) {
    pollfd ready{listener.descriptor(), POLLIN, 0};
    ::poll(&ready, 1, 100);
    for (const auto& packet : listener.receive(clock.now())) came.push_back(packet.buffer[0]);
  }
  Bytes expected;
  for (std::uint8_t i = 0; i < kPackets; ++i) {
    if (i != kToNowhere) expected.push_back(i);
  }
  EXPECT_EQ(came, expected);
}

// Until what was sent before has arrived: the kernel takes what goes over loopback in order.
void await_loopback() {
  const Descriptor here{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  sockaddr_storage address{};
  socklen_t length = to_sockaddr({IpAddress::v4(0x7F000001), 0}, address);
  EXPECT_EQ(::bind(here.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  EXPECT_EQ(::getsockname(here.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  EXPECT_EQ(::sendto(here.get(), "x", 1, 0, reinterpret_cast<sockaddr*>(&address), length), 1);
  pollfd ready{here.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&ready, 1, 60'000), 1);
}

// The check of whoever talks over UDP is among the very next packets, whatever comes over TCP.
TEST(BrowserPort, AFloodOverTcpLeavesRoomForDatagramsAndForOtherStreams) {
  const Endpoint any{IpAddress::v4(0x7F000001), 0};
  BrowserPort port = opened({any});
  const Endpoint server{any.ip, port.port()};
  std::vector<std::unique_ptr<Line>> floods;
  for (int i = 0; i < 20; ++i) {
    floods.push_back(std::make_unique<Line>(server, true, any.ip));
    floods.back()->send_as_is(frames(check(), 1));
    floods.back()->send_as_is(frames({1}, 5'000));
  }
  Line other{server, true, any.ip};
  Line datagrams{server, false, any.ip};
  Clock clock;
  const Instant end = clock.now() + kPatience;
  std::map<std::uint64_t, std::size_t> of_stream;
  while (of_stream.size() < floods.size() && clock.now() < end) {
    for (const auto& packet : port.receive(clock.now())) ++of_stream[packet.path.stream];
  }
  ASSERT_TRUE(port.has_more());
  other.send_as_is(frames(check(), 1));
  of_stream.clear();
  for (int round = 0; round < 50; ++round) {
    datagrams.send(check());
    await_loopback();
    std::size_t over_udp = 0;
    std::map<std::uint64_t, std::size_t> here;
    for (const auto& packet : port.receive(clock.now())) {
      over_udp += packet.path.stream == 0 ? 1 : 0;
      ++here[packet.path.stream];
    }
    EXPECT_EQ(over_udp, 1U) << "round " << round;
    for (const auto& [stream, count] : here) {
      EXPECT_LE(count, 8U) << "round " << round << ", stream " << stream;
      of_stream[stream] += count;
    }
  }
  EXPECT_EQ(of_stream.size(), floods.size() + 2);  // the flooding ones, the other one, UDP
}

TEST(DtlsCertificate, IsMadeOnceAndKeptAndMadeAnewWhenDamaged) {
  const auto directory =
      std::filesystem::temp_directory_path() / ("bellwire-dtls-" + std::to_string(::getpid()));
  std::filesystem::create_directories(directory);
  const Instant now = Clock{}.now();
  const auto first = dtls_certificate(directory, now);
  ASSERT_TRUE(first) << first.error();
  const auto again = dtls_certificate(directory, now);
  EXPECT_EQ(again->certificate, first->certificate);
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(directory / "dtls.key").permissions(),
            perms::owner_read | perms::owner_write);
  std::filesystem::resize_file(directory / "dtls.pem", 20);
  const auto fresh = dtls_certificate(directory, now);
  ASSERT_TRUE(fresh);
  EXPECT_NE(fresh->certificate, first->certificate);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace bw::io
