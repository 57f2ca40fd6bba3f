// Whatever a page sends as its description: what is made of it is a description again, with one section for
// each of theirs, at most one in use, and nothing of it asks a phone for encryption.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sdp/audio.h"
#include "sdp/session_description.h"
#include "webrtc/description.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bw;
  const auto theirs = sdp::parse({reinterpret_cast<const char*>(data), size});
  if (!theirs) return 0;
  const webrtc::OwnParameters own{{"ours", Secret<std::string>{"ours-password-of-22-and-more"}},
                                  "sha-256 00",
                                  {IpAddress::v4(0x7F000001), IpAddress::v6({0x20, 1})},
                                  10'000};
  for (const auto kind : {webrtc::Kind::kOffer, webrtc::Kind::kAnswer}) {
    const auto undressed = webrtc::undress(*theirs, kind);
    if (!undressed) {
      require(!webrtc::to_sentence(undressed.error()).empty());
      continue;
    }
    require(!undressed->remote.fingerprints.empty() && undressed->remote.ice.ufrag.size() >= 4);
    require(undressed->plain.media.size() == 1 && undressed->plain.media[0].protocol == "RTP/AVP");
    require(sdp::parse(sdp::to_string(undressed->plain)) == undressed->plain);
    const std::string answer =
        webrtc::dress_answer(undressed->plain, *theirs, undressed->remote.our_role, own);
    const std::string offer = webrtc::dress_offer(undressed->plain, &*theirs, own);
    for (const std::string& text : {answer, offer}) {
      const auto read = sdp::parse(text);
      require(read.has_value() && read->media.size() == theirs->media.size());
      require(std::ranges::count_if(read->media, [](const sdp::Media& m) { return m.port != 0; }) <= 1);
    }
  }
  return 0;
}
