// Carrying a peer's description to the other leg: what is kept, what is replaced by our own. Pure functions;
// offer_answer.h keeps the state between them.
//
// Kept: formats, fmtp, ptime, bandwidth and every attribute we do not know. Dropped: what names the peer's
// addresses or keys or needs the peer's own transport (ICE, DTLS, a=crypto, a=rtcp, feedback, grouping), its
// name lines (s= i= u= e= p=) and its direction, which is said anew. a=rtcp is not written: our RTCP port is
// the next one, which is the default (RFC 3605 §2.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "sdp/audio.h"
#include "sdp/crypto.h"
#include "sdp/session_description.h"

namespace bw::sdp {

enum class SrtpPolicy : std::uint8_t {
  kOff,       // a=crypto is ignored, RTP/SAVP refused
  kOptional,  // whatever the peer brings
  kRequired,  // plain RTP refused
};

// Why a description cannot be used now. to_sentence() gives one sentence for each.
enum class OfferError : std::uint8_t {
  kOfferPending,  // an offer of either side is not answered yet (491, or 500 with Retry-After: RFC 6337 §2.3)
  kNoOffer,       // an answer without an offer
  kNothingAgreed,  // there is no former description to repeat or carry
  kMediaRemoved,   // fewer m= lines than before (RFC 3264 §8), or the answer lacks the one that matters
  kMediaChanged,   // an m= line in use became another kind of media (RFC 3264 §8.3)
  kNoAudio,        // no audio section at all (488)
  kNoCodec,        // no common voice codec (488)
  kProtocol,       // audio, but not over RTP that we speak (488)
  kSrtpRequired,   // plain RTP where SRTP is wanted (488)
  kSrtpOff,        // SRTP where none is wanted (488)
  kSrtpKeys,       // SRTP without an a=crypto line that we can use (488)
};
std::string_view to_sentence(OfferError error);

// What we say of our side of the audio stream in one description.
struct OwnStream {
  IpAddress address;
  std::uint16_t port = 0;  // 0: refused
  Direction direction = Direction::kSendRecv;
  std::string protocol = "RTP/AVP";
  std::vector<CryptoLine> crypto{};
  bool rtcp_mux = false;
};

// Index of the audio section of an offer that we relay. With SRTP optional a usable secure one goes before a
// plain one: phones that can do both offer two sections. If all are switched off (port 0), the first of them.
std::expected<std::size_t, OfferError> pick_section(const SessionDescription& offer, SrtpPolicy policy);
// Whether one audio section of an offer can be used; port 0 always can.
std::expected<void, OfferError> usable_section(const Media& section, SrtpPolicy policy);

// A description of one audio section: what of `section` of the peer's description goes on to the other leg.
SessionDescription carried(const SessionDescription& peer, std::size_t section);

// Leaves only the formats whose codec the offer has too, with whatever number they have here.
// False if no voice codec is left.
bool keep_common(Media& section, const Media& offer);
// Nothing changes if the section does not have it.
void put_first(Media& section, const Codec& codec);

// Puts the only section of `content` at `index` among the m= lines of `layout`, all others refused: the m=
// lines of a leg never become fewer and keep their order (RFC 3264 §6, §8).
SessionDescription placed(SessionDescription content, const SessionDescription& layout, std::size_t index);

// Writes our side into the section and into the session's c= line; the origin is left to OfferAnswer.
void dress(SessionDescription& description, std::size_t section, const OwnStream& own);

// Every section refused with port 0.
SessionDescription all_refused(const SessionDescription& offer);

// ---- transcoding ----
// Bellwire can decode and encode it.
bool is_transcodable(const Codec& codec);
// Adds to an offer the codecs we can transcode to, behind those that are there, and key presses; nothing if
// none of those that are there could be transcoded from. `before` is what was last said on this leg: numbers
// keep their meaning (RFC 3264 §8.3.2); null: nothing.
void add_transcodable(Media& section, const Media* before);
// The best sounding codec of the offer that can be transcoded, and the key presses of its clock.
std::expected<SessionDescription, OfferError> transcoding_answer_content(const Media& offer);

// ---- what Bellwire says by itself ----
// PCMU, PCMA, G722 and telephone-event 101.
SessionDescription own_offer_content();
// The codecs of the offer's section that Bellwire knows (PCMU, PCMA, G722, opus, GSM, G729, telephone-event),
// with the offer's numbers, parameters and order.
std::expected<SessionDescription, OfferError> own_answer_content(const Media& offer);

}  // namespace bw::sdp
