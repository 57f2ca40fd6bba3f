// HTTP as the front speaks it to clients good and bad, and connections that stay open.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "io/front_fixture.h"

namespace bw::io {
namespace {

class FrontHttp : public FrontTest {
 protected:
  // The answer to this request on a connection of its own, headers and all.
  std::string answer_to(const std::string& request, std::string_view until = "\r\n\r\n") {
    TestClient client(http());
    client.send(request);
    return client.receive_until(until);
  }
};

TEST_F(FrontHttp, ChunkedBodiesArriveWholeAndTrailersAreNoHeaders) {
  network_ = [](http::Request&& request, http::Respond respond) {
    respond({200, "got " + request.body + std::string{request.header("x-late")} + ".", "text/plain", {}});
  };
  start();
  EXPECT_NE(
      answer_to("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;a=b\r\nde\r\n"
                "0\r\nX-Late: evil\r\n\r\n",
                "got abcde.")
          .find("got abcde."),
      std::string::npos);
}

TEST_F(FrontHttp, ChunkedBodiesHaveTheSameLimit) {
  StreamLimits limits;
  limits.http_body_bytes = 1'000;
  start(limits);
  std::string chunks;
  for (int i = 0; i < 30; ++i) chunks += "32\r\n" + std::string(50, 'x') + "\r\n";
  EXPECT_NE(
      answer_to("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks).find(" 413 "),
      std::string::npos);
  EXPECT_NE(answer_to("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").find(" 400 "),
            std::string::npos);
  EXPECT_NE(answer_to("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;" +
                      std::string(60'000, 'y'))
                .find(" 431 "),
            std::string::npos);
}

TEST_F(FrontHttp, SmugglingShapesAreRefusedAndTheConnectionEnds) {
  start();
  for (const std::string head :
       {"Content-Length: 3\r\nContent-Length: 3\r\n", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "X: a\r\n b\r\n", "X: a\nY: b\r\n", "Content-Length : 3\r\n"}) {
    TestClient client(http());
    client.send("POST /first HTTP/1.1\r\nHost: x\r\n" + head +
                "\r\nabcGET /second HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::string answer = client.receive_until("GET /second");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << head << answer;
    EXPECT_EQ(answer.find("network"), std::string::npos) << head << answer;
    EXPECT_TRUE(client.closed_by_peer());
  }
}

TEST_F(FrontHttp, ContinueIsSaidToWhoWaitsForIt) {
  start();
  TestClient client(http());
  ASSERT_TRUE(
      client.send("POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"));
  EXPECT_EQ(client.receive_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(client.send("body"));
  EXPECT_NE(client.receive_until("network POST /a? body").find(" 200 "), std::string::npos);
  // Who would send too much is told before it sends.
  EXPECT_TRUE(
      answer_to("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n")
          .starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(answer_to("POST / HTTP/1.1\r\nHost: x\r\nExpect: more\r\nContent-Length: 4\r\n\r\n")
                  .starts_with("HTTP/1.1 417 "));
}

TEST_F(FrontHttp, HeadHasTheHeadersOfGetAndNoBody) {
  start();
  TestClient client(http());
  ASSERT_TRUE(client.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n"));
  const std::string both = client.receive_until("network GET /b? ");
  EXPECT_NE(both.find("Content-Length: 17\r\n"), std::string::npos) << both;
  EXPECT_EQ(both.find("network HEAD"), std::string::npos) << both;
}

TEST_F(FrontHttp, EveryAnswerHasTheSecurityHeaders) {
  start();
  for (const std::string request :
       {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "nonsense\r\n\r\n"}) {
    const std::string answer = answer_to(request);
    for (const char* header :
         {"X-Content-Type-Options: nosniff", "frame-ancestors 'none'", "Referrer-Policy: no-referrer",
          "Permissions-Policy: microphone=(self)", "Content-Security-Policy: default-src 'self'", "Date: "}) {
      EXPECT_NE(answer.find(header), std::string::npos) << header << "\n" << answer;
    }
    EXPECT_EQ(answer.find("unsafe-inline"), std::string::npos);
  }
}

TEST_F(FrontHttp, AbsoluteTargetsAndHttp10AreTaken) {
  start();
  EXPECT_NE(answer_to("GET http://pbx/a?b HTTP/1.1\r\nHost: pbx\r\n\r\n", "/a?b").find("network GET /a?b"),
            std::string::npos);
  TestClient old(http());
  ASSERT_TRUE(old.send("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  EXPECT_NE(old.receive_until("network GET /old").find(" 200 "), std::string::npos);
  EXPECT_TRUE(old.closed_by_peer());
}

TEST_F(FrontHttp, SlowHeadersBodiesAndReadersAreSentAwayOthersNot) {
  StreamLimits limits;
  // Long enough for the honest one to ask in time, on a machine that is busy.
  limits.http_header = limits.http_body = limits.stalled = 3s;
  limits.sweep = 20ms;
  network_ = [](http::Request&& request, http::Respond respond) {
    respond({200, std::string(request.path == "/large" ? 8'000'000 : 10, 'x'), "text/plain", {}});
  };
  limits.slowest_reader = 40'000'000;
  start(limits);
  std::atomic<bool> dripping = true;
  TestClient head(http());
  TestClient body(http());
  ASSERT_TRUE(head.send("GET / HTTP/1.1\r\nHost: x\r\n"));
  ASSERT_TRUE(body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"));
  // A byte now and then buys no time.
  std::thread drip([&] {
    while (dripping) {
      head.send("X: y\r\n");
      body.send("z");
      std::this_thread::sleep_for(20ms);
    }
  });
  TestClient reader(http());
  ASSERT_TRUE(reader.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
  TestClient honest(http());
  ASSERT_TRUE(honest.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_NE(honest.receive_until("xxxxxxxxxx").find(" 200 "), std::string::npos);
  for (int i = 0; i < 6'000 && front_->counters().timed_out < 3; ++i) std::this_thread::sleep_for(10ms);
  dripping = false;
  drip.join();
  EXPECT_EQ(front_->counters().timed_out, 3u);
  EXPECT_TRUE(head.closed_by_peer());
  EXPECT_TRUE(body.closed_by_peer());
  EXPECT_TRUE(reader.closed_by_peer());
}

// ---- connections that stay open ----

// Remembers what happens to it, and lets the test speak.
struct Talk {
  std::atomic<http::Channel*> channel = nullptr;
  std::atomic<int> ended = 0;
  std::atomic<int> drained = 0;
  std::atomic<bool> refused = false;
};

class Talking final : public http::Conversation {
 public:
  explicit Talking(Talk& talk) : talk_(talk) {}
  void opened(http::Channel& channel) override {
    channel.tell(std::make_shared<const std::string>("data: hello\n\n"));
    talk_.channel = &channel;
  }
  void received(std::string&& text) override {
    (*talk_.channel).tell(std::make_shared<const std::string>("echo " + text));
  }
  void drained() override { ++talk_.drained; }
  void ended() override {
    talk_.channel = nullptr;
    ++talk_.ended;
  }

 private:
  Talk& talk_;
};

class FrontStays : public FrontHttp {
 protected:
  void SetUp() override {
    network_ = [this](http::Request&& request, http::Respond respond) {
      http::Response response;
      if (request.web_socket && request.header("origin") == "https://evil.example") {
        response.status = 403;
        return respond(std::move(response));
      }
      response.content_type = "text/event-stream";
      response.stays = std::make_unique<Talking>(talk_);
      response.subprotocol = "talk.v1";
      respond(std::move(response));
    };
  }
  template <typename Condition>
  bool eventually(Condition condition) {
    for (int i = 0; i < 6'000 && !condition(); ++i) std::this_thread::sleep_for(10ms);
    return condition();
  }
  void say(std::string text) {
    front_->post([this, bytes = std::make_shared<const std::string>(std::move(text))] {
      if (http::Channel* c = talk_.channel) talk_.refused = !c->tell(bytes);
    });
  }

  Talk talk_;
};

TEST_F(FrontStays, EventsComeInChunksAndTheEndIsTold) {
  StreamLimits limits;
  limits.heartbeat = 50ms;
  limits.sweep = 20ms;
  start(limits);
  for (const bool secure : {false, true}) {
    talk_.ended = 0;
    {
      TestClient reader(secure ? https() : http(), secure);
      ASSERT_TRUE(reader.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n"));
      const std::string begin = reader.receive_until("data: hello\n\n");
      EXPECT_NE(begin.find("Transfer-Encoding: chunked"), std::string::npos) << begin;
      EXPECT_NE(begin.find("text/event-stream"), std::string::npos) << begin;
      EXPECT_NE(begin.find("\r\n\r\nd\r\ndata: hello\n\n"), std::string::npos) << begin;
      say("data: more\n\n");
      EXPECT_NE(reader.receive_until("more\n\n\r\n").find("c\r\ndata: more\n\n\r\n"), std::string::npos);
      // Heartbeats, of which a reader that is late finds several at once.
      EXPECT_TRUE(reader.receive_until("3\r\n:\n\n\r\n").starts_with("3\r\n:\n\n\r\n"));
    }
    EXPECT_TRUE(eventually([&] { return talk_.ended == 1; }));
  }
}

TEST_F(FrontStays, AReaderOfHttp10GetsTheBareBody) {
  start();
  TestClient reader(http());
  ASSERT_TRUE(reader.send("GET /events HTTP/1.0\r\n\r\n"));
  const std::string begin = reader.receive_until("data: hello\n\n");
  EXPECT_NE(begin.find("\r\n\r\ndata: hello\n\n"), std::string::npos) << begin;
  EXPECT_EQ(begin.find("chunked"), std::string::npos) << begin;
}

TEST_F(FrontStays, WebSocketTalksBothWaysAndClosesWithAReason) {
  start();
  for (const bool secure : {false, true}) {
    talk_.ended = 0;
    {
      TestClient browser(secure ? https() : http(), secure);
      ASSERT_TRUE(browser.send(TestClient::upgrade("/events", "talk.v1")));
      const std::string begin = browser.receive_until("data: hello\n\n");
      EXPECT_NE(begin.find("Sec-WebSocket-Protocol: talk.v1"), std::string::npos) << begin;
      EXPECT_TRUE(
          begin.ends_with("\x81\x0D"
                          "data: hello\n\n"))
          << begin;
      ASSERT_TRUE(browser.send(TestClient::frame("you")));
      EXPECT_EQ(browser.receive_frame(), "echo you");
      front_->post([this] { (*talk_.channel).close("enough"); });
      EXPECT_EQ(browser.receive_frame(),
                "\x03\xF0"
                "enough");  // 1008
      EXPECT_TRUE(browser.send(TestClient::frame("\x03\xF0", 8)));
    }
    EXPECT_TRUE(eventually([&] { return talk_.ended == 1; }));
  }
}

TEST_F(FrontStays, UpgradeCanBeRefusedWithAnAnswer) {
  start();
  TestClient browser(http());
  std::string upgrade = TestClient::upgrade("/events", "talk.v1");
  upgrade.insert(upgrade.size() - 2, "Origin: https://evil.example\r\n");
  ASSERT_TRUE(browser.send(upgrade));
  EXPECT_TRUE(browser.receive_until("\r\n\r\n").starts_with("HTTP/1.1 403 "));
}

TEST_F(FrontStays, OperatorsSocketStaysOpenToo) {
  start();
  TestClient reader((directory_.path / "control.sock").string());
  ASSERT_TRUE(reader.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_NE(reader.receive_until("data: hello\n\n").find("data: hello"), std::string::npos);
  TestClient socket((directory_.path / "control.sock").string());
  ASSERT_TRUE(socket.send(TestClient::upgrade("/events", "talk.v1")));
  const std::string begin = socket.receive_until("data: hello\n\n");
  EXPECT_TRUE(begin.starts_with("HTTP/1.1 101 ")) << begin;
  EXPECT_TRUE(begin.ends_with("data: hello\n\n")) << begin;
}

TEST_F(FrontStays, WhoDoesNotReadIsRefusedMoreAndHearsWhy) {
  StreamLimits limits;
  limits.write_queue_bytes = 200'000;
  start(limits);
  TestClient deaf(http());
  ASSERT_TRUE(deaf.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_TRUE(eventually([&] { return talk_.channel != nullptr; }));
  for (int i = 0; i < 5'000 && !talk_.refused; ++i) {
    say("data: " + std::string(50'000, 'x') + "\n\n");
    if (i % 20 == 0) std::this_thread::sleep_for(1ms);
  }
  ASSERT_TRUE(eventually([&] { return talk_.refused.load(); }));
  front_->post([this] { (*talk_.channel).close("too slow"); });
  // Nobody else waits for it.
  TestClient other(http());
  ASSERT_TRUE(other.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_FALSE(other.receive_until("data: hello\n\n").empty());
  const std::string last = deaf.receive_until("0\r\n\r\n");
  EXPECT_NE(last.find("event: closed\ndata: {\"reason\":\"too slow\"}\n\n"), std::string::npos)
      << last.substr(last.size() - std::min<std::size_t>(last.size(), 200));
  EXPECT_TRUE(deaf.closed_by_peer());
}

}  // namespace
}  // namespace bw::io
