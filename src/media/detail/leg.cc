#include "media/detail/leg.h"

#include <algorithm>
#include <utility>

#include "media/detail/session.h"
#include "rtp/e_model.h"
#include "rtp/rtcp.h"

namespace bw::media {
namespace {

// Payload numbers that name their codec (RFC 3551 §6).
rtp::VoiceCodec codec_of(std::uint8_t payload_type, std::uint32_t clock_rate) {
  switch (payload_type) {
    case 0:
    case 8:
      return rtp::VoiceCodec::kG711;
    case 3:
      return rtp::VoiceCodec::kGsm;
    case 9:
      return rtp::VoiceCodec::kG722;
    case 18:
      return rtp::VoiceCodec::kG729;
    default:
      return clock_rate == 48'000 ? rtp::VoiceCodec::kOpus : rtp::VoiceCodec::kOther;
  }
}

// A phone's packet time and the least its jitter buffer holds.
constexpr Duration kPhoneDelay = 40ms;

// The new key's session, or the old one where the key stayed: its roll-over counter and replay list must not
// start again with a re-INVITE (RFC 3711 §3.3.1). False: the key does not fit its suite.
bool renew(std::optional<Protection>& protection, rtp::SrtpSession::Role role,
           const std::optional<SrtpKey>& key) {
  if (!key) {
    protection.reset();
    return true;
  }
  if (protection && protection->key().suite == key->suite && protection->key().master == key->master)
    return true;
  protection = Protection::make(role, *key);
  return protection.has_value();
}

std::span<std::uint8_t> bytes_of(InPacket& packet) {
  return packet.buffer.first(packet.size);
}

}  // namespace

void LegStatistics::set_clock_rate(std::uint32_t clock_rate) {
  if (clock_rate == 0 || clock_rate == clock_rate_) return;
  clock_rate_ = clock_rate;
  received_before_ += current_.received();
  lost_before_ += current_.lost();
  current_ = rtp::Reception{clock_rate};
}

void LegStatistics::on_packet(const rtp::Header& header, Instant now) {
  if (header.ssrc != ssrc_ || payload_type_ == 0xff) {
    received_before_ += current_.received();
    lost_before_ += current_.lost();
    jitter_before_ms_ = current_.jitter_ms();
    current_ = rtp::Reception{clock_rate_};
    ssrc_ = header.ssrc;
    payload_type_ = header.payload_type;
  }
  current_.on_packet(header, now);
}

void LegStatistics::on_sender_report(std::uint32_t ssrc, const rtp::SenderInfo& info, Instant now) {
  if (ssrc == ssrc_) current_.on_sender_report(info, now);
}

std::optional<rtp::ReportBlock> LegStatistics::report(Instant now) {
  if (current_.received() == 0) return std::nullopt;
  return current_.report(ssrc_, now);
}

Quality LegStatistics::quality() const {
  Quality q;
  q.packets_received = received_before_ + current_.received();
  q.packets_lost = lost_before_ + current_.lost();
  q.jitter_ms = std::max(current_.jitter_ms(), current_.received() < 16 ? jitter_before_ms_ : 0.0);
  if (round_trip_) q.round_trip_ms = std::chrono::duration<double, std::milli>(*round_trip_).count();
  if (q.packets_received == 0) return q;
  rtp::NetworkQuality network;
  network.loss =
      static_cast<double>(q.packets_lost) / static_cast<double>(q.packets_lost + q.packets_received);
  const auto jitter =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>(q.jitter_ms));
  network.one_way_delay = round_trip_.value_or(0ms) / 2 + 2 * jitter + kPhoneDelay;
  q.mos = rtp::mean_opinion_score(codec_of(payload_type_, clock_rate_), network);
  return q;
}

void Leg::set_peer(const SetPeer& command, Instant now) {
  if (!has_peer_ || command.peer.rtp != peer_.rtp) {
    source_.expect(command.peer.rtp, command.sip_source, now, command.same_host);
    rtcp_.expect(command.peer.rtcp);
  } else if (command.peer.rtcp != peer_.rtcp) {
    rtcp_.expect(command.peer.rtcp);
  }
  has_peer_ = true;
  audio_.payloads = command.payloads;
  peer_ = command.peer;
  rtcp_mux_ = command.rtcp_mux;
  set_events(command);
  statistics_.set_clock_rate(command.clock_rate);
  if (command.clock_rate != 0) clock_rate_ = command.clock_rate;
  const bool receives = renew(receive_, rtp::SrtpSession::Role::kReceive, command.receive);
  const bool sends = renew(send_, rtp::SrtpSession::Role::kSend, command.send);
  unusable_ = !receives || !sends;
}

void Leg::attach(Session& session) {
  detach();
  if (session.leg != nullptr) session.leg->detach();
  session.leg = this;
  session.stream.interrupt();
  session_ = &session;
  attached_ = true;
}

void Leg::detach() {
  if (session_ != nullptr) session_->leg = nullptr;
  session_ = nullptr;
}

void Leg::set_events(const SetPeer& command) {
  events_received_.reset();
  events_sent_.reset();
  const auto number = command.telephone_event;
  if (number >= 0 && number < 128) events_received_.set(static_cast<std::size_t>(number));
  events_sent_ = events_received_;
  for (const PayloadFormat& f : audio_.payloads.receive) {
    if (is_telephone_event(f)) events_received_.set(f.payload & 0x7fU);
  }
  for (const PayloadFormat& f : audio_.payloads.send) {
    if (is_telephone_event(f)) events_sent_.set(f.payload & 0x7fU);
  }
  const auto rate = command.telephone_event_rate != 0 ? command.telephone_event_rate : command.clock_rate;
  if (std::exchange(digit_rate_, rate) != rate) digits_ = rtp::DtmfReceiver{rate};
}

void Leg::connect(Leg* partner, Instant now) {
  partner_ = partner;
  echo_ = false;
  mark_next_ = true;
  // A caller that rang for a while only now learns where to send.
  if (partner != nullptr) source_.reopen(now);
}

bool Leg::has_own_stream() const {
  const auto own = [](const Leg& leg) {
    return leg.passage != nullptr && leg.passage->kind == Passage::Kind::kOwnStream;
  };
  return own(*this) || (partner_ != nullptr && own(*partner_));
}

void Leg::set_echo(Instant now) {
  echo_ = true;
  mark_next_ = true;
  source_.reopen(now);
}

std::optional<rtp::Packet> Leg::receive_rtp(InPacket& packet, Instant now) {
  ++refused_;
  if (!attached_ && (unusable_ || !source_.could_accept(packet.from, now))) {
    note_stranger(packet.from, now);
    return std::nullopt;
  }
  if (!attached_ && receive_) {
    const auto size = receive_->unprotect_rtp(packet.buffer, packet.size);
    if (!size) return std::nullopt;
    packet.size = *size;
  }
  auto parsed = rtp::Packet::parse(bytes_of(packet));
  if (!parsed) return std::nullopt;
  const rtp::Header& header = parsed->header();
  const SourceLatch::Claim claim{packet.from, header.ssrc, header.sequence, receive_.has_value()};
  if (!attached_ && !source_.accepts(claim, now)) {
    note_stranger(packet.from, now);
    return std::nullopt;
  }
  if (!pace_.allows(now)) return std::nullopt;
  --refused_;
  statistics_.on_packet(header, now);
  return parsed;
}

void Leg::note_stranger(const Endpoint& from, Instant now) {
  if (strangers_ >= kStrangersTold || unusable_ || !source_.is_stranger(from, now)) return;
  if (++strangers_ < kStrangersTold) return;
  complaint_ = StrangersRefused{id, from, peer_.rtp, statistics_.quality().packets_received > 0};
}

std::optional<StrangersRefused> Leg::take_complaint() {
  return std::exchange(complaint_, std::nullopt);
}

bool Leg::judge_rtcp(const InPacket& packet) const {
  if (attached_) return true;
  if (unusable_) return false;
  if (packet.local_port == port) return source_.target() == packet.from;
  return rtcp_.could_accept(packet.from, source_.latched());
}

bool Leg::receive_rtcp(InPacket& packet, Instant now) {
  ++refused_;
  if (!judge_rtcp(packet)) return false;
  if (!attached_ && receive_) {
    const auto size = receive_->unprotect_rtcp(packet.buffer, packet.size);
    if (!size) return false;
    packet.size = *size;
  }
  const auto reader = rtp::RtcpReader::open(bytes_of(packet));
  if (!reader || !pace_.allows(now)) return false;
  --refused_;
  if (!attached_ && packet.local_port != port) rtcp_.hold(packet.from);
  read_reports(bytes_of(packet), now);
  return true;
}

// Of the peer's view of what it got, only the round trip is of interest (RFC 3550 §6.4.1).
void Leg::read_reports(std::span<const std::uint8_t> rtcp, Instant now) {
  auto reader = rtp::RtcpReader::open(rtcp);
  while (const auto packet = reader->next()) {
    if (const auto info = packet->sender_info()) {
      statistics_.on_sender_report(packet->sender_ssrc().value_or(0), *info, now);
    }
    for (std::size_t i = 0; i < packet->report_count(); ++i) {
      const auto block = packet->report(i);
      if (block.last_sr == 0 || block.last_sr != report_sent_) continue;
      const Duration held{static_cast<std::int64_t>(block.delay_since_sr) * 1'000'000'000 / 65'536};
      const Duration round_trip = now - report_sent_at_ - held;
      if (round_trip >= -10ms && round_trip < 60s)
        statistics_.on_round_trip(std::max(round_trip, Duration{0}));
    }
  }
}

std::optional<OutPacket> Leg::envelope(bool rtcp) const {
  if (attached_) {
    if (session_ == nullptr) return std::nullopt;
    const auto& transport = session_->transport;
    const webrtc::Path* path = rtcp ? transport.report_target() : transport.target();
    if (path == nullptr) return std::nullopt;
    return OutPacket{kSessionPort, path->remote, {}, path->local, path->stream};
  }
  const bool beside = rtcp && !rtcp_mux_;
  const auto to = beside ? rtcp_.target(source_) : source_.target();
  if (!to || unusable_) return std::nullopt;
  return OutPacket{static_cast<std::uint16_t>(beside ? port + 1 : port), *to, {}};
}

bool Leg::seal(std::span<std::uint8_t> buffer, std::size_t& size, bool rtcp) {
  std::optional<std::size_t> sealed{size};
  if (attached_) {
    auto& transport = session_->transport;
    sealed = rtcp ? transport.protect_rtcp(buffer, size) : transport.protect_rtp(buffer, size);
  } else if (send_) {
    sealed = rtcp ? send_->protect_rtcp(buffer, size) : send_->protect_rtp(buffer, size);
  }
  size = sealed.value_or(0);
  return sealed.has_value();
}

std::uint32_t Leg::clock_rate_of(const rtp::Header& sent) const {
  const auto format = std::ranges::find(audio_.payloads.send, sent.payload_type, &PayloadFormat::payload);
  return format == audio_.payloads.send.end() ? clock_rate_ : format->clock_rate;
}

void Leg::send_rtp(InPacket& packet, rtp::Header header, Instant now, OutBatch& out) {
  auto sent = envelope(false);
  if (!sent) return;
  // The listener's jitter buffer must not wait for the old sender's next packet (RFC 3551 §4.1); in a
  // telephone-event the bit would mean another key press.
  if (mark_next_ && !events_sent_[header.payload_type]) {
    rtp::set_marker(packet.buffer, true);
    mark_next_ = false;
  }
  if (attached_) header = session_->stream.pass(packet.buffer, header, clock_rate_of(header), now);
  if (header.ssrc != stream_.ssrc) stream_ = {.ssrc = header.ssrc, .timestamp = 0, .at = {}};
  stream_.timestamp = header.timestamp;
  stream_.at = now;
  ++stream_.packets;
  stream_.octets += static_cast<std::uint32_t>(packet.size - rtp::kHeaderBytes);
  if (!seal(packet.buffer, packet.size, false)) return;
  ++sent_;
  sent->bytes = bytes_of(packet);
  out.push_back(*sent);
}

void Leg::send_rtcp(InPacket& packet, Instant now, OutBatch& out) {
  auto sent = envelope(true);
  if (!sent) return;
  last_report_ = now;
  if (auto reader = rtp::RtcpReader::open(bytes_of(packet))) {
    const auto first = reader->next();
    if (const auto info = first ? first->sender_info() : std::nullopt) {
      report_sent_ = info->ntp.middle();
      report_sent_at_ = now;
    }
  }
  if (!seal(packet.buffer, packet.size, true)) return;
  sent->bytes = bytes_of(packet);
  out.push_back(*sent);
}

void Leg::start(Instant now) {
  started = true;
  last_report_ = now;
}

void Leg::report(std::span<std::uint8_t> buffer, Instant now, OutBatch& out) {
  const std::uint64_t moved = sent_ + statistics_.quality().packets_received;
  auto sent = envelope(true);
  if (!sent || now - last_report_ < kReportsMissing || moved == moved_at_report_) return;
  rtp::OwnReport own;
  // Without a stream of its own a reporter still needs an SSRC; nobody refers to it.
  own.ssrc = stream_.packets > 0 ? stream_.ssrc : static_cast<std::uint32_t>(id.value) | 0x8000'0000U;
  own.cname = "bellwire";
  if (stream_.packets > 0) {
    const auto since = std::chrono::duration<double>(now - stream_.at).count();
    const auto timestamp = stream_.timestamp + static_cast<std::uint32_t>(since * clock_rate_);
    own.sender = rtp::SenderInfo{rtp::NtpTime::of(now), timestamp, stream_.packets, stream_.octets};
  }
  const auto block = statistics_.report(now);
  if (block) own.blocks = {&*block, 1};
  std::size_t size = rtp::write_report(own, buffer.first(kReportBytes - kTailRoom));
  if (own.sender) {
    report_sent_ = own.sender->ntp.middle();
    report_sent_at_ = now;
  }
  if (size == 0 || !seal(buffer, size, true)) return;
  last_report_ = now;
  moved_at_report_ = moved;
  sent->bytes = buffer.first(size);
  out.push_back(*sent);
}

rtp::Digits Leg::digits_of(const rtp::Packet& packet, Instant now) {
  for (const PayloadFormat& f : audio_.payloads.receive) {
    if (f.payload != packet.header().payload_type || f.clock_rate == digit_rate_) continue;
    digit_rate_ = f.clock_rate;
    digits_ = rtp::DtmfReceiver{digit_rate_};
  }
  return digits_.on_packet(packet.header(), packet.payload(), now);
}

Quality Leg::quality() const {
  Quality q = statistics_.quality();
  q.packets_sent = sent_;
  q.packets_refused = refused_;
  return q;
}

}  // namespace bw::media
