// What the exchange asks of the media loops, and what they tell it. Plain values over bounded queues.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/secret.h"
#include "base/strong.h"
#include "base/time.h"
#include "model/prompt.h"
#include "webrtc/parameters.h"

namespace bw::media {

// One side of a call in the media plane; numbered by the exchange, never reused.
using MediaLegId = StrongId<struct MediaLegTag>;
// A browser's media connection (ICE, DTLS, SRTP) on the one port of all browsers; all sessions are in loop 0.
// Numbered by the exchange, never reused. A session outlives the legs that are attached to it.
using SessionId = StrongId<struct SessionTag>;
// Which media loop (thread); all legs that are connected to each other are in one loop.
using LoopIndex = std::uint8_t;

// RTP port (even) whose RTCP companion is port+1; both sockets are open before the exchange hears of them.
struct PortPair {
  LoopIndex loop = 0;
  std::uint16_t rtp = 0;
};

// RFC 4568 master key and salt of one direction, as in the a=crypto line.
enum class SrtpSuite : std::uint8_t {
  kAesCm128HmacSha1_80,
  kAesCm128HmacSha1_32,
  kAeadAes128Gcm,
  kAeadAes256Gcm
};
struct SrtpKey {
  SrtpSuite suite = SrtpSuite::kAesCm128HmacSha1_80;
  Secret<std::string> master;  // key || salt, raw bytes
};

// Where a peer says it listens (its SDP). The loop learns the real source from the first packets: from the
// signalled address at once, from another one only while `learn_window` is open and nothing has come from
// the signalled one; then it holds on (docs/protocols/media-relay.md).
struct PeerAddress {
  Endpoint rtp;
  Endpoint rtcp;  // equal to rtp with rtcp-mux
};

// What one payload number carries, as the peers agreed (RFC 8866 §6.6, §6.15).
struct PayloadFormat {
  std::uint8_t payload = 0;  // 0…127
  std::string codec;         // the name in a=rtpmap, in any case of letters
  std::uint32_t clock_rate = 8000;
  std::uint8_t channels = 1;
  std::string fmtp;  // empty: none
};
struct PayloadMap {
  std::vector<PayloadFormat> receive;  // what the peer may put into its packets
  std::vector<PayloadFormat> send;     // what the peer takes, the preferred one first
};

// ---- exchange → loop ----
struct OpenPorts {  // open this many more pairs of the range and report them
  std::uint16_t count = 0;
};
struct OpenLeg {
  MediaLegId leg;
  PortPair port;
};
struct SetPeer {  // also again after each re-INVITE; learning starts afresh only if the address changed
  MediaLegId leg;
  PeerAddress peer;
  bool rtcp_mux = false;
  std::optional<SrtpKey> receive = std::nullopt;  // what the peer encrypts with
  std::optional<SrtpKey> send = std::nullopt;     // what we encrypt with
  std::uint32_t clock_rate = 8000;                // of the first audio codec, for jitter
  std::int16_t telephone_event = -1;              // payload number of RFC 4733 towards us, -1 none
  std::uint32_t telephone_event_rate = 0;         // its clock, 0: that of the audio (RFC 4733 §2.1)
  PayloadMap payloads{};                          // empty: everything is relayed as it comes
  // Where the peer's SIP comes from: behind a NAT its media usually has that address and another port.
  std::optional<IpAddress> sip_source = std::nullopt;
  // The peer is a program of this host, and these are the host's addresses: any of them may be its media's.
  std::vector<IpAddress> same_host{};
};
struct Connect {  // relay each to the other, until one of them is connected elsewhere or closed
  MediaLegId a;
  MediaLegId b;
};
struct Disconnect {  // the leg stays open (hold, waiting): its packets are counted and dropped
  MediaLegId leg;
};
struct Echo {  // send its own packets back (*43)
  MediaLegId leg;
};
enum class Tone : std::uint8_t { kNone, kRingBack, kBusy, kCongestion };
struct Play {  // to the peer of the leg until it is connected, or told something else
  MediaLegId leg;
  Tone tone = Tone::kNone;
  std::string region;                                     // whose tones: ISO 3166, "US"
  std::shared_ptr<const model::Prompt> prompt = nullptr;  // said once, before the tone
};
struct SendDigit {  // to the peer of the leg, in the form agreed with it: RFC 4733, else as a tone
  MediaLegId leg;
  char digit = '0';
  std::uint32_t duration_ms = 160;
};
struct WatchSilence {  // report LegSilent when nothing (RTP or RTCP) came for so long; zero: never
  MediaLegId leg;
  Duration after{0};
};
struct CloseLeg {  // answered by LegClosed with the final figures; the port rests and comes back in
                   // PortsOpened
  MediaLegId leg;
};
// Opens a leg that has no ports: what it sends goes through the session, what comes on the session comes to
// it. One leg at a time; a later one takes the place of an earlier one. Said again for a leg that is open,
// the leg takes its place back, or moves to another session. Addresses and keys of its SetPeer are not looked
// at: the session knows better. Closed with CloseLeg, or by the end of its session never.
struct AttachLeg {
  MediaLegId leg;
  SessionId session;
};

// Remote candidates are not among these: we are ICE-lite and never send a check, the browser's own checks say
// where it is (docs/protocols/webrtc.md).
struct OpenSession {  // from here on checks with these credentials are answered
  SessionId session;
  webrtc::IceCredentials local;
};
struct SetSessionRemote {  // again after a restart; fingerprints and role count until DTLS has begun
  SessionId session;
  webrtc::RemoteParameters remote;
};
struct RestartSession {  // new credentials; the old ones are answered until the new ones are used
  SessionId session;
  webrtc::IceCredentials local;
};
struct CloseSession {  // no event follows
  SessionId session;
};
using SessionCommand = std::variant<OpenSession, SetSessionRemote, RestartSession, CloseSession>;

using Command = std::variant<OpenPorts, OpenLeg, AttachLeg, SetPeer, Connect, Disconnect, Echo, Play,
                             SendDigit, WatchSilence, CloseLeg, SessionCommand>;

// ---- loop → exchange ----
struct Quality {  // of what came from the peer; round trip from RTCP (RFC 3550 §6.4), MOS by the E-model
                  // (G.107)
  std::uint64_t packets_received = 0;
  std::uint64_t packets_sent = 0;
  std::uint64_t packets_lost = 0;
  std::uint64_t packets_refused = 0;  // strangers, bad SRTP
  double jitter_ms = 0;
  std::optional<double> round_trip_ms;
  std::optional<double> mos;  // 1.0 … 4.5; none before anything was received
};
struct PortsOpened {
  std::vector<PortPair> ports;
  bool range_exhausted = false;
};
struct LegSilent {
  MediaLegId leg;
  Duration silent_for{0};
};
struct MediaStarted {  // first accepted RTP packet of the leg
  MediaLegId leg;
  Endpoint from;
};
// How the leg fares, every few seconds while packets come.
struct LegFigures {
  MediaLegId leg;
  Quality quality;
};
// What comes is not from where the peer said it would be, and none of it is taken. Once for a leg.
struct StrangersRefused {
  MediaLegId leg;
  Endpoint from;
  Endpoint expected;
  bool heard = false;  // the peer itself is heard as well
};
struct DigitPressed {  // RFC 4733, or a tone heard in decoded audio; one per key press
  MediaLegId leg;
  char digit = '0';
  std::uint32_t duration_ms = 0;
  // The peer of the connected leg hears of it in its media; else it has to be told otherwise (SIP INFO).
  bool passed_on = true;
};
// The loop could not keep up: audio that is decoded was cut by so much. At most one each 10 s.
struct LoopBehind {
  LoopIndex loop = 0;
  Duration behind{0};
};
struct LegClosed {
  MediaLegId leg;
  Quality quality;
};
struct SessionConnected {  // once: ICE has a pair, DTLS is done, the certificate is the promised one
  SessionId session;
  Endpoint from;
  webrtc::Protocol protocol = webrtc::Protocol::kUdp;
};
struct SessionMoved {  // the browser chose another pair (its network changed)
  SessionId session;
  Endpoint from;
  webrtc::Protocol protocol = webrtc::Protocol::kUdp;
};
struct SessionSilent {  // no check and no packet for a while: nothing is sent any more (RFC 7675)
  SessionId session;
  Duration silent_for{0};
};
struct SessionHeard {  // it is back after SessionSilent
  SessionId session;
};
struct SessionEnded {  // for good: failed, or ended by the browser; waits for CloseSession
  SessionId session;
  bool failed = false;
  std::string sentence;
};
using SessionEvent = std::variant<SessionConnected, SessionMoved, SessionSilent, SessionHeard, SessionEnded>;

using Event = std::variant<PortsOpened, LegSilent, MediaStarted, LegFigures, StrangersRefused, DigitPressed,
                           LoopBehind, LegClosed, SessionEvent>;

// A command and the loop it is for.
struct TellMedia {
  LoopIndex loop = 0;
  Command command;
};

}  // namespace bw::media
