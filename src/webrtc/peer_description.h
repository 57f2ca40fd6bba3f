// What a browser and we said of one connection: its descriptions undressed, ours dressed to fit them. A plain
// value beside the sdp::OfferAnswer that does the rest.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "sdp/session_description.h"
#include "webrtc/description.h"

namespace bw::webrtc {

class PeerDescription {
 public:
  // What a description says of the connection before it.
  enum class Change : std::uint8_t {
    kNone,     // the same connection
    kRestart,  // the same browser by another way (RFC 8445 §9)
    kNewPeer,  // another certificate: the first of all, or a page that was loaded again
  };
  struct Taken {
    sdp::SessionDescription plain;
    Change change = Change::kNone;
  };

  // Nothing changes on an error.
  std::expected<Taken, DescriptionError> take(sdp::SessionDescription theirs, Kind kind);
  // Our answer to their last offer, or our offer; `plain` as OfferAnswer wrote it.
  std::string dress(const sdp::SessionDescription& plain, Kind kind, const OwnParameters& own) const;

  bool known() const { return theirs_.has_value(); }  // they have said something
  const RemoteParameters& remote() const { return remote_; }

 private:
  RemoteParameters remote_;
  std::optional<sdp::SessionDescription> theirs_;  // their last, whose sections ours must keep
};

}  // namespace bw::webrtc
