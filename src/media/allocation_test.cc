// The packet path takes no memory: counted, not believed.
#include <cstdlib>
#include <new>

#include "media/plane_fixture.h"
#include "webrtc/test_peer.h"

namespace {
std::size_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* p = std::malloc(size)) return p;
  std::abort();
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}

namespace bw::media {
namespace {

class Memory : public Plane {};

TEST_F(Memory, IsNotAskedForByARelayedOrRefusedPacket) {
  call();
  SetPeer secured = peer(kBob, bob);
  secured.send = key_of('b');
  tell(secured);
  talks(kAlicePort, alice, alices, 5);
  const Bytes spoken = alices.next();
  Bytes buffer(spoken.size() + kTailRoom);
  OutBatch out;
  out.reserve(1);
  const std::size_t before = allocations;
  for (int i = 0; i < 1'000; ++i) {
    std::copy(spoken.begin(), spoken.end(), buffer.begin());
    rtp::set_sequence(buffer, ++alices.sequence);
    InPacket packet{i % 10 == 0 ? stranger : alice, kAlicePort, buffer, spoken.size()};
    out.clear();
    relay.on_packets({&packet, 1}, now, out);
    now = now + 20ms;
  }
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(relay.quality(kBob)->packets_sent, 905U);
  EXPECT_EQ(relay.quality(kAlice)->packets_refused, 100U);
}

TEST(BrowsersMemory, IsNotAskedForByTheirPacketsAndTheirEcho) {
  const auto context = webrtc::test_context();
  const auto browser_context = webrtc::test_context();
  const webrtc::IceCredentials ours{"ours", Secret<std::string>{"ours-password-of-22-and-more"}};
  const webrtc::IceCredentials theirs{"them", Secret<std::string>{"their-password-of-22-and-more"}};
  const webrtc::Path path{at("203.0.113.5:4000"), IpAddress::v4(0xC0000201), 0};
  const Instant now{1'800'000'000s};
  Relay relay{{10'000, 10'099}, 0, {}, &context};
  webrtc::TestPeer browser{browser_context, theirs};
  OutBatch out;
  const auto arrives = [&](Bytes bytes) {
    const std::size_t size = bytes.size();
    bytes.resize(size + kTailRoom);
    SessionPacket packet{path, bytes, size};
    out.clear();
    relay.on_session_packets({&packet, 1}, now, out);
    while (const auto send = relay.poll_send()) browser.receive(path.remote, send->bytes, now);
  };
  relay.handle(SessionCommand{OpenSession{SessionId{1}, ours}}, now);
  relay.handle(SessionCommand{SetSessionRemote{
                   SessionId{1}, {theirs, {browser_context.fingerprint()}, webrtc::DtlsRole::kServer}}},
               now);
  relay.handle(AttachLeg{MediaLegId{1}, SessionId{1}}, now);
  relay.handle(Echo{MediaLegId{1}}, now);
  browser.set_remote({ours, {context.fingerprint()}, webrtc::DtlsRole::kClient});
  browser.check(path.remote, true);
  while (auto sent = browser.poll()) arrives(std::move(sent->bytes));
  ASSERT_TRUE(browser.connected());
  arrives(browser.sealed(1));
  std::vector<Bytes> packets;
  for (std::uint16_t i = 2; i < 500; ++i) {
    packets.push_back(browser.sealed(i));
    packets.back().resize(packets.back().size() + kTailRoom);
  }
  std::size_t echoed = 0;
  const std::size_t before = allocations;
  for (Bytes& bytes : packets) {
    SessionPacket packet{path, bytes, bytes.size() - kTailRoom};
    out.clear();
    relay.on_session_packets({&packet, 1}, now, out);
    echoed += out.size();
  }
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(echoed, packets.size());
}

}  // namespace
}  // namespace bw::media
