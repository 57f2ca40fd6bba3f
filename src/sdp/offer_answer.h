// Offer and answer on one leg of a back-to-back user agent (RFC 3264, RFC 6337).
//
// Each leg of a call has one OfferAnswer, owned by the leg. One audio stream passes through us: what the peer
// of one leg said is carried to the peer of the other with our address, port, keys and origin; every other
// stream is refused. A plain value: copy it where a request forks into several dialogs.
//
//   incoming.remote_offer(parsed);            outgoing.relay_offer(incoming)      → text for the INVITE
//   outgoing.remote_answer(parsed, kFinal);   incoming.relay_answer(outgoing, …)  → text for the 200
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/rng.h"
#include "sdp/anchor.h"
#include "sdp/audio.h"
#include "sdp/crypto.h"
#include "sdp/session_description.h"

namespace bw::sdp {

// What our own first offer to a peer says when the policy is kOptional. Later offers keep what was agreed.
enum class SrtpOffer : std::uint8_t {
  kPlain,       // RTP/AVP
  kBestEffort,  // RTP/AVP with a=crypto: phones that know it encrypt, others ignore it
  kSecure,      // RTP/SAVP
};

struct LocalSide {  // our end of one leg
  IpAddress address;
  std::uint16_t port = 0;  // RTP, even; RTCP listens one above
  SrtpPolicy srtp = SrtpPolicy::kOptional;
  SrtpOffer srtp_offer = SrtpOffer::kPlain;
  // Offers say more than the other leg can, and an answer may name a codec that the other leg does not have:
  // the media plane decodes.
  bool transcodes = false;
};

// What is agreed on a leg. "Send" is from us to the peer.
struct Negotiated {
  Codec codec;                       // name, clock and fmtp as the peer wrote them
  std::uint8_t send_payload = 0;     // the peer's number
  std::uint8_t receive_payload = 0;  // our number: what the peer puts into its packets
  std::optional<std::uint8_t> telephone_event_send;
  std::optional<std::uint8_t> telephone_event_receive;
  std::uint32_t telephone_event_clock = 8000;
  std::optional<Endpoint> remote_rtp;   // none on c=0.0.0.0 or a host name
  std::optional<Endpoint> remote_rtcp;  // equal to remote_rtp with rtcp_mux
  bool rtcp_mux = false;
  Direction direction = Direction::kSendRecv;  // ours
  std::optional<CryptoLine> send;              // what we encrypt with; both or none
  std::optional<CryptoLine> receive;           // what the peer encrypts with
  std::optional<std::uint16_t> ptime_ms;       // what the peer wants to receive
  // Every agreed format, telephone-event too, in the order of the answer; what one says at an index is what
  // the other says there.
  std::vector<Codec> receive_formats;  // with our numbers: what the peer puts into its packets
  std::vector<Codec> send_formats;     // with the peer's numbers
};

// Two agreed legs can be joined: by relaying, as they have a codec in common, or by transcoding. Payload
// numbers and telephone-events that differ are the media plane's business.
bool compatible(const Negotiated& a, const Negotiated& b);

class OfferAnswer {
 public:
  enum class State : std::uint8_t { kStable, kLocalOffer, kRemoteOffer };
  // An early answer (183 without 100rel) is used, but may still be replaced by the final one.
  enum class Certainty : std::uint8_t { kEarly, kFinal };

  // Randomness is drawn once: the session id and, unless SRTP is off, our keys, which stay for the whole leg.
  OfferAnswer(const LocalSide& side, Rng& rng);

  // ---- from the peer ----
  std::expected<void, OfferError> remote_offer(SessionDescription offer);
  std::expected<void, OfferError> remote_answer(SessionDescription answer,
                                                Certainty certainty = Certainty::kFinal);

  // ---- to the peer: the text to send. A direction given replaces the one that would be carried. ----
  // What the peer of the other leg last said, as our offer.
  std::expected<std::string, OfferError> relay_offer(const OfferAnswer& other,
                                                     std::optional<Direction> direction = {});
  // PCMU, PCMA, G722 and telephone-event: for click-to-dial and where the other leg has nothing to say yet.
  std::expected<std::string, OfferError> own_offer(Direction direction = Direction::kSendRecv);
  // The last agreed description of ours again, with another direction (hold, resume) or unchanged (refresh).
  // `first`: the codec that goes before the others from now on.
  std::expected<std::string, OfferError> repeat_offer(std::optional<Direction> direction = {},
                                                      const Codec* first = nullptr);

  // What the peer of the other leg answered (or last said), cut to the codecs of this leg's offer.
  std::expected<std::string, OfferError> relay_answer(const OfferAnswer& other,
                                                      Certainty certainty = Certainty::kFinal,
                                                      std::optional<Direction> direction = {});
  // The codecs of the offer that Bellwire itself knows: for internal parties (echo, announcements).
  std::expected<std::string, OfferError> own_answer(Certainty certainty = Certainty::kFinal,
                                                    Direction direction = Direction::kSendRecv);
  // The last agreed description of ours as answer to a re-offer that changes nothing but direction or address
  // (hold towards our music, session refresh), so that the other leg need not be asked.
  std::expected<std::string, OfferError> repeat_answer(Certainty certainty = Certainty::kFinal,
                                                       std::optional<Direction> direction = {});
  // Every stream refused with port 0; the offer is thereby answered.
  std::expected<std::string, OfferError> refusal();

  // The pending offer was rejected or cancelled: what was agreed before holds (RFC 6337 §2.2). Harmless if
  // none.
  void offer_failed();
  // Our port moved; used from the next offer on.
  void move_to(const IpAddress& address, std::uint16_t port);

  State state() const { return state_; }
  // Nothing before the first answer (early ones count), or when audio is refused or without a common codec.
  const std::optional<Negotiated>& negotiated() const;
  // The peer's last description, offered or answered; null if none came yet.
  const SessionDescription* remote() const;
  // Its audio section; null if there is none.
  const Media* remote_audio() const;
  // Our last agreed (or early) description; null before the first.
  const SessionDescription* local() const;
  // The peer's last description puts us on hold (either form).
  bool remote_holds() const;

 private:
  struct Agreement {
    SessionDescription local;
    SessionDescription remote;
    std::size_t section = 0;  // index of the relayed audio section, the same in both
    bool we_offered = false;
    std::optional<Negotiated> result{};  // of both; read with every step of a call
  };
  using Text = std::expected<std::string, OfferError>;

  Text send_offer(SessionDescription content, Direction direction);
  Text send_answer(SessionDescription content, Certainty certainty, Direction direction);
  void widen(SessionDescription& content) const;
  std::string sign(SessionDescription& description);
  void agree(Agreement agreement, Certainty certainty);
  static std::optional<Negotiated> result_of(const Agreement& agreement);
  const Agreement* agreed() const;
  std::size_t remote_section() const;
  void secure_offer(OwnStream& own) const;
  std::expected<void, OfferError> secure_answer(OwnStream& own) const;

  LocalSide side_;
  std::vector<CryptoLine> keys_;
  std::string session_id_;
  std::uint64_t version_ = 0;
  State state_ = State::kStable;
  std::optional<SessionDescription> sent_;  // the last text that left, whatever became of it (RFC 3264 §8)
  std::optional<Agreement> stable_;
  std::optional<Agreement> early_;           // answered, but not finally
  std::optional<SessionDescription> offer_;  // pending, of either side
  std::size_t offer_section_ = 0;
};

}  // namespace bw::sdp
