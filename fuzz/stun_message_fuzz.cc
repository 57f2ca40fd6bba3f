// What is read as STUN lies inside its bytes; an ICE agent never answers with more than it was asked for plus
// its own signature, and opens no way to who does not know the password.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "stun/message.h"
#include "webrtc/ice_agent.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bw;
  const auto message = stun::Message::parse({data, size});
  if (!message) return 0;
  (void)message->mapped_address();
  (void)message->error_code();
  (void)message->number64(stun::Type::kIceControlling);
  (void)message->not_in({});
  // The password of RFC 5769, so that its request is a valid check and what is close to it is not far.
  webrtc::IceAgent agent{{"evtj", Secret<std::string>{"VOkJxbRl1RmTxUk/WvJxBt"}}};
  const webrtc::Path path{{IpAddress::v4(0xC0000201), 32853}, IpAddress::v4(0x7F000001), 0};
  const auto answer = agent.check(*message, path, Instant{1s});
  if (answer.authentic != agent.knows(path)) std::abort();
  if (answer.authentic && !message->is_authentic("VOkJxbRl1RmTxUk/WvJxBt")) std::abort();
  if (answer.bytes.size() > 120) std::abort();
  const auto read = stun::Message::parse(answer.bytes);
  if (!read || read->transaction() != message->transaction() || !read->has_fingerprint()) std::abort();
  return 0;
}
