// Real connections on loopback: SIP bytes in, SIP bytes out, and every limit.
#include "io/front.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <thread>

#include "io/front_fixture.h"

namespace bw::io {
namespace {

TEST_F(FrontTest, SipOverTcpComesBackOnTheSameConnection) {
  start();
  TestClient phone(tcp());
  ASSERT_TRUE(phone.send(kMessage));
  EXPECT_EQ(phone.receive(kMessage.size()), kMessage);
  ASSERT_EQ(sink_.flows.size(), 1u);
  EXPECT_EQ(sink_.flows[0].transport, sip::Transport::kTcp);
  EXPECT_EQ(sink_.flows[0].local, tcp());
  EXPECT_TRUE(sink_.flows[0].connection);
}

TEST_F(FrontTest, SipOverIpv6AndOverTlsComesBack) {
  start();
  TestClient six(front_->bound_sip_tcp()[1]);
  ASSERT_TRUE(six.send(kMessage));
  EXPECT_EQ(six.receive(kMessage.size()), kMessage);
  TestClient secure(tls(), true);
  ASSERT_TRUE(secure.connected());
  ASSERT_TRUE(secure.send(kMessage));
  EXPECT_EQ(secure.receive(kMessage.size()), kMessage);
  EXPECT_EQ(sink_.flows[1].transport, sip::Transport::kTls);
}

TEST_F(FrontTest, MessagesAreCutFromTheStreamHoweverItArrives) {
  start();
  sink_.answering = false;
  TestClient phone(tcp());
  const std::string three = std::string(kMessage) + std::string(kMessage) + std::string(kMessage);
  for (std::size_t i = 0; i < three.size(); i += 7) ASSERT_TRUE(phone.send(three.substr(i, 7)));
  EXPECT_TRUE(sink_.wait([&] { return sink_.messages.size() == 3; }));
  for (const std::string& m : sink_.messages) EXPECT_EQ(m, kMessage);
  ASSERT_TRUE(phone.send("\r\n\r\n"));
  EXPECT_EQ(phone.receive(2), "\r\n");  // RFC 5626 §3.5.1
}

TEST_F(FrontTest, WebSocketCarriesSip) {
  start();
  for (const bool secure : {false, true}) {
    TestClient browser(secure ? https() : http(), secure);
    ASSERT_TRUE(browser.send(TestClient::upgrade()));
    const std::string answer = browser.receive_until("\r\n\r\n");
    EXPECT_NE(answer.find(" 101 "), std::string::npos) << answer;
    EXPECT_NE(answer.find("Sec-WebSocket-Protocol: sip"), std::string::npos) << answer;
    EXPECT_NE(answer.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), std::string::npos) << answer;  // RFC 6455 §1.3
    ASSERT_TRUE(browser.send(TestClient::frame(kMessage)));
    EXPECT_EQ(browser.receive_frame(), kMessage);
    EXPECT_EQ(sink_.flows.back().transport, secure ? sip::Transport::kWss : sip::Transport::kWs);
    ASSERT_TRUE(browser.send(TestClient::frame("\r\n\r\n")));
    EXPECT_EQ(browser.receive_frame(), "\r\n");
  }
}

TEST_F(FrontTest, WebSocketNeedsItsPathAndItsSubprotocol) {
  start();
  TestClient wrong_path(http());
  ASSERT_TRUE(wrong_path.send(TestClient::upgrade("/other")));
  EXPECT_NE(wrong_path.receive_until("network GET /other").find("HTTP/1.1 200"), std::string::npos);
  TestClient wrong_protocol(http());
  ASSERT_TRUE(wrong_protocol.send(TestClient::upgrade("/sip", "chat")));
  EXPECT_NE(wrong_protocol.receive_until("}").find("400"), std::string::npos);
}

TEST_F(FrontTest, HttpRequestsReachTheHandlerOfTheirDoor) {
  start();
  TestClient web(http());
  // Two at once: pipelining.
  ASSERT_TRUE(web.send(
      "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\nPOST /d HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"));
  const std::string both = web.receive_until("network POST /d? body");
  EXPECT_NE(both.find("network GET /a?b=c "), std::string::npos) << both;
  EXPECT_NE(both.find("network POST /d? body"), std::string::npos) << both;
  TestClient secure(https(), true);
  ASSERT_TRUE(secure.send("GET /tls HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_NE(secure.receive_until("network GET /tls? ").find("200"), std::string::npos);
  TestClient local((directory_.path / "control.sock").string());
  ASSERT_TRUE(local.connected());
  ASSERT_TRUE(local.send("GET /api/status HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_NE(local.receive_until("operator /api/status").find("200"), std::string::npos);
}

TEST_F(FrontTest, ControlSocketIsForItsOwnerAlone) {
  start();
  struct stat s{};
  ASSERT_EQ(::stat((directory_.path / "control.sock").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777U, 0600U);
}

TEST_F(FrontTest, BadAndOversizedHttpIsRefusedInWords) {
  StreamLimits limits;
  limits.http_body_bytes = 1'000;
  start(limits);
  TestClient large(http());
  ASSERT_TRUE(
      large.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n" + std::string(5'000, 'x')));
  EXPECT_NE(large.receive_until("}").find("413"), std::string::npos);
  TestClient headers(http());
  ASSERT_TRUE(headers.send("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"));
  EXPECT_NE(headers.receive_until("}").find("431"), std::string::npos);
  TestClient garbage(http());
  ASSERT_TRUE(garbage.send("\x16\x03\x01 this is not HTTP\r\n\r\n"));
  EXPECT_NE(garbage.receive_until("}").find("400"), std::string::npos);
}

TEST_F(FrontTest, ConnectionIsMadeForAMessageWithoutOneAndUsedAgain) {
  start();
  const Descriptor listening{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_storage name{};
  socklen_t length = to_sockaddr(kAny4, name);
  ASSERT_EQ(::bind(listening.get(), reinterpret_cast<sockaddr*>(&name), length), 0);
  ASSERT_EQ(::listen(listening.get(), 4), 0);
  ASSERT_EQ(::getsockname(listening.get(), reinterpret_cast<sockaddr*>(&name), &length), 0);
  const sip::Flow to{sip::Transport::kTcp, {}, {}, from_sockaddr(name)};
  front_->transmit({{to, std::make_shared<const std::string>("first")},
                    {to, std::make_shared<const std::string>("second")}});
  pollfd waiting{listening.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&waiting, 1, 60'000), 1);
  const Descriptor peer{::accept(listening.get(), nullptr, nullptr)};
  std::string got;
  while (got.size() < 11) {
    char bytes[64];
    const auto n = ::recv(peer.get(), bytes, sizeof bytes, 0);
    ASSERT_GT(n, 0);
    got.append(bytes, static_cast<std::size_t>(n));
  }
  EXPECT_EQ(got, "firstsecond");
  EXPECT_EQ(::poll(&waiting, 1, 50), 0);  // no second connection
}

TEST_F(FrontTest, WhatCannotBeReachedIsReportedLost) {
  start();
  Endpoint nobody = kAny4;
  nobody.port = 1;  // refused
  const auto bytes = std::make_shared<const std::string>(kMessage);
  front_->transmit({{{sip::Transport::kTcp, {}, {}, nobody}, bytes},
                    {{sip::Transport::kWs, {}, {}, nobody}, bytes},
                    {{sip::Transport::kTcp, sip::ConnectionId{4711}, {}, nobody}, bytes}});
  EXPECT_TRUE(sink_.wait([&] {
    const auto is = [&](sip::Transport t, std::uint64_t id) {
      return std::ranges::any_of(sink_.gone, [&](const sip::Flow& f) {
        return f.transport == t && f.connection.value == id && f.remote == nobody;
      });
    };
    return is(sip::Transport::kTcp, 0) && is(sip::Transport::kWs, 0) && is(sip::Transport::kTcp, 4711);
  }));
}

TEST_F(FrontTest, EndOfAConnectionIsReportedOnceAndOnlyIfItCarriedSip) {
  start();
  {
    TestClient scanner(tcp());
  }
  {
    TestClient phone(tcp());
    ASSERT_TRUE(phone.send(kMessage));
    EXPECT_EQ(phone.receive(kMessage.size()), kMessage);
  }
  ASSERT_TRUE(sink_.wait([&] { return !sink_.gone.empty(); }));
  EXPECT_EQ(sink_.gone.size(), 1u);
  EXPECT_EQ(sink_.gone[0], sink_.flows[0]);
}

TEST_F(FrontTest, GarbageOversizeAndAFullInboxEndTheConnection) {
  start();
  TestClient web_scanner(tcp());
  ASSERT_TRUE(web_scanner.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_TRUE(web_scanner.closed_by_peer());
  TestClient large(tcp());
  large.send(
      "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\nContent-Length: 999999999\r\n\r\n");
  EXPECT_TRUE(large.receive_until("\r\n\r\n").starts_with("SIP/2.0 413 "));
  EXPECT_TRUE(large.closed_by_peer());
  TestClient unframed(tcp());
  unframed.send("OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\n\r\n");
  EXPECT_TRUE(unframed.receive_until("\r\n\r\n").starts_with("SIP/2.0 400 Content-Length is missing"));
  EXPECT_TRUE(unframed.closed_by_peer());
  TestClient endless(tcp());
  endless.send("\r" + std::string(200'000, 'a'));
  EXPECT_TRUE(endless.closed_by_peer());
  TestClient browser(http());
  ASSERT_TRUE(browser.send(TestClient::upgrade()));
  browser.receive_until("\r\n\r\n");
  for (int i = 0; i < 3; ++i) browser.send(TestClient::frame(std::string(60'000, 'x'), i == 0 ? 1 : 0));
  EXPECT_TRUE(browser.closed_by_peer());
  sink_.refusing = true;
  TestClient unlucky(tcp());
  unlucky.send(kMessage);
  EXPECT_TRUE(unlucky.closed_by_peer());
}

TEST_F(FrontTest, SlowAndSilentPeersAreSentAway) {
  StreamLimits limits;
  // Long enough for the patient one to speak in time, on a machine that is busy.
  limits.handshake = limits.first_message = limits.stalled = limits.http_header = 3s;
  limits.sweep = 20ms;
  start(limits);
  TestClient silent(tcp());
  TestClient half(tcp());
  ASSERT_TRUE(half.send(kMessage.substr(0, 30)));
  TestClient no_handshake(tls());
  TestClient slow_header(http());
  ASSERT_TRUE(slow_header.send("GET / HT"));
  TestClient patient(tcp());
  ASSERT_TRUE(patient.send(kMessage));
  EXPECT_EQ(patient.receive(kMessage.size()), kMessage);
  EXPECT_TRUE(silent.closed_by_peer());
  EXPECT_TRUE(half.closed_by_peer());
  EXPECT_TRUE(no_handshake.closed_by_peer());
  EXPECT_TRUE(slow_header.closed_by_peer());
  for (int i = 0; i < 6'000 && front_->counters().timed_out < 4; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(front_->counters().timed_out, 4u);
  ASSERT_TRUE(patient.send(kMessage));  // who speaks SIP may stay
  EXPECT_EQ(patient.receive(kMessage.size()), kMessage);
}

TEST_F(FrontTest, PeerThatNeverReadsIsDroppedWhenItsQueueIsFull) {
  StreamLimits limits;
  limits.write_queue_bytes = 100'000;
  start(limits);
  sink_.answering = false;
  TestClient deaf(tcp());
  ASSERT_TRUE(deaf.send(kMessage));
  ASSERT_TRUE(sink_.wait([&] { return sink_.flows.size() == 1; }));
  const auto block = std::make_shared<const std::string>(std::string(20'000, 'x'));
  for (int i = 0; i < 1'000; ++i) front_->transmit({{sink_.flows[0], block}});
  EXPECT_TRUE(sink_.wait([&] { return !sink_.gone.empty() && sink_.gone[0] == sink_.flows[0]; }));
  EXPECT_TRUE(deaf.closed_by_peer());
}

TEST_F(FrontTest, TooManyConnectionsOfOneAddressAreRefused) {
  StreamLimits limits;
  limits.connections_per_address = 3;
  start(limits);
  std::vector<std::unique_ptr<TestClient>> held;
  for (int i = 0; i < 3; ++i) {
    held.push_back(std::make_unique<TestClient>(tcp()));
    ASSERT_TRUE(held.back()->send(kMessage));
    EXPECT_EQ(held.back()->receive(kMessage.size()), kMessage);
  }
  TestClient fourth(tcp());
  EXPECT_TRUE(fourth.closed_by_peer());
  held.pop_back();
  ASSERT_TRUE(sink_.wait([&] { return sink_.gone.size() == 1; }));
  TestClient next(tcp());
  ASSERT_TRUE(next.send(kMessage));
  EXPECT_EQ(next.receive(kMessage.size()), kMessage);
}

TEST_F(FrontTest, StrangersMayNotTakeEveryPlaceAndWhoRegistersIsNone) {
  StreamLimits limits;
  limits.strangers_per_address = 2;
  start(limits);
  const auto registers = [&](TestClient& phone) {
    // What is echoed is the answer of the exchange.
    constexpr std::string_view kAccepted =
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\nCSeq: 2 REGISTER\r\nContent-Length: "
        "0\r\n\r\n";
    return phone.send(kAccepted) && phone.receive(kAccepted.size()) == kAccepted;
  };
  TestClient first(tcp());
  TestClient second(tls(), true);
  ASSERT_TRUE(first.send(kMessage));
  EXPECT_EQ(first.receive(kMessage.size()), kMessage);
  ASSERT_TRUE(second.send(kMessage));
  EXPECT_EQ(second.receive(kMessage.size()), kMessage);
  TestClient third(tcp());
  EXPECT_TRUE(third.closed_by_peer());
  TestClient browser(http());
  ASSERT_TRUE(browser.send(TestClient::upgrade()));
  EXPECT_TRUE(browser.receive_until("}").starts_with("HTTP/1.1 503 "));
  ASSERT_TRUE(registers(first));
  TestClient fourth(tcp());
  ASSERT_TRUE(registers(fourth));
  TestClient fifth(tcp());
  ASSERT_TRUE(fifth.send(kMessage));
  EXPECT_EQ(fifth.receive(kMessage.size()), kMessage);
}

TEST_F(FrontTest, ConnectionIsClosedOnDemand) {
  start();
  TestClient phone(tcp());
  ASSERT_TRUE(phone.send(kMessage));
  EXPECT_EQ(phone.receive(kMessage.size()), kMessage);
  front_->close(sink_.flows[0].connection);
  EXPECT_TRUE(phone.closed_by_peer());
}

TEST_F(FrontTest, PortInUseIsNamed) {
  start();
  FrontDoors again;
  again.sip_tcp = {tcp()};
  Echoing other;
  const auto second = Front(other).listen(again, {});
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().sentence.find("TCP (SIP) " + tcp().to_string()), std::string::npos)
      << second.error().sentence;
  EXPECT_NE(second.error().sentence.find("in use"), std::string::npos);
}

TEST_F(FrontTest, CertificatesAreReloadedAndABadOneChangesNothing) {
  start();
  EXPECT_FALSE(front_->use_certificates(TlsFiles{"/nowhere/tls.pem", "/nowhere/tls.key"}, {}).has_value());
  TestClient before(tls(), true);
  EXPECT_TRUE(before.connected());
  const TemporaryDirectory other;
  const auto files = own_certificate(other.path, {{"new.example"}, {}}, Clock{}.now());
  ASSERT_TRUE(front_->use_certificates(*files, *files).has_value());
  TestClient after(tls(), true);
  ASSERT_TRUE(after.connected());
  ASSERT_TRUE(before.send(kMessage));  // old connections live on
  EXPECT_EQ(before.receive(kMessage.size()), kMessage);
}

TEST(OwnCertificate, NamesTheHostAndIsKeptAndRenewed) {
  const TemporaryDirectory directory;
  const Instant now = Clock{}.now();
  const CertificateNames names{{"pbx.example", "localhost"}, {kAny4.ip, kAny6.ip}};
  const auto files = own_certificate(directory.path, names, now);
  ASSERT_TRUE(files.has_value()) << files.error();
  const auto facts = read_certificate(files->certificate);
  ASSERT_TRUE(facts.has_value()) << facts.error();
  EXPECT_EQ(facts->names, (std::vector<std::string>{"pbx.example", "localhost", "127.0.0.1", "::1"}));
  EXPECT_EQ(facts->subject, "/CN=pbx.example");
  for (const char* name : {"tls.pem", "tls.key", "authority.pem", "authority.key"}) {
    struct stat s{};
    ASSERT_EQ(::stat((directory.path / name).c_str(), &s), 0) << name;
    EXPECT_EQ(s.st_mode & 0777U, 0600U) << name;
  }
  ASSERT_TRUE(own_certificate(directory.path, names, now).has_value());
  EXPECT_EQ(read_certificate(files->certificate)->not_after, facts->not_after);
  const Instant later = now + std::chrono::hours{24 * 380};
  ASSERT_TRUE(own_certificate(directory.path, names, later).has_value());
  EXPECT_GT(read_certificate(files->certificate)->not_after, facts->not_after);
}

}  // namespace
}  // namespace bw::io
