// The packet path takes no memory: counted, not believed.
#include <cstdlib>
#include <new>

#include "media/plane_fixture.h"

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

}  // namespace
}  // namespace bw::media
