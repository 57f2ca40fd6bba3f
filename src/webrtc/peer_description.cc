#include "webrtc/peer_description.h"

#include <utility>

namespace bw::webrtc {

std::expected<PeerDescription::Taken, DescriptionError> PeerDescription::take(sdp::SessionDescription theirs,
                                                                              Kind kind) {
  auto undressed = undress(theirs, kind);
  if (!undressed) return std::unexpected(undressed.error());
  Change change = Change::kNone;
  if (!known() || undressed->remote.fingerprints != remote_.fingerprints) {
    change = Change::kNewPeer;
  } else if (undressed->remote.ice != remote_.ice) {
    change = Change::kRestart;
  }
  remote_ = std::move(undressed->remote);
  theirs_ = std::move(theirs);
  return Taken{std::move(undressed->plain), change};
}

std::string PeerDescription::dress(const sdp::SessionDescription& plain, Kind kind,
                                   const OwnParameters& own) const {
  if (kind == Kind::kAnswer && theirs_) return dress_answer(plain, *theirs_, remote_.our_role, own);
  return dress_offer(plain, theirs_ ? &*theirs_ : nullptr, own);
}

}  // namespace bw::webrtc
