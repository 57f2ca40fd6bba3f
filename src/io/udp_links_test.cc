// Real datagrams on loopback.
#include "io/udp_links.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <memory>
#include <thread>

#include "io/clock.h"
#include "io/entropy.h"
#include "io/inbox.h"

namespace bw::io {
namespace {

const IpAddress kLoopback = IpAddress::v4(0x7F000001);

UdpLinks opened(std::vector<Endpoint> addresses) {
  auto links = UdpLinks::open(addresses);
  EXPECT_TRUE(links.has_value()) << (links ? "" : links.error().sentence);
  return std::move(*links);
}

bool readable(int fd) {
  pollfd p{fd, POLLIN, 0};
  return ::poll(&p, 1, 60'000) == 1;
}

sip::Transmit transmit(const Endpoint& local, const Endpoint& remote, std::string bytes) {
  return {{sip::Transport::kUdp, {}, local, remote}, std::make_shared<const std::string>(std::move(bytes))};
}

TEST(UdpLinks, AnswerLeavesFromTheAddressThatWasReached) {
  // Linux accepts all of 127/8 as local, so a wildcard socket has many addresses here.
  auto server = opened({{IpAddress::v4(0), 0}});
  auto client = opened({{kLoopback, 0}});
  const Endpoint reached{IpAddress::v4(0x7F000009), server.bound(0).port};
  std::vector<sip::Flow> failed;
  client.queue(transmit(client.bound(0), reached, "question"));
  client.flush(failed);
  ASSERT_TRUE(readable(server.descriptor(0)));
  const auto got = server.receive(0);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].bytes, "question");
  EXPECT_EQ(got[0].local, reached);
  EXPECT_EQ(got[0].remote, client.bound(0));
  server.queue(transmit(got[0].local, got[0].remote, "answer"));
  server.flush(failed);
  ASSERT_TRUE(readable(client.descriptor(0)));
  const auto back = client.receive(0);
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].remote, reached);
  EXPECT_TRUE(failed.empty());
}

TEST(UdpLinks, AnswersOverIpv6FromTheReachedAddress) {
  const auto any = with_dual_stack({IpAddress::v4(0), 0});
  if (any.size() < 2) GTEST_SKIP() << "this system has no IPv6";
  auto server = opened(any);
  const Endpoint loopback6{*IpAddress::parse("::1"), 0};
  auto client = opened({loopback6});
  std::vector<sip::Flow> failed;
  client.queue(transmit({}, {loopback6.ip, server.bound(1).port}, "six"));
  client.flush(failed);
  ASSERT_TRUE(readable(server.descriptor(1)));
  const auto got = server.receive(1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].local, (Endpoint{loopback6.ip, server.bound(1).port}));
  server.queue(transmit(got[0].local, got[0].remote, "back"));
  server.flush(failed);
  ASSERT_TRUE(readable(client.descriptor(0)));
  EXPECT_EQ(client.receive(0)[0].bytes, "back");
}

TEST(UdpLinks, ManyDatagramsTravelInBatchesAndKeepTheirOrder) {
  auto server = opened({{kLoopback, 0}});
  auto client = opened({{kLoopback, 0}});
  std::vector<sip::Flow> failed;
  for (int i = 0; i < 200; ++i) {
    client.queue(transmit(client.bound(0), server.bound(0), std::to_string(i)));
  }
  client.flush(failed);
  int next = 0;
  while (next < 200 && readable(server.descriptor(0))) {
    const auto batch = server.receive(0);
    ASSERT_LE(batch.size(), UdpLinks::kBatch);
    for (const auto& d : batch) EXPECT_EQ(d.bytes, std::to_string(next++));
  }
  EXPECT_EQ(next, 200);
}

TEST(UdpLinks, UnreachablePeerIsReportedAndDoesNotHoldUpTheOthers) {
  auto sender = opened({{kLoopback, 0}});
  auto receiver = opened({{kLoopback, 0}});
  std::vector<sip::Flow> failed;
  const Endpoint too_large = receiver.bound(0);
  sender.queue(transmit({}, too_large, std::string(70'000, 'x')));
  sender.queue(transmit({}, {*IpAddress::parse("2001:db8::1"), 5060}, "no socket of that family"));
  sender.queue(transmit({}, receiver.bound(0), "arrives"));
  sender.flush(failed);
  EXPECT_EQ(failed.size(), 2u);
  ASSERT_TRUE(readable(receiver.descriptor(0)));
  EXPECT_EQ(receiver.receive(0)[0].bytes, "arrives");
}

TEST(UdpLinks, PortInUseIsNamedWithWhatToDo) {
  auto first = opened({{kLoopback, 0}});
  const auto second = UdpLinks::open(std::vector{first.bound(0)});
  ASSERT_FALSE(second.has_value());
  const std::string& said = second.error().sentence;
  EXPECT_NE(said.find("UDP " + first.bound(0).to_string()), std::string::npos) << said;
  EXPECT_NE(said.find("in use"), std::string::npos) << said;
  EXPECT_NE(said.find("ss -lpn"), std::string::npos) << said;
}

TEST(Inbox, WakesTheReaderOnceForABurstAndRefusesBeyondItsCapacity) {
  Inbox<int> inbox(3);
  std::jthread writer([&] {
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(inbox.push(int{i}));
    EXPECT_FALSE(inbox.push(3));
    inbox.push_always(4);
  });
  writer.join();
  ASSERT_TRUE(readable(inbox.descriptor()));
  std::vector<int> got;
  inbox.take(got);
  EXPECT_EQ(got, (std::vector{0, 1, 2, 4}));
  pollfd p{inbox.descriptor(), POLLIN, 0};
  EXPECT_EQ(::poll(&p, 1, 0), 0);
}

TEST(KernelRng, NeverHandsOutTheSameBytesTwice) {
  KernelRng rng;
  std::vector<std::string> tokens;
  for (int i = 0; i < 200; ++i) tokens.push_back(rng.token(16));
  std::ranges::sort(tokens);
  EXPECT_EQ(std::ranges::adjacent_find(tokens), tokens.end());
  std::vector<std::byte> large(4'000);
  rng.fill(large);
  EXPECT_NE(std::vector<std::byte>(large.begin(), large.begin() + 256),
            std::vector<std::byte>(large.begin() + 256, large.begin() + 512));
}

TEST(Clock, RunsWithTheWallAndNeverBackwards) {
  const Clock clock;
  const auto wall = [] { return std::chrono::system_clock::now().time_since_epoch(); };
  const auto before = wall();
  const Instant first = clock.now();
  EXPECT_GE(clock.now(), first);
  EXPECT_GT(first.since_epoch(), before - 1s);
  EXPECT_LT(first.since_epoch(), wall() + 1s);
}

}  // namespace
}  // namespace bw::io
