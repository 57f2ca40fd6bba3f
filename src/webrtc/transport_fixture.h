// For the tests of the transport: one of ours, a browser, and a network between them, in virtual time.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "webrtc/test_peer.h"
#include "webrtc/transport.h"

namespace bw::webrtc {

class BrowserConnection : public ::testing::Test {
 protected:
  using Bytes = std::vector<std::uint8_t>;
  const Endpoint wifi{IpAddress::v4(0xC0000205), 40'000};
  const Endpoint mobile{IpAddress::v4(0xCB007109), 50'000};
  const Endpoint stranger{IpAddress::v4(0xC6336407), 6'666};
  const IpAddress here = IpAddress::v4(0xC0000201);
  const IceCredentials ours{"oursfrag", Secret<std::string>{"ours-password-of-22-and-more"}};
  const IceCredentials theirs{"them", Secret<std::string>{"their-password-of-22-and-more"}};

  void SetUp() override {
    browser.set_remote({ours, {context.fingerprint()}, DtlsRole::kClient});
    remote = {theirs, {browser_context.fingerprint()}, DtlsRole::kServer};
  }

  Path path(const Endpoint& from) const { return {from, here, 0}; }
  void tell(const Transport::Input& input) {
    transport.handle(input, now);
    collect();
  }
  void arrives(const Endpoint& from, const Bytes& bytes) { tell(Transport::Received{path(from), bytes}); }
  // Lets packets fly and time pass, for at most so long.
  void pass(Duration longest) {
    const Instant end = now + longest;
    for (;;) {
      while (auto out = browser.poll()) fly(true, out->from, std::move(out->bytes));
      const auto first = std::ranges::min_element(flying, {}, &Flying::at);
      const Instant timer = std::min(browser.deadline().at, transport.deadline().at);
      const Instant next = first == flying.end() ? timer : std::min(timer, first->at);
      if (next > end) break;
      now = std::max(now, next);
      if (first != flying.end() && first->at == next) {
        const Flying f = std::move(*first);
        flying.erase(first);
        if (f.to_us) {
          arrives(f.address, f.bytes);
        } else {
          browser.receive(f.address, f.bytes, now);
        }
      } else {
        browser.tick(now);
        tell(Tick{});
      }
    }
    now = end;
  }
  void connects() {
    tell(Transport::SetRemote{remote});
    browser.check(wifi, true);
    pass(1s);
    ASSERT_TRUE(browser.connected());
    ASSERT_EQ(of<Transport::Connected>().size(), 1U);
  }
  // More than are remembered, each copied on its way.
  std::vector<Bytes> checks_of_a_while(Duration apart) {
    std::vector<Bytes> copied;
    while (copied.size() < 2 * IceAgent::kMostSeen) {
      browser.check(wifi, true);
      copied.push_back(browser.poll()->bytes);
      arrives(wifi, copied.back());
      pass(apart);
    }
    return copied;
  }
  // Whether a packet of the browser is taken when it comes from there.
  bool takes(const Endpoint& from, const Bytes& packet) {
    Bytes buffer = packet;
    return transport.receive_rtp(path(from), buffer, buffer.size()).has_value();
  }
  template <typename T>
  std::vector<T> of() const {
    std::vector<T> found;
    for (const auto& o : told) {
      if (const T* one = std::get_if<T>(&o)) found.push_back(*one);
    }
    return found;
  }

  DtlsContext context = test_context();
  DtlsContext browser_context = test_context();
  RemoteParameters remote;
  Instant now{1'800'000'000s};
  Transport transport{context, ours};
  TestPeer browser{browser_context, theirs};
  SeededRng rng{1};
  int loss_percent = 0;
  std::vector<Transport::Output> told;  // all but Send
  std::size_t sent = 0;

 private:
  struct Flying {
    Instant at;
    bool to_us = false;
    Endpoint address;  // of the browser
    Bytes bytes;
  };
  void collect() {
    while (auto output = transport.poll()) {
      if (auto* send = std::get_if<Transport::Send>(&*output)) {
        ++sent;
        fly(false, send->path.remote, std::move(send->bytes));
      } else {
        told.push_back(std::move(*output));
      }
    }
  }
  void fly(bool to_us, const Endpoint& address, Bytes bytes) {
    if (static_cast<int>(rng.below(100)) < loss_percent) return;
    flying.push_back(
        {now + 5ms + Duration{1ms} * rng.below(loss_percent > 0 ? 50 : 1), to_us, address, std::move(bytes)});
  }
  std::vector<Flying> flying;
};

}  // namespace bw::webrtc
