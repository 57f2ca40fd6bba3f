#include "io/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

#include "io/descriptor.h"
#include "io/socket_address.h"

namespace bw::io {
namespace {

using testing::HasSubstr;

// A server on loopback whose answer to each connection is a function; one thread, one connection at a time.
class Server {
 public:
  using Serve = std::function<void(int socket)>;
  explicit Server(Serve serve)
      : serve_(std::move(serve)), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage address{};
    const socklen_t length = to_sockaddr({IpAddress::v4(0x7f000001), 0}, address);
    ::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), length);
    ::listen(socket_.get(), 16);
    socklen_t size = sizeof address;
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = from_sockaddr(address).port;
    thread_ = std::thread([this] { run(); });
  }
  ~Server() {
    stop_ = true;
    thread_.join();
  }
  std::string url(const std::string& path = "/hook") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  int port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void run() {
    while (!stop_) {
      pollfd wait{socket_.get(), POLLIN, 0};
      if (::poll(&wait, 1, 20) != 1) continue;
      const Descriptor peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      ++connections_;
      const timeval patience{0, 20'000};  // so that the end of the test is noticed
      ::setsockopt(peer.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      serve_(peer.get());
    }
  }
  Serve serve_;
  Descriptor socket_;
  int port_ = 0;
  std::atomic<bool> stop_ = false;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

void say(int socket, std::string_view text) {
  while (!text.empty()) {
    const auto n = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

// One request, its body included (its length is `body`); empty: the peer is gone.
std::string hear(int socket, std::size_t body) {
  std::string text;
  std::array<char, 4096> part{};
  for (int quiet = 0; quiet < 500;) {
    const auto end = text.find("\r\n\r\n");
    if (end != text.npos && text.size() >= end + 4 + body) return text;
    const auto n = ::recv(socket, part.data(), part.size(), 0);
    if (n > 0) text.append(part.data(), static_cast<std::size_t>(n));
    if (n == 0) return {};
    if (n < 0) ++quiet;
  }
  return {};
}

Server::Serve answering(std::string answer) {
  return [answer = std::move(answer)](int socket) {
    if (!hear(socket, 2).empty()) say(socket, answer);
  };
}

http::Call call_to(std::string url, Duration timeout = 20s) {
  http::Call call;
  call.id = 7;
  call.url = std::move(url);
  call.headers = Secret(std::vector<std::string>{"X-One: 1"});
  call.body = "{}";
  call.timeout = timeout;
  return call;
}

std::vector<Network> loopback() {
  return {Network::parse("127.0.0.0/8").value()};
}

http::Outcome outcome_of(HttpClient& client, http::Call&& call) {
  client.start(std::move(call));
  for (int i = 0; i < 3'000; ++i) {
    client.wait(10ms);
    auto finished = client.take_finished();
    if (!finished.empty()) return finished.front();
  }
  ADD_FAILURE() << "no outcome";
  return {};
}

http::Outcome outcome_from(const Server& server, Duration timeout = 20s) {
  HttpClient client;
  client.allow(loopback());
  return outcome_of(client, call_to(server.url(), timeout));
}

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST(HttpClient, PostsAndKeepsTheConnection) {
  std::mutex mutex;
  std::vector<std::string> heard;
  Server server([&](int socket) {
    for (;;) {
      std::string text = hear(socket, 2);
      if (text.empty()) return;
      {
        const std::scoped_lock lock(mutex);
        heard.push_back(std::move(text));
      }
      say(socket, kOk);
    }
  });
  {
    HttpClient client;
    client.allow(loopback());
    for (int i = 0; i < 3; ++i) {
      const auto outcome = outcome_of(client, call_to(server.url("/a?b=c")));
      EXPECT_EQ(outcome.status, 200) << outcome.error;
      EXPECT_EQ(outcome.id, 7U);
      EXPECT_EQ(outcome.excerpt, "ok");
    }
  }
  EXPECT_EQ(server.connections(), 1);
  const std::scoped_lock lock(mutex);
  ASSERT_EQ(heard.size(), 3U);
  EXPECT_THAT(heard[2], testing::StartsWith("POST /a?b=c HTTP/1.1\r\n"));
  EXPECT_THAT(heard[2], HasSubstr("X-One: 1\r\n"));
  EXPECT_THAT(heard[2], testing::EndsWith("\r\n\r\n{}"));
}

TEST(HttpClient, ARedirectIsAnAnswerAndNotFollowed) {
  Server inner(answering(kOk));
  Server server(
      answering("HTTP/1.1 302 Found\r\nLocation: " + inner.url() + "\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(outcome_from(server).status, 302);
  EXPECT_EQ(inner.connections(), 0);
}

TEST(HttpClient, LoopbackInAnySpellingIsRefusedAndNothingConnects) {
  Server server(answering(kOk));
  const std::string port = ":" + std::to_string(server.port());
  for (const std::string host :
       {"127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1", "127.1", "0", "[::1]",
        "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
        "169.254.169.254", "[fe80::1]", "[fd00::1]", "192.168.0.1", "10.0.0.1"}) {
    HttpClient client;
    const auto outcome = outcome_of(client, call_to("http://" + host + port + "/"));
    EXPECT_EQ(outcome.status, 0) << host;
    // A system without a route for such addresses does not get as far as a socket.
    EXPECT_THAT(outcome.error, HasSubstr("webhooks.allow_networks does not name it")) << host;
  }
  EXPECT_EQ(server.connections(), 0);
}

TEST(HttpClient, AKeptConnectionIsRefusedOnceItsNetworkIsNoLongerAllowed) {
  std::atomic<int> requests = 0;
  Server server([&](int socket) {
    while (!hear(socket, 2).empty()) {
      ++requests;
      say(socket, kOk);
    }
  });
  HttpClient client;
  client.allow(loopback());
  EXPECT_EQ(outcome_of(client, call_to(server.url())).status, 200);
  client.allow({});
  const auto outcome = outcome_of(client, call_to(server.url()));
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.error, HasSubstr("a loopback address"));
  EXPECT_EQ(requests, 1);
}

TEST(HttpClient, ARefusalIsToldAtOnceThoughNoSocketWakesAnybody) {
  HttpClient client;
  client.start(call_to("http://127.0.0.1:9/"));
  const auto before = std::chrono::steady_clock::now();
  client.wait(60s);
  EXPECT_EQ(client.take_finished().size(), 1U);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 30s);
}

TEST(HttpClient, OtherProtocolsAreNotSpoken) {
  HttpClient client;
  client.allow(loopback());
  for (const auto* url :
       {"file:///etc/passwd", "gopher://127.0.0.1:1/", "ftp://127.0.0.1/", "dict://127.0.0.1:1/"}) {
    const auto outcome = outcome_of(client, call_to(url));
    EXPECT_EQ(outcome.status, 0) << url;
    EXPECT_FALSE(outcome.error.empty());
  }
}

TEST(HttpClient, TheProxyOfTheEnvironmentIsNotAsked) {
  Server proxy(answering(kOk));
  Server server(answering("HTTP/1.1 204 No Content\r\n\r\n"));
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  const auto outcome = outcome_from(server);
  ::unsetenv("http_proxy");
  EXPECT_EQ(outcome.status, 204) << outcome.error;
  EXPECT_EQ(proxy.connections(), 0);
}

TEST(HttpClient, SilenceEndsWithTheTimeout) {
  Server server([](int socket) { hear(socket, 1'000'000); });
  const auto outcome = outcome_from(server, 200ms);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.error, "The receiver did not answer within 200 ms.");
}

TEST(HttpClient, AnAnswerInDropsEndsWithTheTimeout) {
  Server server([](int socket) {
    if (hear(socket, 2).empty()) return;
    say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    std::array<char, 1> end{};
    for (int i = 0; i < 500; ++i) {
      say(socket, "x");
      if (::recv(socket, end.data(), end.size(), 0) == 0) return;
    }
  });
  EXPECT_EQ(outcome_from(server, 300ms).status, 0);
}

TEST(HttpClient, AnEndlessBodyIsCutOffAndItsStatusCounts) {
  Server server([](int socket) {
    if (hear(socket, 2).empty()) return;
    say(socket, "HTTP/1.1 200 OK\r\n\r\n");
    const std::string part(65'536, 'a');
    for (int i = 0; i < 64; ++i) say(socket, part);
  });
  const auto outcome = outcome_from(server);
  EXPECT_EQ(outcome.status, 200) << outcome.error;
  EXPECT_EQ(outcome.excerpt.size(), 1'024U);
}

TEST(HttpClient, EndlessHeadersAreCutOff) {
  Server server([](int socket) {
    if (hear(socket, 2).empty()) return;
    for (int i = 0; i < 5'000; ++i) say(socket, "HTTP/1.1 100 Continue\r\nX-Filler: 0123456789\r\n\r\n");
  });
  const auto outcome = outcome_from(server);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.error, "The receiver answered with more than is read of an answer.");
}

TEST(HttpClient, AResetAndAnEmptyAnswerAreFailuresThatSaySo) {
  Server resets([](int socket) {
    hear(socket, 2);
    const linger hard{1, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  });
  EXPECT_THAT(outcome_from(resets).error, HasSubstr("broke the connection"));
  Server closes([](int socket) { hear(socket, 2); });
  EXPECT_EQ(outcome_from(closes).error, "The receiver closed the connection without an answer.");
}

TEST(HttpClient, WhatIsNotHttpIsAFailure) {
  Server server(answering("SSH-2.0-OpenSSH_9.2\r\n"));
  const auto outcome = outcome_from(server);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_FALSE(outcome.error.empty());
}

TEST(HttpClient, RetryAfterAndAnExcerptOfBytesThatAreNoText) {
  Server server(answering("HTTP/1.1 503 Busy\r\nRetry-After: 17\r\nContent-Length: 4\r\n\r\n" +
                          std::string("a\xff\0b", 4)));
  const auto outcome = outcome_from(server);
  EXPECT_EQ(outcome.status, 503);
  EXPECT_EQ(outcome.retry_after, std::chrono::seconds(17));
  EXPECT_EQ(outcome.excerpt, "a??b");
}

TEST(HttpClient, ManyAtOnceAndDestructionInTheMiddle) {
  Server server([](int socket) { hear(socket, 1'000'000); });
  HttpClient client;
  client.allow(loopback());
  for (int i = 0; i < 50; ++i) client.start(call_to(server.url()));
  client.wait(10ms);
  EXPECT_EQ(client.under_way(), 50U);
}

}  // namespace
}  // namespace bw::io
