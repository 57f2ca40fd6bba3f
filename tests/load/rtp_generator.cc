#include "rtp_generator.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "io/descriptor.h"
#include "io/socket_address.h"

namespace bw::load {
namespace {

constexpr std::size_t kSendBatch = 8;  // small: the time stamp is taken once per batch
constexpr std::size_t kReceiveBatch = 64;
constexpr std::size_t kHeader = 12;
constexpr std::size_t kStamp = 8;  // send time, first in the payload
constexpr std::size_t kLargest = 2'048;
constexpr std::uint32_t kSsrcBase = 0x4c4f0000;  // stream number in the low bits

// The clock of SO_TIMESTAMPNS.
Duration wall_time() {
  timespec t{};
  ::clock_gettime(CLOCK_REALTIME, &t);
  return std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec};
}

void put16(std::uint8_t* at, std::uint16_t v) {
  at[0] = static_cast<std::uint8_t>(v >> 8U);
  at[1] = static_cast<std::uint8_t>(v);
}

void put32(std::uint8_t* at, std::uint32_t v) {
  put16(at, static_cast<std::uint16_t>(v >> 16U));
  put16(at + 2, static_cast<std::uint16_t>(v));
}

[[noreturn]] void refuse(const char* what) {
  throw std::system_error(errno, std::system_category(), what);
}

}  // namespace

struct RtpGenerator::Port {
  io::Descriptor socket;
  std::uint16_t number = 0;
  std::vector<std::uint32_t> due;
};

void RtpGenerator::Histogram::add(Duration delay) {
  delay = std::max(delay, Duration{0});
  const auto bin = static_cast<std::size_t>(delay / kStep);
  ++bins_[std::min(bin, bins_.size() - 1)];
  ++count_;
  largest_ = std::max(largest_, delay);
}

Duration RtpGenerator::Histogram::quantile(double q) const {
  const auto wanted = static_cast<std::uint64_t>(q * static_cast<double>(count_));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < bins_.size(); ++i) {
    seen += bins_[i];
    if (seen > wanted) return kStep * (i + 1);
  }
  return largest_;
}

RtpGenerator::RtpGenerator(GeneratorSettings settings) : settings_(settings) {
  settings_.payload = std::clamp(settings_.payload, kStamp, kLargest - kHeader);
}

RtpGenerator::~RtpGenerator() = default;

std::uint16_t RtpGenerator::open_port() {
  auto port = std::make_unique<Port>();
  sockaddr_storage address{};
  socklen_t length = io::to_sockaddr({settings_.local, 0}, address);
  port->socket = io::Descriptor{::socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!port->socket) refuse("socket");
  const int yes = 1;
  const int buffer = 4 * 1024 * 1024;
  ::setsockopt(port->socket.get(), SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes);
  ::setsockopt(port->socket.get(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (::bind(port->socket.get(), raw, length) != 0) refuse("bind");
  length = sizeof address;
  if (::getsockname(port->socket.get(), raw, &length) != 0) refuse("getsockname");
  port->number = io::from_sockaddr(address).port;
  ports_.push_back(std::move(port));
  return ports_.back()->number;
}

void RtpGenerator::add_stream(std::uint16_t from_port, const Endpoint& server) {
  const auto port = std::ranges::find(ports_, from_port, [](const auto& p) { return p->number; });
  if (port == ports_.end()) throw std::invalid_argument("add_stream: the port was not opened here");
  streams_.push_back({.port = static_cast<std::uint32_t>(port - ports_.begin()), .server = server});
}

GeneratorReport RtpGenerator::run(Duration length) {
  GeneratorReport report;
  const auto delays = std::make_unique<Histogram>();
  for (Stream& s : streams_) s.received = 0;
  using Clock = std::chrono::steady_clock;
  // Stream i's first packet leaves at i / n of the interval, so the load is even.
  const auto started = Clock::now();
  const auto total = streams_.size() * static_cast<std::uint64_t>(length / settings_.interval);
  std::uint64_t sent = 0;
  std::vector<std::uint32_t> due;
  while (sent < total) {
    const auto elapsed = Duration{Clock::now() - started};
    const auto until =
        std::min<std::uint64_t>(total, static_cast<std::uint64_t>(elapsed.count()) * streams_.size() /
                                               static_cast<std::uint64_t>(settings_.interval.count()) +
                                           1);
    due.clear();
    for (; sent < until; ++sent) due.push_back(static_cast<std::uint32_t>(sent % streams_.size()));
    send_due(due, report);
    drain(report, *delays);
    std::this_thread::sleep_until(started + elapsed + settings_.tick);
  }
  std::this_thread::sleep_for(100ms);
  drain(report, *delays);
  report.delay_p50 = delays->quantile(0.5);
  report.delay_p99 = delays->quantile(0.99);
  report.delay_max = delays->largest();
  report.silent_streams = static_cast<std::uint64_t>(
      std::ranges::count_if(streams_, [](const Stream& s) { return s.received == 0; }));
  return report;
}

void RtpGenerator::send_due(std::span<const std::uint32_t> due, GeneratorReport& report) {
  for (const std::uint32_t s : due) ports_[streams_[s].port]->due.push_back(s);
  for (const auto& port : ports_) {
    std::span<const std::uint32_t> rest = port->due;
    while (!rest.empty()) {
      const auto n = std::min(rest.size(), kSendBatch);
      send_batch(*port, rest.first(n), report);
      rest = rest.subspan(n);
    }
    port->due.clear();
  }
}

void RtpGenerator::send_batch(Port& port, std::span<const std::uint32_t> streams, GeneratorReport& report) {
  std::array<std::array<std::uint8_t, kLargest>, kSendBatch> packets;
  std::array<mmsghdr, kSendBatch> messages{};
  std::array<iovec, kSendBatch> parts{};
  std::array<sockaddr_storage, kSendBatch> to{};
  const auto now = static_cast<std::uint64_t>(wall_time().count());
  for (std::size_t i = 0; i < streams.size(); ++i) {
    Stream& s = streams_[streams[i]];
    std::uint8_t* p = packets[i].data();
    p[0] = 0x80;
    p[1] = settings_.payload_type;
    put16(p + 2, ++s.sequence);
    put32(p + 4, s.timestamp += static_cast<std::uint32_t>(settings_.interval / 125us));
    put32(p + 8, kSsrcBase + streams[i]);
    std::memcpy(p + kHeader, &now, sizeof now);
    std::memset(p + kHeader + kStamp, 0xd5, settings_.payload - kStamp);
    parts[i] = {p, kHeader + settings_.payload};
    auto& h = messages[i].msg_hdr;
    h.msg_name = &to[i];
    h.msg_namelen = io::to_sockaddr(s.server, to[i]);
    h.msg_iov = &parts[i];
    h.msg_iovlen = 1;
  }
  const int n = ::sendmmsg(port.socket.get(), messages.data(), static_cast<unsigned>(streams.size()), 0);
  if (n > 0) report.sent += static_cast<std::uint64_t>(n);
}

void RtpGenerator::drain(GeneratorReport& report, Histogram& delays) {
  std::array<std::array<std::uint8_t, 256>, kReceiveBatch> packets;
  std::array<std::array<char, 64>, kReceiveBatch> control;
  std::array<mmsghdr, kReceiveBatch> messages{};
  std::array<iovec, kReceiveBatch> parts{};
  for (const auto& port : ports_) {
    for (int n = static_cast<int>(kReceiveBatch); n == static_cast<int>(kReceiveBatch);) {
      for (std::size_t i = 0; i < kReceiveBatch; ++i) {
        parts[i] = {packets[i].data(), packets[i].size()};
        messages[i].msg_hdr = {nullptr, 0, &parts[i], 1, control[i].data(), control[i].size(), 0};
      }
      n = ::recvmmsg(port->socket.get(), messages.data(), kReceiveBatch, MSG_DONTWAIT, nullptr);
      for (int i = 0; i < n; ++i) {
        const auto k = static_cast<std::size_t>(i);
        const cmsghdr* stamp = CMSG_FIRSTHDR(&messages[k].msg_hdr);
        timespec at{};
        if (stamp != nullptr) std::memcpy(&at, CMSG_DATA(stamp), sizeof at);
        count(std::span{packets[k]}.first(std::min<std::size_t>(messages[k].msg_len, packets[k].size())),
              std::chrono::seconds{at.tv_sec} + std::chrono::nanoseconds{at.tv_nsec}, report, delays);
      }
    }
  }
}

void RtpGenerator::count(std::span<const std::uint8_t> packet, Duration received_at, GeneratorReport& report,
                         Histogram& delays) {
  std::uint32_t ssrc = 0;
  std::uint64_t sent_at = 0;
  if (packet.size() >= kHeader + kStamp) {
    for (std::size_t i = 8; i < 12; ++i) ssrc = ssrc << 8U | packet[i];
    std::memcpy(&sent_at, packet.data() + kHeader, sizeof sent_at);
  }
  if (ssrc < kSsrcBase || ssrc - kSsrcBase >= streams_.size()) {
    ++report.foreign;
    return;
  }
  ++report.received;
  ++streams_[ssrc - kSsrcBase].received;
  delays.add(received_at - Duration{static_cast<std::int64_t>(sent_at)});
}

}  // namespace bw::load
