// Descriptions of browsers (RFC 8829, RFC 8843, RFC 5763, RFC 8839) and plain ones (RFC 3264), each made of
// the other: what concerns the connection (ICE, DTLS, BUNDLE, candidates) is taken off or put on, and what is
// left is audio as any phone describes it. Pure functions.
//
//   browser's offer ─ undress ─▶ plain offer ─ sdp::OfferAnswer ─▶ plain answer ─ dress_answer ─▶ browser
//   plain offer ─ dress_offer ─▶ browser ─ its answer ─ undress ─▶ plain answer
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "sdp/session_description.h"
#include "webrtc/fingerprint.h"
#include "webrtc/parameters.h"

namespace bw::webrtc {

// Why a browser's description cannot be used; to_sentence() has one sentence for each.
enum class DescriptionError : std::uint8_t {
  kNoAudio,        // no audio section that is in use
  kNoDtls,         // its audio is not UDP/TLS/RTP/SAVPF
  kNoIce,          // a=ice-ufrag or a=ice-pwd is missing or of the wrong length (RFC 8839 §5.4)
  kNoFingerprint,  // none, or only hash functions nobody should believe
  kNoRtcpMux,      // RTCP on a port of its own, which there is not
  kSetup,          // a=setup is missing, or an answer that does not fit
};
std::string_view to_sentence(DescriptionError error);

enum class Kind : std::uint8_t { kOffer, kAnswer };

struct Undressed {
  sdp::SessionDescription plain;  // one audio section, RTP/AVP
  RemoteParameters remote;
};
// Voice codecs and telephone-event are kept with the browser's numbers; comfort noise, redundancy, error
// correction and retransmission are left out, which refuses them.
std::expected<Undressed, DescriptionError> undress(const sdp::SessionDescription& theirs, Kind kind);

// Our end of the connection.
struct OwnParameters {
  IceCredentials ice;
  std::string fingerprint;           // "sha-256 AB:CD:…"
  std::vector<IpAddress> addresses;  // where browsers can reach us, the best first
  std::uint16_t port = 0;            // UDP and TCP
};

// `plain`: our answer to the plain form of `offer`. The other sections of the offer are refused.
std::string dress_answer(const sdp::SessionDescription& plain, const sdp::SessionDescription& offer,
                         DtlsRole role, const OwnParameters& own);
// `before`: the browser's last description, whose sections an offer inside the session must keep (RFC 8829
// §5.2.2).
std::string dress_offer(const sdp::SessionDescription& plain, const sdp::SessionDescription* before,
                        const OwnParameters& own);

}  // namespace bw::webrtc
