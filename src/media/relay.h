// The media plane of one loop: legs, who is connected to whom, and the packets between them. Sans-IO: the
// driver (io/media_loop.h, or the test kit's network) owns the sockets and the clock.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/core.h"
#include "base/timer_heap.h"
#include "media/packet.h"
#include "media/port_share.h"
#include "media/sessions.h"
#include "media/source_latch.h"
#include "ports/media.h"

namespace bw::rtp {
struct Digit;
class Digits;
class Packet;
}  // namespace bw::rtp

namespace bw::media {

class Leg;

struct RelayLimits {
  LatchLimits latch;
  Duration report_interval = 5s;   // RFC 3550 §6.2
  Duration figures_first = 1s;     // LegFigures, after the first packet of a leg …
  Duration figures_interval = 5s;  // … and from then on, many legs at a time
  Duration port_rest = 2s;         // late packets of the old call must not reach the next one
  SessionLimits sessions;
  Duration catch_up = 100ms;  // decoded audio that is later than this is cut
};

// Datagrams no leg wanted; each leg counts its own in Quality.
struct RelayCounters {
  std::uint64_t no_leg = 0;        // the port has no leg, or rests
  std::uint64_t refused = 0;       // by legs: a stranger's, or not as agreed
  std::uint64_t malformed = 0;     // neither RTP nor RTCP of version 2
  std::uint64_t untranslated = 0;  // the other peer takes no such codec, and we do not know it
  std::uint64_t ticks_cut = 0;     // of 20 ms: the loop was behind
};

// One per media loop, used by that loop alone. A leg lives from OpenLeg to CloseLeg (answered by LegClosed);
// its port rests afterwards and comes back in PortsOpened. A command for a leg that is not there is ignored:
// commands and closings cross on the way.
class Relay {
 public:
  // OpenPorts is for the driver, which owns the sockets.
  using Input = std::variant<OpenLeg, AttachLeg, SetPeer, Connect, Disconnect, Echo, Play, SendDigit,
                             WatchSilence, CloseLeg, SessionCommand, Tick>;
  using Output = Event;

  // `browsers`: for the media connections of browsers, which outlives the relay; null: there are none.
  Relay(PortRange range, LoopIndex loop, RelayLimits limits = {},
        const webrtc::DtlsContext* browsers = nullptr);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  void handle(const Input& input, Instant now);
  std::optional<Event> poll();
  Deadline deadline() const;

  // The packet path: one look-up, no allocation (SRTP: one per new SSRC). Appends to `out` what is to be
  // sent; drain poll() afterwards as after handle().
  void on_packets(std::span<InPacket> packets, Instant now, OutBatch& out);

  // The same on the port of the browsers; drain poll_send() too.
  void on_session_packets(std::span<SessionPacket> packets, Instant now, OutBatch& out);
  // What a session has to say for itself, to be sent from the port of the browsers.
  std::optional<webrtc::Transport::Send> poll_send() { return sessions_.poll_send(); }
  // A TCP connection to that port was closed.
  void stream_gone(std::uint64_t stream, Instant now) { sessions_.stream_gone(stream, now); }
  const Sessions& sessions() const { return sessions_; }

  // Reports (RTCP) of our own that became due with a Tick. They lie in the relay's buffers: send them before
  // the next call. True: there are more. A driver that never asks sends none.
  bool write_reports(Instant now, OutBatch& out);

  // The same for audio of our own making (transcoded voice, tones, keys).
  bool write_audio(Instant now, OutBatch& out);

  const RelayCounters& counters() const { return counters_; }
  std::size_t legs() const { return legs_.size(); }
  // The figures of a leg so far; none if there is no such leg.
  std::optional<Quality> quality(MediaLegId leg) const;

 private:
  struct Alarm {
    enum class Kind : std::uint8_t { kSilence, kDigit, kReport, kFigures, kPortRested, kAudio };
    Kind kind = Kind::kSilence;
    MediaLegId leg;
    std::uint16_t port = 0;
  };

  struct ReportBuffers;
  struct AudioDesk;

  void on(const OpenLeg& command, Instant now);
  void on(const AttachLeg& command, Instant now);
  void on(const SetPeer& command, Instant now);
  void on(const Connect& command, Instant now);
  void on(const Disconnect& command, Instant now);
  void on(const Echo& command, Instant now);
  void on(const Play& command, Instant now);
  void on(const SendDigit& command, Instant now);
  void on(const WatchSilence& command, Instant now);
  void on(const CloseLeg& command, Instant now);
  void on(const SessionCommand& command, Instant now);
  void on(const Tick& tick, Instant now);

  Leg* find(MediaLegId id) const;
  std::size_t index_of(std::uint16_t port) const;  // of a port's pair in by_port_, or beyond it
  void on_rtp(Leg& leg, InPacket& packet, Instant now, OutBatch& out);
  void on_rtcp(Leg& leg, InPacket& packet, Instant now, OutBatch& out);
  void heard(Leg& leg, Instant now);
  void check_silence(Leg& leg, Instant now);
  void tell_figures_after(Leg& leg, Duration after, Instant now);
  void refused(Leg& leg);
  void tell_digits(Leg& leg, const rtp::Digits& digits, Instant now);

  // ---- relay_audio.cc ----
  void plan(Leg& from, Instant now);
  void carry(Leg& leg, InPacket& packet, const rtp::Packet& received, Instant now, OutBatch& out);
  bool pass_digit(Leg& leg, const rtp::Digit& digit, Instant now);
  void listen(Leg& leg, const rtp::Packet& received, Instant now);
  void press(Leg& leg, char key, Duration length, Instant now);
  void let_sound(Leg& leg, Instant now);
  void audio_due(Instant now);
  bool speak(Leg& leg, std::span<std::uint8_t> buffer, Instant now, OutBatch& out);

  PortRange range_;
  LoopIndex loop_;
  RelayLimits limits_;
  RelayCounters counters_;
  Sessions sessions_;                          // before the legs attached to them
  std::vector<std::unique_ptr<Leg>> by_port_;  // (port - first) / 2 → leg
  std::unordered_map<MediaLegId, std::unique_ptr<Leg>> attached_;
  std::unordered_map<MediaLegId, Leg*> legs_;
  TimerHeap<Alarm> alarms_;
  std::vector<MediaLegId> reports_due_;
  std::unique_ptr<ReportBuffers> report_buffers_;
  std::unique_ptr<AudioDesk> audio_;
  std::deque<Event> events_;
};

static_assert(Core<Relay>);

}  // namespace bw::media
