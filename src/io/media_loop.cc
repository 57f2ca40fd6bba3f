#include "io/media_loop.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <stop_token>
#include <thread>
#include <utility>

#include "io/inbox.h"
#include "io/media_sockets.h"

namespace bw::io {
namespace {

using media::Event;
using media::InPacket;
using media::OutPacket;

// The largest datagram that is relayed: an Ethernet frame's worth.
constexpr std::size_t kLargest = 1'500;
struct alignas(16) Buffer {
  std::array<std::uint8_t, kLargest + media::kTailRoom> bytes;
};
// Voice before everything else of this machine; refused without CAP_SYS_NICE or LimitNICE, and works without.
constexpr int kNiceness = -10;
// A round that brought so many is dense enough as it is: waiting for more would only add delay.
constexpr Duration::rep kFullRound = 16;
// Packets that must come while they gather; for fewer, nobody's voice waits.
constexpr Duration::rep kWorthwhile = 4;
// After commands the thread looks for more by itself so long, in milliseconds: a call brings about ten of
// them, and waking a thread costs more than obeying. No ear notices the wait.
constexpr int kCommandPause = 3;

}  // namespace

// Everything that belongs to the thread. Only commands_, figures and the stop token are touched from outside.
class MediaLoop::Worker {
 public:
  Worker(const MediaLoopSettings& settings, const Clock& clock, EventSink sink,
         std::unique_ptr<BrowserSide> browsers)
      : settings_(settings),
        clock_(clock),
        sink_(std::move(sink)),
        browsers_(std::move(browsers)),
        relay_(settings.range, settings.index, settings.relay, browsers_ ? &browsers_->context : nullptr),
        share_(settings.range, settings.index, settings.loops),
        sockets_(settings.range, settings.bind),
        commands_(settings.waiting_commands) {
    sockets_.watch_extra(commands_.descriptor());
    if (browsers_) sockets_.watch_extra(browsers_->port.descriptor(), MediaSockets::kBrowsers);
    in_.reserve(MediaSockets::kBatch);
    out_.reserve(MediaSockets::kBatch);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~Worker() {
    thread_.request_stop();
    commands_.signal();
  }

  bool push(media::Command&& command) { return commands_.push(std::move(command)); }
  bool push_all(std::vector<media::Command>& commands) { return commands_.push_all(commands); }
  MediaLoopFigures figures() const;

 private:
  void run(const std::stop_token& stop);
  void take_commands(Instant now);
  void tick(Instant now);
  void open_ports(std::uint16_t count);
  void receive(std::span<const std::uint16_t> ready);
  std::size_t serve_browsers(std::span<const std::uint16_t> ready, Instant now);  // packets that came
  void send();
  void send_for_sessions();
  void deliver_events();
  int wait_ms() const;
  void let_gather(Instant round_started, std::size_t packets);
  void publish();

  const MediaLoopSettings settings_;
  const Clock& clock_;
  const EventSink sink_;
  std::unique_ptr<BrowserSide> browsers_;
  media::Relay relay_;
  media::PortShare share_;
  MediaSockets sockets_;
  Inbox<media::Command> commands_;

  std::vector<media::Command> taken_;
  std::vector<InPacket> in_;
  media::OutBatch out_;
  std::vector<Event> events_;
  std::array<Buffer, MediaSockets::kBatch> buffers_;
  Instant last_round_;
  MediaLoopFigures counted_;

  // The thread's own figures, made visible once per round.
  std::array<std::atomic<std::uint64_t>, 15> visible_{};
  std::jthread thread_;  // last: stops before anything it uses goes
};

void MediaLoop::Worker::run(const std::stop_token& stop) {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNiceness);
  while (!stop.stop_requested()) {
    const auto ready = sockets_.wait(wait_ms());
    const Instant now = clock_.now();
    receive(ready);
    relay_.on_packets(in_, now, out_);
    send();
    const std::size_t of_browsers = browsers_ ? serve_browsers(ready, now) : 0;
    // Commands after packets: what a peer sent before it was told to stop still belongs to the old state.
    if (commands_.reader_looks() || std::ranges::find(ready, MediaSockets::kExtra) != ready.end()) {
      take_commands(now);
    }
    if (relay_.deadline().at <= now) tick(now);
    deliver_events();
    publish();
    let_gather(now, in_.size() + of_browsers);
  }
}

std::size_t MediaLoop::Worker::serve_browsers(std::span<const std::uint16_t> ready, Instant now) {
  BrowserPort& port = browsers_->port;
  std::size_t came = 0;
  if (port.has_more() || std::ranges::find(ready, MediaSockets::kBrowsers) != ready.end()) {
    const auto packets = port.receive(now);
    came = packets.size();
    counted_.received += came;
    // A browser was told how to reach us after its session was pushed, so a check that has come for it finds
    // it among the commands, if not here yet.
    const auto unclaimed = [&](const auto& p) { return relay_.sessions().is_unclaimed_check(p); };
    if (std::ranges::any_of(packets, unclaimed)) take_commands(now);
    relay_.on_session_packets(packets, now, out_);
    send();
  }
  port.sweep(now, [this](const webrtc::Path& path) { return relay_.sessions().knows(path); });
  for (const std::uint64_t stream : port.take_gone()) relay_.stream_gone(stream, now);
  send_for_sessions();
  return came;
}

void MediaLoop::Worker::tick(Instant now) {
  relay_.handle(Tick{}, now);
  send_for_sessions();
  for (bool more = true; more;) {
    more = relay_.write_reports(now, out_);
    send();
  }
  for (bool more = true; more;) {
    more = relay_.write_audio(now, out_);
    send();
  }
}

int MediaLoop::Worker::wait_ms() const {
  if (commands_.reader_looks()) return kCommandPause;
  if (browsers_ && browsers_->port.has_more()) return 0;
  const Deadline next =
      browsers_ ? relay_.deadline().earliest(browsers_->port.deadline()) : relay_.deadline();
  const Instant at = next.at;
  if (at == Instant::far_future()) return -1;
  const Instant now = clock_.now();
  if (at <= now) return 0;
  constexpr Duration kLongest = 60s;
  const Duration rest = std::min(at - now, kLongest);
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(rest).count());
}

void MediaLoop::Worker::receive(std::span<const std::uint16_t> ready) {
  in_.clear();
  for (const std::uint16_t port : ready) {
    if (port == MediaSockets::kExtra || port == MediaSockets::kBrowsers) continue;
    auto& buffer = buffers_[in_.size()].bytes;
    const auto got = sockets_.receive(port, std::span{buffer}.first(kLargest));
    if (!got) continue;
    ++counted_.received;
    if (got->size > kLargest) {
      ++counted_.oversized;
      continue;
    }
    in_.push_back({got->from, port, buffer, got->size});
  }
}

void MediaLoop::Worker::send() {
  std::size_t sent = 0;
  for (const OutPacket& packet : out_) {
    if (packet.local_port == media::kSessionPort) continue;
    sent += sockets_.send(packet.local_port, packet.to, packet.bytes) ? 1U : 0U;
  }
  if (browsers_) sent += browsers_->port.send_all(out_);
  counted_.sent += sent;
  counted_.send_failed += out_.size() - sent;
  out_.clear();
}

void MediaLoop::Worker::send_for_sessions() {
  while (const auto send = relay_.poll_send()) {
    const bool sent = browsers_->port.send(send->path, send->bytes);
    ++(sent ? counted_.sent : counted_.send_failed);
  }
}

void MediaLoop::Worker::take_commands(Instant now) {
  commands_.take(taken_, true);
  for (media::Command& command : taken_) {
    std::visit(Overloaded{
                   [&](media::OpenPorts& c) { open_ports(c.count); },
                   [&](media::OpenLeg& c) { relay_.handle(std::move(c), now); },
                   [&](media::SetPeer& c) { relay_.handle(std::move(c), now); },
                   [&](media::Connect& c) { relay_.handle(std::move(c), now); },
                   [&](media::Disconnect& c) { relay_.handle(std::move(c), now); },
                   [&](media::Echo& c) { relay_.handle(std::move(c), now); },
                   [&](media::Play& c) { relay_.handle(std::move(c), now); },
                   [&](media::SendDigit& c) { relay_.handle(std::move(c), now); },
                   [&](media::WatchSilence& c) { relay_.handle(std::move(c), now); },
                   [&](media::CloseLeg& c) { relay_.handle(std::move(c), now); },
                   [&](media::AttachLeg& c) { relay_.handle(std::move(c), now); },
                   [&](media::SessionCommand& c) { relay_.handle(std::move(c), now); },
               },
               command);
    deliver_events();
  }
  send_for_sessions();
}

void MediaLoop::Worker::open_ports(std::uint16_t count) {
  media::PortsOpened opened;
  opened.ports.reserve(count);
  bool out_of_descriptors = false;
  while (opened.ports.size() < count && !out_of_descriptors) {
    const auto pair = share_.next();
    if (!pair) break;
    switch (sockets_.open_pair(pair->rtp)) {
      case MediaSockets::Opening::kOpened:
        opened.ports.push_back(*pair);
        break;
      case MediaSockets::Opening::kTaken:
        break;
      case MediaSockets::Opening::kNoDescriptors:
        out_of_descriptors = true;
        break;
    }
  }
  opened.range_exhausted = share_.exhausted() || out_of_descriptors;
  events_.emplace_back(std::move(opened));
}

void MediaLoop::Worker::deliver_events() {
  while (auto event = relay_.poll()) events_.push_back(std::move(*event));
  if (events_.empty()) return;
  sink_(std::exchange(events_, {}));
}

// Until a full round has come, at the pace of this one.
void MediaLoop::Worker::let_gather(Instant round_started, std::size_t packets) {
  const Duration gap = round_started - std::exchange(last_round_, round_started);
  if (packets == 0 || static_cast<Duration::rep>(packets) >= kFullRound) return;
  const Duration each = gap / static_cast<Duration::rep>(packets);
  if (each * kWorthwhile > settings_.gather) return;
  std::this_thread::sleep_for(std::min(each * kFullRound, settings_.gather));
}

void MediaLoop::Worker::publish() {
  ++counted_.rounds;
  const auto& relay = relay_.counters();
  const auto& of_browsers = relay_.sessions().counters();
  const std::array<std::uint64_t, 15> now{
      counted_.received,
      counted_.sent,
      counted_.send_failed,
      counted_.oversized,
      relay.no_leg,
      relay.malformed,
      counted_.rounds,
      relay_.legs(),
      relay.untranslated,
      relay.ticks_cut,
      of_browsers.no_session,
      of_browsers.refused.checks_refused,
      of_browsers.refused.dtls_strangers + of_browsers.refused.media_strangers,
      of_browsers.refused.media_refused,
      relay.refused};
  for (std::size_t i = 0; i < now.size(); ++i) visible_[i].store(now[i], std::memory_order_relaxed);
}

MediaLoopFigures MediaLoop::Worker::figures() const {
  const auto read = [&](std::size_t i) { return visible_[i].load(std::memory_order_relaxed); };
  return {.received = read(0),
          .sent = read(1),
          .send_failed = read(2),
          .oversized = read(3),
          .no_leg = read(4),
          .refused = read(14),
          .malformed = read(5),
          .no_session = read(10),
          .check_refused = read(11),
          .unproven_way = read(12),
          .media_refused = read(13),
          .untranslated = read(8),
          .audio_cut = read(9),
          .rounds = read(6),
          .legs = read(7)};
}

MediaLoop::MediaLoop(const MediaLoopSettings& settings, const Clock& clock, EventSink sink,
                     std::unique_ptr<BrowserSide> browsers)
    : worker_(std::make_unique<Worker>(settings, clock, std::move(sink), std::move(browsers))) {}

MediaLoop::~MediaLoop() = default;

bool MediaLoop::push(media::Command command) {
  return worker_->push(std::move(command));
}

bool MediaLoop::push_all(std::vector<media::Command>& commands) {
  return worker_->push_all(commands);
}

MediaLoopFigures MediaLoop::figures() const {
  return worker_->figures();
}

}  // namespace bw::io
