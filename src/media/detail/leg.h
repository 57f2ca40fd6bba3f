// One leg: its path to the peer, its keys, and the figures of what came from there.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/pace.h"
#include "base/timer_heap.h"
#include "media/detail/key_ear.h"
#include "media/detail/listener.h"
#include "media/detail/passage.h"
#include "media/detail/protection.h"
#include "media/detail/speaker.h"
#include "media/packet.h"
#include "media/source_latch.h"
#include "ports/media.h"
#include "rtp/dtmf_receiver.h"
#include "rtp/packet.h"
#include "rtp/reception.h"
#include "rtp/rtcp.h"

namespace bw::media {

struct Session;

// What came from the peer, over all the SSRCs it used.
class LegStatistics {
 public:
  void set_clock_rate(std::uint32_t clock_rate);
  void on_packet(const rtp::Header& header, Instant now);
  void on_sender_report(std::uint32_t ssrc, const rtp::SenderInfo& info, Instant now);
  // What our report says of the peer's stream; none before it began.
  std::optional<rtp::ReportBlock> report(Instant now);
  void on_round_trip(Duration round_trip) { round_trip_ = round_trip; }
  // The received half; who sends fills in the rest.
  Quality quality() const;

 private:
  std::uint32_t clock_rate_ = 8000;
  std::uint32_t ssrc_ = 0;
  std::uint8_t payload_type_ = 0xff;
  rtp::Reception current_{8000};
  std::uint64_t received_before_ = 0;  // of earlier SSRCs
  std::uint64_t lost_before_ = 0;
  double jitter_before_ms_ = 0;
  std::optional<Duration> round_trip_;
};

// What went to the peer, as an SR must describe it (RFC 3550 §6.4.1).
struct SentStream {
  std::uint32_t ssrc = 0;
  std::uint32_t timestamp = 0;
  Instant at;
  std::uint32_t packets = 0;
  std::uint32_t octets = 0;
};

// For audio that is decoded or made here (relay_audio.cc).
struct LegAudio {
  PayloadMap payloads;                 // agreed with the peer
  std::unique_ptr<Listener> listener;  // while what the peer says is decoded
  std::unique_ptr<Speaker> speaker;    // what the peer hears of our own making
  std::unique_ptr<RelayedKeys> keys;   // while keys may be tones in what is relayed
  bool sounding = false;               // the relay ticks it
  bool keys_unheard = false;           // the partner's peer takes no telephone-event
  bool mixes = false;                  // its peer is sent keys of the exchange beside the partner's voice
};

// Owned by the relay from OpenLeg to CloseLeg.
class Leg {
 public:
  Leg(MediaLegId leg_id, std::uint16_t rtp_port, LatchLimits limits)
      : id(leg_id), port(rtp_port), source_(limits) {}
  ~Leg() { detach(); }
  Leg(const Leg&) = delete;
  Leg& operator=(const Leg&) = delete;

  // What this leg sends goes through the session from now on, and what comes to it from there has been judged
  // and decrypted.
  void attach(Session& session);
  void detach();
  bool is_attached() const { return attached_; }

  void set_peer(const SetPeer& command, Instant now);
  // The leg gets somebody to talk to, or loses them (nullptr).
  void connect(Leg* partner, Instant now);
  void set_echo(Instant now);

  // Judges, decrypts in place and counts. None: refused.
  std::optional<rtp::Packet> receive_rtp(InPacket& packet, Instant now);
  bool receive_rtcp(InPacket& packet, Instant now);
  // So many packets of strangers that it is no chance, once: what to tell.
  std::optional<StrangersRefused> take_complaint();
  static constexpr std::uint32_t kStrangersTold = 25;  // half a second of voice

  // Encrypts in place and appends, if the peer can be reached.
  void send_rtp(InPacket& packet, rtp::Header header, Instant now, OutBatch& out);
  void send_rtcp(InPacket& packet, Instant now, OutBatch& out);

  // Opus of 2.5 ms with keys beside it is less than one each kPacketEach; what a network held back comes at
  // once.
  static constexpr Duration kPacketEach = 2ms;
  static constexpr std::int64_t kPacketsAtOnce = 500;

  // The first packet came: the time for reports runs. Our own are made where the partner's have not come for
  // kReportsMissing, so that the peer learns how it is heard and we learn the round trip. The buffer holds
  // kReportBytes and lives as long as `out`.
  void start(Instant now);
  static constexpr Duration kReportsMissing = 10s;
  static constexpr std::size_t kReportBytes = 128 + kTailRoom;
  void report(std::span<std::uint8_t> buffer, Instant now, OutBatch& out);

  // Key presses that this packet, or the passing of time, completed.
  rtp::Digits digits_of(const rtp::Packet& packet, Instant now);
  rtp::Digits digits_by(Instant now) { return digits_.on_tick(now); }
  Deadline digit_deadline() const { return digits_.deadline(); }
  bool is_digit(const rtp::Header& header) const { return events_received_[header.payload_type]; }

  Leg* partner() const { return partner_; }
  bool echoes() const { return echo_; }
  Quality quality() const;

  const MediaLegId id;
  const std::uint16_t port;  // RTP; RTCP is the next one. kSessionPort: none of its own

  // The relay's silence watch.
  Duration silence_after{0};
  Instant last_heard;
  TimerHandle silence_alarm;
  TimerHandle digit_alarm;
  TimerHandle report_alarm;
  bool started = false;  // MediaStarted was told; reports begin
  bool figured = false;  // a packet came, whosever: figures are told from now on
  TimerHandle figures_alarm;

  // Towards the partner; none: packets pass as they are (media/detail/passage.h).
  std::unique_ptr<Passage> passage;
  // What is sent to the peer is no copy of what the partner's peer sent, or the other way round.
  bool has_own_stream() const;
  LegAudio& audio() { return audio_; }

 private:
  bool judge_rtcp(const InPacket& packet) const;
  void note_stranger(const Endpoint& from, Instant now);
  // Where packets go now, without the packet; none: nowhere.
  std::optional<OutPacket> envelope(bool rtcp) const;
  std::uint32_t clock_rate_of(const rtp::Header& sent) const;
  bool seal(std::span<std::uint8_t> buffer, std::size_t& size, bool rtcp);
  void set_events(const SetPeer& command);
  void read_reports(std::span<const std::uint8_t> rtcp, Instant now);

  Session* session_ = nullptr;  // gone before the leg: nothing can be sent
  bool attached_ = false;
  SourceLatch source_;
  RtcpLatch rtcp_;
  Leg* partner_ = nullptr;
  bool echo_ = false;
  bool mark_next_ = false;
  bool unusable_ = false;  // keys that do not fit: nothing passes, least of all in the clear
  bool has_peer_ = false;
  bool rtcp_mux_ = false;
  // telephone-event by payload number, from the peer and to it; a peer may have one for each clock.
  std::bitset<128> events_received_;
  std::bitset<128> events_sent_;
  PeerAddress peer_;
  std::optional<Protection> receive_;
  std::optional<Protection> send_;
  std::uint32_t digit_rate_ = 8000;
  rtp::DtmfReceiver digits_{8000};
  LegStatistics statistics_;
  std::uint64_t sent_ = 0;
  std::uint64_t moved_at_report_ = 0;  // packets both ways when we last reported
  SentStream stream_;
  std::uint64_t refused_ = 0;
  Pace pace_{kPacketEach, kPacketsAtOnce};  // of what is the peer's
  std::uint32_t strangers_ = 0;             // packets of them, as far as anybody counts
  std::optional<StrangersRefused> complaint_;
  std::uint32_t clock_rate_ = 8000;
  Instant last_report_;  // passed on to this peer, or our own
  // The last SR to this peer, to know the round trip from its answer.
  std::uint32_t report_sent_ = 0;  // NtpTime::middle(); 0: none
  Instant report_sent_at_;
  LegAudio audio_;
};

}  // namespace bw::media
