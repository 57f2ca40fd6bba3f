#include "webrtc/dtls.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "base/rng.h"
#include "webrtc/fingerprint.h"
#include "webrtc/test_peer.h"

namespace bw::webrtc {
namespace {

using Bytes = std::vector<std::uint8_t>;
using State = DtlsEndpoint::State;

// Two endpoints over a network that loses, doubles and reorders, in virtual time.
struct Handshake {
  struct Flying {
    Instant at;
    std::uint64_t order = 0;
    bool to_server = false;
    Bytes bytes;
  };

  Handshake() {
    client_expects = {server_context.fingerprint()};
    server_expects = {client_context.fingerprint()};
  }

  void run(Duration longest = 40s) {
    server.emplace(server_context, DtlsRole::kServer, server_expects, now);
    client.emplace(client_context, DtlsRole::kClient, client_expects, now);
    go_on(longest);
  }
  void go_on(Duration longest) {
    const Instant end = now + longest;
    for (collect(); now < end; collect()) {
      auto next = std::min(client->deadline().at, server->deadline().at);
      const auto first = std::ranges::min_element(flying, [](const Flying& a, const Flying& b) {
        return std::tie(a.at, a.order) < std::tie(b.at, b.order);
      });
      if (first != flying.end() && first->at <= next) {
        Flying f = std::move(*first);
        flying.erase(first);
        now = std::max(now, f.at);
        (f.to_server ? *server : *client).receive(f.bytes, now);
        continue;
      }
      if (next == Instant::far_future()) return;
      now = std::max(now, next);
      client->tick(now);
      server->tick(now);
    }
  }
  void collect() {
    while (auto d = client->poll()) send(true, std::move(*d));
    while (auto d = server->poll()) send(false, std::move(*d));
  }
  void send(bool to_server, Bytes bytes) {
    largest = std::max(largest, bytes.size());
    ++datagrams;
    if (static_cast<int>(rng.below(100)) < loss_percent) return;
    const auto delay = [&] { return Duration{1ms} * (5 + static_cast<int>(rng.below(jitter_ms + 1))); };
    if (static_cast<int>(rng.below(100)) < double_percent)
      flying.push_back({now + delay(), order++, to_server, bytes});
    flying.push_back({now + delay(), order++, to_server, std::move(bytes)});
  }
  bool both(State s) const { return client->state() == s && server->state() == s; }

  DtlsContext server_context = test_context();
  DtlsContext client_context = test_context();
  std::vector<Fingerprint> server_expects;
  std::vector<Fingerprint> client_expects;
  Instant now{1'800'000'000s};
  SeededRng rng{1};
  int loss_percent = 0;
  int double_percent = 0;
  std::uint64_t jitter_ms = 0;
  std::vector<Flying> flying;
  std::uint64_t order = 0;
  std::size_t largest = 0;
  int datagrams = 0;
  std::optional<DtlsEndpoint> server;
  std::optional<DtlsEndpoint> client;
};

TEST(Dtls, BothEndsGetTheSameKeysCrossedAndGcmIsPreferred) {
  Handshake h;
  h.run();
  ASSERT_TRUE(h.both(State::kConnected));
  const auto c = h.client->take_keys();
  const auto s = h.server->take_keys();
  ASSERT_TRUE(c && s);
  EXPECT_EQ(c->suite, rtp::SrtpSuite::kAeadAes128Gcm);
  EXPECT_EQ(s->suite, c->suite);
  EXPECT_EQ(c->send, s->receive);
  EXPECT_EQ(c->receive, s->send);
  EXPECT_NE(c->send, c->receive);
  EXPECT_EQ(c->send.reveal().size(), rtp::master_bytes(c->suite));
  EXPECT_FALSE(h.client->take_keys());
  EXPECT_LE(h.largest, 1200U);
  EXPECT_LE(h.now - Instant{1'800'000'000s}, 50ms);
}

TEST(Dtls, HandshakesSurviveANetworkThatLosesDoublesAndReorders) {
  int lossless = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Handshake h;
    h.rng = SeededRng{seed};
    h.loss_percent = 25;
    h.double_percent = 10;
    h.jitter_ms = 60;
    h.run();
    ASSERT_TRUE(h.both(State::kConnected))
        << "seed " << seed << ": " << h.client->why_failed() << " / " << h.server->why_failed();
    EXPECT_EQ(h.client->take_keys()->send, h.server->take_keys()->receive) << seed;
    if (h.now - Instant{1'800'000'000s} < 100ms) ++lossless;
  }
  EXPECT_LT(lossless, 30) << "the network loses too little to prove anything";
}

TEST(Dtls, ACertificateOtherThanPromisedFailsTheHandshakeAtTheEndThatWasDeceived) {
  {
    Handshake h;
    h.server_expects[0].digest[5] ^= 1;
    h.run();
    EXPECT_EQ(h.server->state(), State::kFailed);
    EXPECT_EQ(h.server->why_failed(), "the certificate is not the one its fingerprint promised");
    EXPECT_FALSE(h.server->take_keys());
    EXPECT_EQ(h.client->state(), State::kFailed) << "an alert tells it";
  }
  {
    Handshake h;
    h.client_expects = {h.client_context.fingerprint()};
    h.run();
    EXPECT_EQ(h.client->state(), State::kFailed);
    EXPECT_FALSE(h.client->take_keys());
    EXPECT_NE(h.server->state(), State::kConnected);
  }
  {
    Handshake h;
    h.server_expects.clear();
    h.run();
    EXPECT_EQ(h.server->state(), State::kFailed) << "no fingerprint is none that fits";
  }
}

TEST(Dtls, OneOfSeveralFingerprintsAndTheLongerHashesSuffice) {
  for (const HashFunction hash : {HashFunction::kSha384, HashFunction::kSha512}) {
    Handshake h;
    const auto certificate = test_certificate();
    h.client_context = std::move(*DtlsContext::make(certificate));
    BIO* bio = BIO_new_mem_buf(certificate.certificate.data(), -1);
    X509* x = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    Bytes der(static_cast<std::size_t>(i2d_X509(x, nullptr)));
    unsigned char* to = der.data();
    i2d_X509(x, &to);
    X509_free(x);
    BIO_free(bio);
    h.server_expects = {h.server_context.fingerprint(), fingerprint_of(der, hash)};
    h.run();
    EXPECT_TRUE(h.both(State::kConnected));
  }
}

// One handshake message as fragments in records, and datagrams, of their own (RFC 6347 §4.2.3).
std::vector<Bytes> in_two_datagrams(const Bytes& hello) {
  constexpr std::size_t kRecordHead = 13;
  constexpr std::size_t kMessageHead = 12;
  const std::size_t body = hello.size() - kRecordHead - kMessageHead;
  const auto put24 = [](Bytes& to, std::size_t at, std::size_t value) {
    to[at] = static_cast<std::uint8_t>(value >> 16U);
    to[at + 1] = static_cast<std::uint8_t>(value >> 8U);
    to[at + 2] = static_cast<std::uint8_t>(value);
  };
  std::vector<Bytes> parts;
  for (const auto& [from, size] :
       {std::pair{std::size_t{0}, body / 2}, std::pair{body / 2, body - body / 2}}) {
    Bytes part(hello.begin(), hello.begin() + kRecordHead + kMessageHead);
    const auto start = hello.begin() + static_cast<std::ptrdiff_t>(kRecordHead + kMessageHead + from);
    part.insert(part.end(), start, start + static_cast<std::ptrdiff_t>(size));
    part[10] = static_cast<std::uint8_t>(parts.size());  // the record's sequence number
    part[11] = static_cast<std::uint8_t>((kMessageHead + size) >> 8U);
    part[12] = static_cast<std::uint8_t>(kMessageHead + size);
    put24(part, kRecordHead + 6, from);
    put24(part, kRecordHead + 9, size);
    parts.push_back(std::move(part));
  }
  return parts;
}

// Chromium's ClientHello with post-quantum keys does not fit into one datagram. The numbers of our records
// meet those of the client's next flight, which therefore comes twice.
TEST(Dtls, AHelloInTwoDatagramsIsPutTogetherInEitherOrder) {
  for (const bool reversed : {false, true}) {
    Handshake h;
    h.server.emplace(h.server_context, DtlsRole::kServer, h.server_expects, h.now);
    h.client.emplace(h.client_context, DtlsRole::kClient, h.client_expects, h.now);
    auto parts = in_two_datagrams(*h.client->poll());
    if (reversed) std::swap(parts[0], parts[1]);
    h.server->receive(parts[0], h.now);
    EXPECT_FALSE(h.server->poll()) << "half a hello is no hello";
    h.server->receive(parts[1], h.now);
    h.collect();
    EXPECT_GT(h.datagrams, 0);
    h.go_on(5s);
    EXPECT_TRUE(h.both(State::kConnected)) << h.server->why_failed();
  }
}

TEST(Dtls, ASilentOtherEndIsGivenUpInTimeAndNotFlooded) {
  Handshake h;
  h.loss_percent = 100;
  h.run();
  EXPECT_EQ(h.client->state(), State::kFailed);
  EXPECT_EQ(h.server->state(), State::kFailed);
  EXPECT_LE(h.now - Instant{1'800'000'000s}, DtlsEndpoint::kPatience);
  EXPECT_LE(h.datagrams, 16);
  EXPECT_EQ(h.client->deadline().at, Instant::far_future());
}

TEST(Dtls, GoodbyeIsHeard) {
  Handshake h;
  h.run();
  ASSERT_TRUE(h.both(State::kConnected));
  h.client->close(h.now);
  const auto notify = h.client->poll();
  ASSERT_TRUE(notify);
  h.server->receive(*notify, h.now);
  EXPECT_EQ(h.server->state(), State::kEnded);
}

TEST(Dtls, GarbageAndRepetitionDoNotEndWhatIsConnected) {
  Handshake h;
  h.run();
  ASSERT_TRUE(h.both(State::kConnected));
  SeededRng rng{3};
  for (int i = 0; i < 2'000; ++i) {
    Bytes garbage(1 + rng.below(200));
    rng.fill(std::as_writable_bytes(std::span{garbage}));
    garbage[0] = static_cast<std::uint8_t>(20 + rng.below(4));
    if (garbage.size() > 2) garbage[1] = 0xfe, garbage[2] = 0xfd;
    h.server->receive(garbage, h.now);
  }
  EXPECT_EQ(h.server->state(), State::kConnected);
}

TEST(Dtls, WhatIsNoCertificateIsRefusedInWords) {
  DtlsCertificate good = test_certificate();
  EXPECT_EQ(DtlsContext::make({"nonsense", good.key}).error(), "the DTLS certificate or its key is not PEM");
  EXPECT_EQ(DtlsContext::make({good.certificate, test_certificate().key}).error(),
            "the DTLS certificate and its key do not belong together");
}

TEST(Fingerprint, TextComesBackAndOnlyStrongHashesAreRead) {
  const std::string text =
      "sha-256 "
      "6B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08";
  const auto f = parse_fingerprint(text);
  ASSERT_TRUE(f);
  EXPECT_EQ(to_string(*f), text);
  std::string lower = text;
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c | 0x20) : c; });
  EXPECT_EQ(parse_fingerprint(lower), f);
  EXPECT_FALSE(parse_fingerprint("sha-1 6B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64"));
  EXPECT_FALSE(parse_fingerprint(text.substr(0, text.size() - 3)));
  EXPECT_FALSE(parse_fingerprint(text + ":00"));
  EXPECT_FALSE(parse_fingerprint("sha-256"));
  std::string bad = text;
  bad[9] = 'G';
  EXPECT_FALSE(parse_fingerprint(bad));
}

}  // namespace
}  // namespace bw::webrtc
