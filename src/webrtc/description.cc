#include "webrtc/description.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sdp/audio.h"
#include "webrtc/candidate.h"
#include "webrtc/fingerprint.h"

namespace bw::webrtc {
namespace {

using sdp::Attributes;
using sdp::Media;
using sdp::SessionDescription;

constexpr std::string_view kProtocol = "UDP/TLS/RTP/SAVPF";
constexpr std::size_t kShortestUfrag = 4, kShortestPassword = 22, kLongest = 256;
constexpr std::uint16_t kDiscard = 9;

// Of the section, else of the session.
const sdp::Attribute* look_up(const SessionDescription& session, const Media& section,
                              std::string_view name) {
  const auto* found = section.attributes.find(name);
  return found != nullptr ? found : session.attributes.find(name);
}

std::string_view text_of(const SessionDescription& session, const Media& section, std::string_view name) {
  const auto* found = look_up(session, section, name);
  return found != nullptr ? found->text() : std::string_view{};
}

// A bundled section that carries nothing of its own has port 0 and a=bundle-only (RFC 8843 §6), so the port
// alone does not say that it is off.
bool in_use(const Media& section) {
  return section.port != 0 || section.attributes.has("bundle-only");
}

const Media* audio_of(const SessionDescription& theirs) {
  const auto it =
      std::ranges::find_if(theirs.media, [](const Media& m) { return m.is_audio() && in_use(m); });
  return it == theirs.media.end() ? nullptr : &*it;
}

std::expected<DtlsRole, DescriptionError> our_role(std::string_view setup, Kind kind) {
  if (setup == "active" || (setup == "actpass" && kind == Kind::kOffer)) return DtlsRole::kServer;
  if (setup == "passive") return DtlsRole::kClient;
  return std::unexpected(DescriptionError::kSetup);
}

std::expected<RemoteParameters, DescriptionError> connection_of(const SessionDescription& theirs,
                                                                const Media& audio, Kind kind) {
  RemoteParameters remote;
  remote.ice.ufrag = text_of(theirs, audio, "ice-ufrag");
  remote.ice.password = Secret{std::string(text_of(theirs, audio, "ice-pwd"))};
  const auto fits = [](std::size_t size, std::size_t least) { return size >= least && size <= kLongest; };
  if (!fits(remote.ice.ufrag.size(), kShortestUfrag) ||
      !fits(remote.ice.password.reveal().size(), kShortestPassword))
    return std::unexpected(DescriptionError::kNoIce);
  const bool own = audio.attributes.has("fingerprint");
  for (const auto& a : (own ? audio.attributes : theirs.attributes).list) {
    if (a.name != "fingerprint") continue;
    if (auto fingerprint = parse_fingerprint(a.text()))
      remote.fingerprints.push_back(std::move(*fingerprint));
  }
  if (remote.fingerprints.empty()) return std::unexpected(DescriptionError::kNoFingerprint);
  const auto role = our_role(text_of(theirs, audio, "setup"), kind);
  if (!role) return std::unexpected(role.error());
  remote.our_role = *role;
  return remote;
}

std::string rtpmap(const sdp::Codec& codec) {
  std::string text =
      std::to_string(codec.payload) + ' ' + codec.name + '/' + std::to_string(codec.clock_rate);
  if (codec.channels != 1) text += '/' + std::to_string(codec.channels);
  return text;
}

// Codecs, their parameters, packet time and direction: all that is left of a section without its transport.
Media audio_alone(const SessionDescription& session, const Media& from, std::string_view protocol) {
  Media plain;
  plain.type = "audio";
  plain.port = from.port == 0 ? std::uint16_t{0} : kDiscard;
  plain.protocol = protocol;
  for (const sdp::Codec& codec : sdp::codecs(from)) {
    if (!codec.is_voice() && !codec.is_telephone_event()) continue;
    plain.formats.push_back(std::to_string(codec.payload));
    plain.attributes.add("rtpmap", rtpmap(codec));
    if (!codec.fmtp.empty()) plain.attributes.add("fmtp", std::to_string(codec.payload) + ' ' + codec.fmtp);
  }
  for (const std::string_view name : {"ptime", "maxptime"}) {
    if (const auto* value = from.attributes.find(name)) plain.attributes.add(name, value->text());
  }
  plain.attributes.add(sdp::to_string(sdp::direction(session, from)));
  return plain;
}

void add_candidates(Attributes& into, const OwnParameters& own) {
  // RFC 8445 §5.1.2.1: host candidates; UDP before TCP, and among addresses the earlier the better.
  constexpr std::uint32_t kHost = 126U << 24U;
  std::uint32_t preference = 65'535;
  unsigned foundation = 0;
  for (const bool tcp : {false, true}) {
    for (const IpAddress& address : own.addresses) {
      Candidate c{
          .foundation = std::to_string(++foundation), .address = address.to_string(), .port = own.port};
      c.priority = kHost | (preference-- << 8U) | 255U;
      if (tcp) {  // RFC 6544 §4.5
        c.transport = "tcp";
        c.tcp_type = "passive";
      }
      const std::string text = c.to_string();
      into.add("candidate", std::string_view{text}.substr(text.find(':') + 1));
    }
  }
  into.add("end-of-candidates");
}

Media dressed(const SessionDescription& plain, std::string_view mid, std::string_view setup,
              const OwnParameters& own) {
  const Media* audio = plain.audio();
  Media section = audio_alone(plain, *audio, kProtocol);
  section.connections.push_back(sdp::Connection::of(IpAddress{}));
  Attributes& a = section.attributes;
  a.add("mid", mid);
  a.add("rtcp-mux");
  a.add("ice-ufrag", own.ice.ufrag);
  a.add("ice-pwd", own.ice.password.reveal());
  a.add("fingerprint", own.fingerprint);
  a.add("setup", setup);
  a.add("msid", "bellwire audio");  // or the page gets a track without a stream
  add_candidates(a, own);
  return section;
}

// A refused section stays where it is (RFC 3264 §6) and out of the bundle (RFC 8843 §7.3.3).
Media refused(const Media& theirs) {
  Media section;
  section.type = theirs.type;
  section.port = 0;
  section.protocol = theirs.protocol;
  section.formats = theirs.formats;
  section.connections.push_back(sdp::Connection::of(IpAddress{}));
  if (const auto* mid = theirs.attributes.find("mid")) section.attributes.add("mid", mid->text());
  section.attributes.add("inactive");
  return section;
}

SessionDescription shell(const SessionDescription& plain, std::string_view mid) {
  SessionDescription out;
  out.origin = plain.origin;
  out.origin.address_type = "IP4";
  out.origin.address = "127.0.0.1";  // RFC 8829 §5.2.1: it says nothing, and shall not
  if (!mid.empty()) out.attributes.add("group", "BUNDLE " + std::string(mid));
  out.attributes.add("ice-lite");
  out.attributes.add("msid-semantic", "WMS *");
  return out;
}

}  // namespace

std::string_view to_sentence(DescriptionError error) {
  switch (error) {
    case DescriptionError::kNoAudio:
      return "the description has no audio";
    case DescriptionError::kNoDtls:
      return "the audio of the description is not UDP/TLS/RTP/SAVPF";
    case DescriptionError::kNoIce:
      return "the description has no usable a=ice-ufrag and a=ice-pwd";
    case DescriptionError::kNoFingerprint:
      return "the description has no a=fingerprint with sha-256, sha-384 or sha-512";
    case DescriptionError::kNoRtcpMux:
      return "the description does not want RTCP on the port of RTP (a=rtcp-mux)";
    case DescriptionError::kSetup:
      return "a=setup of the description does not fit";
  }
  return "the description cannot be used";
}

std::expected<Undressed, DescriptionError> undress(const SessionDescription& theirs, Kind kind) {
  const Media* audio = audio_of(theirs);
  if (audio == nullptr) return std::unexpected(DescriptionError::kNoAudio);
  const sdp::Profile profile = sdp::profile(audio->protocol);
  if (!profile.dtls || !profile.secure) return std::unexpected(DescriptionError::kNoDtls);
  if (!sdp::has_rtcp_mux(*audio)) return std::unexpected(DescriptionError::kNoRtcpMux);
  auto remote = connection_of(theirs, *audio, kind);
  if (!remote) return std::unexpected(remote.error());
  Undressed out{.plain = {}, .remote = std::move(*remote)};
  out.plain.origin = theirs.origin;
  // A name, for an address of zeros would mean hold (RFC 2543): where the browser is, ICE finds out.
  out.plain.connection = sdp::Connection{"IN", "IP4", "browser.invalid"};
  out.plain.media.push_back(audio_alone(theirs, *audio, "RTP/AVP"));
  out.plain.media.front().port = kDiscard;
  return out;
}

std::string dress_answer(const SessionDescription& plain, const SessionDescription& offer, DtlsRole role,
                         const OwnParameters& own) {
  const Media* theirs = audio_of(offer);
  const std::string_view mid = theirs != nullptr ? text_of({}, *theirs, "mid") : std::string_view{};
  SessionDescription out = shell(plain, mid);
  for (const Media& m : offer.media) {
    if (&m == theirs && plain.audio() != nullptr && plain.audio()->port != 0) {
      out.media.push_back(dressed(plain, mid, role == DtlsRole::kServer ? "passive" : "active", own));
      if (mid.empty()) out.media.back().attributes.remove("mid");
    } else {
      out.media.push_back(refused(m));
    }
  }
  return sdp::to_string(out);
}

std::string dress_offer(const SessionDescription& plain, const SessionDescription* before,
                        const OwnParameters& own) {
  const Media* theirs = before != nullptr ? audio_of(*before) : nullptr;
  const std::string_view known = theirs != nullptr ? text_of({}, *theirs, "mid") : std::string_view{};
  const std::string_view mid = known.empty() ? std::string_view{"0"} : known;
  SessionDescription out = shell(plain, mid);
  if (theirs == nullptr) {
    out.media.push_back(dressed(plain, mid, "actpass", own));
    return sdp::to_string(out);
  }
  for (const Media& m : before->media) {
    out.media.push_back(&m == theirs ? dressed(plain, mid, "actpass", own) : refused(m));
  }
  return sdp::to_string(out);
}

}  // namespace bw::webrtc
