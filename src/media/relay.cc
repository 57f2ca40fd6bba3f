#include "media/relay.h"

#include <array>
#include <cassert>
#include <utility>

#include "media/detail/audio_desk.h"
#include "media/detail/leg.h"
#include "rtp/packet.h"
#include "rtp/srtp.h"

namespace bw::media {
namespace {

static_assert(kTailRoom >= rtp::kSrtpTailRoom);

// Echoed packets get an SSRC of their own, or the phone would see a collision with itself (RFC 3550 §8.2).
constexpr std::uint32_t kEchoSsrcMask = 0x00ec'0000;

}  // namespace

// Few reports are due at once: legs start at different times.
struct Relay::ReportBuffers {
  struct alignas(16) Buffer {
    std::array<std::uint8_t, Leg::kReportBytes> bytes;
  };
  std::array<Buffer, 16> buffers;
};

Relay::Relay(PortRange range, LoopIndex loop, RelayLimits limits, const webrtc::DtlsContext* browsers)
    : range_(range),
      loop_(loop),
      limits_(limits),
      sessions_(browsers, limits.sessions),
      report_buffers_(std::make_unique<ReportBuffers>()),
      audio_(std::make_unique<AudioDesk>()) {
  const std::size_t first = range_.first / 2U;
  const std::size_t end = range_.last / 2U + 1;
  by_port_.resize(end > first ? end - first : 0);
}

Relay::~Relay() = default;

void Relay::handle(const Input& input, Instant now) {
  std::visit([&](const auto& i) { on(i, now); }, input);
}

std::optional<Event> Relay::poll() {
  if (auto event = sessions_.poll_event()) return std::move(*event);
  if (events_.empty()) return std::nullopt;
  Event event = std::move(events_.front());
  events_.pop_front();
  return event;
}

Deadline Relay::deadline() const {
  const auto next = alarms_.next();
  if (!next) return sessions_.deadline();
  return sessions_.deadline().earliest({*next, "a leg may have fallen silent, or a port has rested"});
}

std::size_t Relay::index_of(std::uint16_t port) const {
  // A port below the range wraps around and lies beyond the end.
  return std::size_t{port / 2U} - range_.first / 2U;
}

Leg* Relay::find(MediaLegId id) const {
  const auto it = legs_.find(id);
  return it == legs_.end() ? nullptr : it->second;
}

void Relay::on(const OpenLeg& command, Instant now) {
  const std::size_t index = index_of(command.port.rtp);
  // The exchange hands out each port it was told of once.
  assert(index < by_port_.size() && !by_port_[index] && !legs_.contains(command.leg));
  if (index >= by_port_.size() || by_port_[index] || legs_.contains(command.leg)) return;
  by_port_[index] = std::make_unique<Leg>(command.leg, command.port.rtp, limits_.latch);
  by_port_[index]->last_heard = now;
  legs_.emplace(command.leg, by_port_[index].get());
}

void Relay::on(const AttachLeg& command, Instant now) {
  if (legs_.contains(command.leg)) {  // it comes back to a session, or moves to another
    const auto known = attached_.find(command.leg);
    Session* session = sessions_.find(command.session);
    if (known != attached_.end() && session != nullptr) known->second->attach(*session);
    return;
  }
  auto leg = std::make_unique<Leg>(command.leg, kSessionPort, limits_.latch);
  leg->last_heard = now;
  if (Session* session = sessions_.find(command.session)) leg->attach(*session);
  legs_.emplace(command.leg, leg.get());
  attached_.emplace(command.leg, std::move(leg));
}

void Relay::on(const SessionCommand& command, Instant now) {
  sessions_.handle(command, now);
}

void Relay::on(const SetPeer& command, Instant now) {
  Leg* leg = find(command.leg);
  if (leg == nullptr) return;
  leg->set_peer(command, now);
  plan(*leg, now);
  if (leg->partner() != nullptr) plan(*leg->partner(), now);
}

void Relay::on(const Connect& command, Instant now) {
  Leg* a = find(command.a);
  Leg* b = find(command.b);
  if (a == nullptr || b == nullptr || a == b || a->partner() == b) return;
  for (Leg* leg : {a, b}) {
    if (Leg* former = leg->partner()) {
      former->connect(nullptr, now);
      plan(*former, now);
    }
  }
  a->connect(b, now);
  b->connect(a, now);
  plan(*a, now);
  plan(*b, now);
}

void Relay::on(const Disconnect& command, Instant now) {
  Leg* leg = find(command.leg);
  if (leg == nullptr) return;
  Leg* former = leg->partner();
  leg->connect(nullptr, now);
  plan(*leg, now);
  if (former == nullptr) return;
  former->connect(nullptr, now);
  plan(*former, now);
}

void Relay::on(const Echo& command, Instant now) {
  on(Disconnect{command.leg}, now);
  if (Leg* leg = find(command.leg)) leg->set_echo(now);
}

void Relay::on(const WatchSilence& command, Instant now) {
  Leg* leg = find(command.leg);
  if (leg == nullptr) return;
  alarms_.cancel(leg->silence_alarm);
  leg->silence_after = command.after;
  leg->last_heard = now;
  if (command.after > Duration{0}) {
    alarms_.arm(leg->silence_alarm, now + command.after, {Alarm::Kind::kSilence, leg->id, 0});
  }
}

void Relay::on(const CloseLeg& command, Instant now) {
  Leg* leg = find(command.leg);
  if (leg == nullptr) return;
  on(Disconnect{command.leg}, now);
  alarms_.cancel(leg->silence_alarm);
  alarms_.cancel(leg->digit_alarm);
  alarms_.cancel(leg->report_alarm);
  alarms_.cancel(leg->figures_alarm);
  events_.emplace_back(LegClosed{leg->id, leg->quality()});
  legs_.erase(command.leg);
  if (attached_.erase(command.leg) != 0) return;
  TimerHandle unowned;  // never cancelled: the port comes back whatever happens
  alarms_.arm(unowned, now + limits_.port_rest, {Alarm::Kind::kPortRested, {}, leg->port});
  by_port_[index_of(leg->port)].reset();
}

void Relay::on(const Tick&, Instant now) {
  sessions_.tick(now);
  PortsOpened rested;
  while (const auto alarm = alarms_.pop_due(now)) {
    switch (alarm->kind) {
      case Alarm::Kind::kPortRested:
        rested.ports.push_back({loop_, alarm->port});
        break;
      case Alarm::Kind::kSilence: {
        Leg* leg = find(alarm->leg);
        assert(leg != nullptr);
        check_silence(*leg, now);
        break;
      }
      case Alarm::Kind::kReport:
        reports_due_.push_back(alarm->leg);
        break;
      case Alarm::Kind::kFigures: {
        Leg* leg = find(alarm->leg);
        assert(leg != nullptr);
        events_.emplace_back(LegFigures{leg->id, leg->quality()});
        tell_figures_after(*leg, limits_.figures_interval, now);
        break;
      }
      case Alarm::Kind::kAudio:
        audio_due(now);
        break;
      case Alarm::Kind::kDigit: {
        Leg* leg = find(alarm->leg);
        assert(leg != nullptr);
        tell_digits(*leg, leg->digits_by(now), now);
        break;
      }
    }
  }
  if (!rested.ports.empty()) events_.emplace_back(std::move(rested));
}

bool Relay::write_reports(Instant now, OutBatch& out) {
  for (auto& buffer : report_buffers_->buffers) {
    if (reports_due_.empty()) break;
    Leg* leg = find(reports_due_.back());
    reports_due_.pop_back();
    if (leg == nullptr) continue;
    leg->report(buffer.bytes, now, out);
    alarms_.arm(leg->report_alarm, now + limits_.report_interval, {Alarm::Kind::kReport, leg->id, 0});
  }
  return !reports_due_.empty();
}

// The alarm is not moved by each packet: when it fires, it looks at when the last one came.
void Relay::check_silence(Leg& leg, Instant now) {
  const Instant due = leg.last_heard + leg.silence_after;
  if (due > now) {
    alarms_.arm(leg.silence_alarm, due, {Alarm::Kind::kSilence, leg.id, 0});
    return;
  }
  events_.emplace_back(LegSilent{leg.id, now - leg.last_heard});
}

// At whole seconds, so that one message to the exchange tells of many legs.
void Relay::tell_figures_after(Leg& leg, Duration after, Instant now) {
  const Instant due{std::chrono::ceil<std::chrono::seconds>((now + after).since_epoch())};
  alarms_.arm(leg.figures_alarm, due, {Alarm::Kind::kFigures, leg.id, 0});
}

void Relay::refused(Leg& leg) {
  ++counters_.refused;
  if (auto complaint = leg.take_complaint()) events_.emplace_back(*complaint);
}

void Relay::tell_digits(Leg& leg, const rtp::Digits& digits, Instant now) {
  for (const rtp::Digit& d : digits) {
    events_.emplace_back(DigitPressed{leg.id, d.key, d.duration_ms, pass_digit(leg, d, now)});
  }
  const Instant due = leg.digit_deadline().at;
  if (due == Instant::far_future()) {
    alarms_.cancel(leg.digit_alarm);
  } else {
    alarms_.arm(leg.digit_alarm, due, {Alarm::Kind::kDigit, leg.id, 0});
  }
}

void Relay::heard(Leg& leg, Instant now) {
  leg.last_heard = now;
  if (alarms_.is_armed(leg.silence_alarm) || leg.silence_after == Duration{0}) return;
  // The leg was silent and is back: watch again.
  alarms_.arm(leg.silence_alarm, now + leg.silence_after, {Alarm::Kind::kSilence, leg.id, 0});
}

void Relay::on_packets(std::span<InPacket> packets, Instant now, OutBatch& out) {
  for (InPacket& packet : packets) {
    const std::size_t index = index_of(packet.local_port);
    Leg* leg = index < by_port_.size() ? by_port_[index].get() : nullptr;
    if (leg == nullptr) {
      ++counters_.no_leg;
      continue;
    }
    if (!std::exchange(leg->figured, true)) tell_figures_after(*leg, limits_.figures_first, now);
    const auto kind = rtp::classify(packet.buffer.first(packet.size));
    if (kind == rtp::Kind::kRtcp) {
      on_rtcp(*leg, packet, now, out);
    } else if (kind == rtp::Kind::kRtp && packet.local_port == leg->port) {
      on_rtp(*leg, packet, now, out);
    } else {
      ++counters_.malformed;
    }
  }
}

void Relay::on_session_packets(std::span<SessionPacket> packets, Instant now, OutBatch& out) {
  for (SessionPacket& packet : packets) {
    const auto media = sessions_.receive(packet, now);
    if (!media) continue;
    Leg& leg = *media->leg;
    if (!std::exchange(leg.figured, true)) tell_figures_after(leg, limits_.figures_first, now);
    InPacket plain{packet.path.remote, kSessionPort, packet.buffer, media->size};
    if (media->rtcp) {
      on_rtcp(leg, plain, now, out);
    } else {
      on_rtp(leg, plain, now, out);
    }
  }
}

void Relay::on_rtp(Leg& leg, InPacket& packet, Instant now, OutBatch& out) {
  const auto received = leg.receive_rtp(packet, now);
  if (!received) return refused(leg);
  heard(leg, now);
  if (!leg.started) {
    leg.start(now);
    alarms_.arm(leg.report_alarm, now + limits_.report_interval, {Alarm::Kind::kReport, leg.id, 0});
    events_.emplace_back(MediaStarted{leg.id, packet.from});
  }
  if (leg.is_digit(received->header())) tell_digits(leg, leg.digits_of(*received, now), now);
  if (leg.audio().keys) listen(leg, *received, now);
  if (leg.echoes()) {
    rtp::set_ssrc(packet.buffer, received->header().ssrc ^ kEchoSsrcMask);
    leg.send_rtp(packet, received->header(), now, out);
  } else if (leg.partner() == nullptr) {
    return;
  } else if (leg.passage == nullptr) {
    leg.partner()->send_rtp(packet, received->header(), now, out);
  } else {
    carry(leg, packet, *received, now, out);
  }
}

// Reports go to who hears the reported stream. An echo has nobody: the phone's report is about itself. What a
// browser hears and is heard by are streams of its session, which the other side's reports know nothing of.
void Relay::on_rtcp(Leg& leg, InPacket& packet, Instant now, OutBatch& out) {
  if (!leg.receive_rtcp(packet, now)) return refused(leg);
  heard(leg, now);
  if (leg.partner() == nullptr || leg.is_attached() || leg.partner()->is_attached()) return;
  if (leg.has_own_stream()) return;
  leg.partner()->send_rtcp(packet, now, out);
}

std::optional<Quality> Relay::quality(MediaLegId id) const {
  const Leg* leg = find(id);
  if (leg == nullptr) return std::nullopt;
  return leg->quality();
}

}  // namespace bw::media
