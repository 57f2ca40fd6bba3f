#include "sdp/anchor.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sdp/detail/words.h"

namespace bw::sdp {
namespace {

// Attributes that speak of the peer's own transport, keys or grouping, or that we say ourselves.
constexpr auto kDropped = std::to_array<std::string_view>(
    {// direction and RTCP: said anew
     "sendrecv", "sendonly", "recvonly", "inactive", "rtcp", "rtcp-mux", "rtcp-mux-only", "rtcp-rsize",
     "rtcp-fb", "rtcp-xr",
     // ICE (RFC 8839) and what came before it
     "candidate", "end-of-candidates", "remote-candidates", "ice-ufrag", "ice-pwd", "ice-lite", "ice-options",
     "ice-mismatch", "ice-pacing", "alt", "X-nat", "direction", "nortpproxy", "oldmediaip", "oldcip",
     // keys: SDES, DTLS, MIKEY, ZRTP
     "crypto", "fingerprint", "setup", "connection", "tls-id", "dtls-id", "identity", "key-mgmt", "zrtp-hash",
     "encryption", "sctp-port", "sctpmap",
     // grouping and sources: we send one stream, and its source may change on a transfer
     "group", "mid", "msid", "msid-semantic", "ssrc", "ssrc-group", "bundle-only",
     // capability negotiation (RFC 5939) would offer transports behind our back
     "tcap", "acap", "pcfg", "acfg"});

void drop_own(Attributes& attributes) {
  std::erase_if(attributes.list,
                [](const Attribute& a) { return std::ranges::find(kDropped, a.name) != kDropped.end(); });
}

Media refused(const Media& m) {
  Media out;
  out.type = m.type;
  out.port = 0;
  out.protocol = m.protocol;
  out.formats = m.formats;
  if (out.formats.empty()) out.formats.emplace_back("0");  // the grammar wants one
  return out;
}

// rtpmap and fmtp of formats that are no longer on the m= line go with them.
void drop_orphans(Media& section) {
  std::erase_if(section.attributes.list, [&section](const Attribute& a) {
    if (a.name != "rtpmap" && a.name != "fmtp") return false;
    std::string_view rest = a.text();
    return std::ranges::find(section.formats, detail::take_word(rest)) == section.formats.end();
  });
}

bool has_voice(const Media& section) {
  return std::ranges::any_of(codecs(section), [](const Codec& c) { return c.is_voice(); });
}

}  // namespace

std::string_view to_sentence(OfferError error) {
  switch (error) {
    case OfferError::kOfferPending:
      return "an offer is not answered yet";
    case OfferError::kNoOffer:
      return "there is no offer to answer";
    case OfferError::kNothingAgreed:
      return "there is no former description to repeat or carry";
    case OfferError::kMediaRemoved:
      return "a media section of the session is missing";
    case OfferError::kMediaChanged:
      return "a media section in use became another kind of media";
    case OfferError::kNoAudio:
      return "no audio is offered";
    case OfferError::kNoCodec:
      return "no common audio codec";
    case OfferError::kProtocol:
      return "audio is offered over a protocol that is not supported";
    case OfferError::kSrtpRequired:
      return "encrypted audio is required and was not offered";
    case OfferError::kSrtpOff:
      return "encrypted audio is switched off";
    case OfferError::kSrtpKeys:
      return "no usable key for encrypted audio";
  }
  return "unknown";
}

std::expected<void, OfferError> usable_section(const Media& section, SrtpPolicy policy) {
  if (!section.is_audio()) return std::unexpected(OfferError::kNoAudio);
  if (section.port == 0) return {};
  const Profile p = profile(section.protocol);
  if (!p.rtp || p.dtls) return std::unexpected(OfferError::kProtocol);
  if (p.secure && policy == SrtpPolicy::kOff) return std::unexpected(OfferError::kSrtpOff);
  if (!p.secure && policy != SrtpPolicy::kRequired) return {};
  if (!crypto_lines(section).empty()) return {};
  return std::unexpected(p.secure ? OfferError::kSrtpKeys : OfferError::kSrtpRequired);
}

std::expected<std::size_t, OfferError> pick_section(const SessionDescription& offer, SrtpPolicy policy) {
  std::optional<std::size_t> plain;
  std::optional<std::size_t> off;
  std::optional<OfferError> error;
  for (std::size_t i = 0; i < offer.media.size(); ++i) {
    const Media& m = offer.media[i];
    if (!m.is_audio()) continue;
    if (const auto usable = usable_section(m, policy); !usable) {
      if (!error) error = usable.error();
    } else if (m.port == 0) {
      if (!off) off = i;
    } else if (profile(m.protocol).secure) {
      return i;
    } else if (!plain) {
      plain = i;
    }
  }
  if (plain) return *plain;
  if (error) return std::unexpected(*error);
  if (off) return *off;
  return std::unexpected(OfferError::kNoAudio);
}

SessionDescription carried(const SessionDescription& peer, std::size_t section) {
  const Media& from = peer.media.at(section);
  SessionDescription out;
  out.bandwidths = peer.bandwidths;
  out.attributes = peer.attributes;
  drop_own(out.attributes);
  Media m;
  m.type = from.type;
  m.port = from.port;
  m.protocol = from.protocol;
  m.formats = from.formats;
  if (m.formats.empty()) m.formats.emplace_back("0");
  m.information = from.information;
  m.bandwidths = from.bandwidths;
  m.attributes = from.attributes;
  drop_own(m.attributes);
  out.media.push_back(std::move(m));
  return out;
}

bool keep_common(Media& section, const Media& offer) {
  const std::vector<Codec> offered = codecs(offer);
  const std::vector<Codec> ours = codecs(section);
  std::erase_if(section.formats, [&](const std::string& format) {
    unsigned number = 0;
    const bool is_number = detail::parse_number(format, number);
    const auto mine = is_number ? std::ranges::find(ours, number, &Codec::payload) : ours.end();
    // A number without a meaning can only be compared as it stands.
    if (mine == ours.end()) return std::ranges::find(offer.formats, format) == offer.formats.end();
    return std::ranges::none_of(offered, [&](const Codec& c) { return same_codec(*mine, c); });
  });
  drop_orphans(section);
  return has_voice(section);
}

void put_first(Media& section, const Codec& codec) {
  const std::vector<Codec> ours = codecs(section);
  const auto meant = std::ranges::find_if(ours, [&](const Codec& c) { return same_codec(c, codec); });
  if (meant == ours.end()) return;
  const auto at = std::ranges::find(section.formats, std::to_string(meant->payload));
  if (at != section.formats.end()) std::rotate(section.formats.begin(), at, at + 1);
}

SessionDescription placed(SessionDescription content, const SessionDescription& layout, std::size_t index) {
  Media section = std::move(content.media.at(0));
  content.media.clear();
  for (std::size_t i = 0; i < layout.media.size(); ++i) {
    content.media.push_back(i == index ? std::move(section) : refused(layout.media[i]));
  }
  return content;
}

void dress(SessionDescription& description, std::size_t section, const OwnStream& own) {
  description.connection = Connection::of(own.address);
  Media& m = description.media.at(section);
  m.port = own.port;
  m.port_count = 1;
  m.protocol = own.protocol;
  m.connections.clear();
  m.key.reset();
  if (own.port == 0) {
    m = refused(m);
    return;
  }
  m.attributes.add(to_string(own.direction));
  if (own.rtcp_mux) m.attributes.add("rtcp-mux");
  for (const CryptoLine& line : own.crypto) m.attributes.add("crypto", write_crypto(line));
}

SessionDescription all_refused(const SessionDescription& offer) {
  SessionDescription out;
  for (const Media& m : offer.media) out.media.push_back(refused(m));
  return out;
}

}  // namespace bw::sdp
