// Measures the media plane alone: a media loop in a process of its own, calls of two phones each, and a bare
// recvmmsg/sendmmsg loop right beside it for comparison.
//
//   rtp_load [--calls N] [--seconds S] [--tick US] [--gather US] [--runs R] [--ipv4] [--mode loop|bare|both]
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <future>
#include <string_view>
#include <system_error>
#include <vector>

#include "io/clock.h"
#include "io/descriptor.h"
#include "io/media_loop.h"
#include "io/socket_address.h"
#include "rtp_generator.h"

namespace bw::load {
namespace {

struct Options {
  unsigned calls = 400;
  unsigned seconds = 5;
  unsigned tick_us = 100;
  unsigned gather_us = 2'000;
  unsigned runs = 1;
  bool ipv4 = false;
  std::string_view mode = "both";
};

constexpr unsigned kPhonePorts = 8;  // the phones share so many sockets: the generator must stay cheap
const IpAddress kLoopback = IpAddress::v4(0x7f000001);

// What a measured process tells the generator: for each phone the port to send to.
using ServerPorts = std::vector<std::uint16_t>;

// A child process that relays until its standard input, a pipe, is closed.
class Subject {
 public:
  using Body = std::function<void(int report_to, int closed_by)>;
  explicit Subject(const Body& body, std::size_t phones) {
    std::array<int, 2> up{};
    std::array<int, 2> down{};
    if (::pipe(up.data()) != 0 || ::pipe(down.data()) != 0)
      throw std::system_error(errno, std::system_category());
    pid_ = ::fork();
    if (pid_ < 0) throw std::system_error(errno, std::system_category(), "fork");
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::close(up[0]);
      ::close(down[1]);
      body(up[1], down[0]);
      std::_Exit(0);
    }
    ::close(up[1]);
    ::close(down[0]);
    const io::Descriptor reader{up[0]};
    stop_ = io::Descriptor{down[1]};
    ports.resize(phones);
    auto* at = reinterpret_cast<char*>(ports.data());
    for (std::size_t rest = ports.size() * sizeof ports[0]; rest > 0;) {
      const ssize_t n = ::read(reader.get(), at, rest);
      if (n <= 0) throw std::runtime_error("the measured process ended before it was ready");
      at += n;
      rest -= static_cast<std::size_t>(n);
    }
  }
  ~Subject() {
    stop_ = {};
    int status = 0;
    ::waitpid(pid_, &status, 0);
  }
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  // User and system time of all its threads: what /proc/PID/stat shows, in nanoseconds.
  Duration cpu() const {
    clockid_t clock{};
    timespec t{};
    if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &t) != 0) return Duration{0};
    return std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec};
  }
  long resident_kib() const {
    std::array<char, 64> path{};
    std::snprintf(path.data(), path.size(), "/proc/%d/statm", static_cast<int>(pid_));
    long total = 0;
    long resident = 0;
    if (FILE* f = std::fopen(path.data(), "r")) {
      if (std::fscanf(f, "%ld %ld", &total, &resident) != 2) resident = 0;
      std::fclose(f);
    }
    return resident * (::sysconf(_SC_PAGESIZE) / 1024);
  }

  ServerPorts ports;

 private:
  pid_t pid_ = -1;
  io::Descriptor stop_;
};

void write_all(int fd, const ServerPorts& ports) {
  const auto* at = reinterpret_cast<const char*>(ports.data());
  for (std::size_t rest = ports.size() * sizeof ports[0]; rest > 0;) {
    const ssize_t n = ::write(fd, at, rest);
    if (n <= 0) std::_Exit(1);
    at += n;
    rest -= static_cast<std::size_t>(n);
  }
}

void wait_for_end(int fd) {
  char c = 0;
  while (::read(fd, &c, 1) > 0) {
  }
}

// 2 × calls legs, each connected to its neighbour, peers at the given phone ports in turn.
void run_media_loop(const Options& options, std::span<const std::uint16_t> phones, int report_to,
                    int closed_by) {
  const auto legs = options.calls * 2;
  io::MediaLoopSettings settings;
  settings.range = {20'000, 29'999};
  settings.gather = std::chrono::microseconds{options.gather_us};
  if (options.ipv4) settings.bind = IpAddress::v4(0);
  const io::Clock clock;
  std::promise<std::vector<media::PortPair>> opened;
  io::MediaLoop loop{settings, clock, [&](std::vector<media::Event>&& events) {
                       for (auto& e : events) {
                         if (auto* p = std::get_if<media::PortsOpened>(&e))
                           opened.set_value(std::move(p->ports));
                       }
                     }};
  loop.push(media::OpenPorts{static_cast<std::uint16_t>(legs)});
  const auto pairs = opened.get_future().get();
  ServerPorts ports;
  for (unsigned i = 0; i < legs && pairs.size() == legs; ++i) {
    const media::MediaLegId id{i + 1};
    const Endpoint phone{kLoopback, phones[i % phones.size()]};
    loop.push(media::OpenLeg{id, pairs[i]});
    loop.push(media::SetPeer{.leg = id, .peer = {phone, {phone.ip, 9}}});
    if (i % 2 == 1) loop.push(media::Connect{media::MediaLegId{i}, id});
    ports.push_back(pairs[i].rtp);
  }
  if (ports.size() != legs) std::_Exit(1);
  write_all(report_to, ports);
  wait_for_end(closed_by);
  const auto f = loop.figures();
  std::printf("        rounds %llu, %.1f packets each, not sent %llu\n",
              static_cast<unsigned long long>(f.rounds),
              static_cast<double>(f.received) / static_cast<double>(f.rounds),
              static_cast<unsigned long long>(f.send_failed));
  std::fflush(stdout);
}

// The least a relay in user space can do: one socket, no look at the packet.
void run_bare_loop(const Options& options, std::span<const std::uint16_t> phones, int report_to,
                   int closed_by) {
  constexpr std::size_t kBatch = 64;
  const io::Descriptor fd{::socket(AF_INET, SOCK_DGRAM, 0)};
  sockaddr_storage address{};
  socklen_t length = io::to_sockaddr({kLoopback, 0}, address);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) std::_Exit(1);
  const int buffer = 4 * 1024 * 1024;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  const timeval patience{0, 100'000};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  length = sizeof address;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length);
  write_all(report_to, ServerPorts(options.calls * 2UL, io::from_sockaddr(address).port));
  std::vector<std::array<std::uint8_t, 2'048>> packets(kBatch);
  std::array<mmsghdr, kBatch> messages{};
  std::array<iovec, kBatch> parts{};
  sockaddr_storage phone{};
  const socklen_t phone_length = io::to_sockaddr({kLoopback, phones[0]}, phone);
  for (;;) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      parts[i] = {packets[i].data(), packets[i].size()};
      messages[i].msg_hdr = {nullptr, 0, &parts[i], 1, nullptr, 0, 0};
    }
    const int n = ::recvmmsg(fd.get(), messages.data(), kBatch, MSG_WAITFORONE, nullptr);
    if (n <= 0) {
      pollfd gone{closed_by, POLLIN, 0};
      if (::poll(&gone, 1, 0) > 0) return;
      continue;
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      parts[i].iov_len = messages[i].msg_len;
      messages[i].msg_hdr.msg_name = &phone;
      messages[i].msg_hdr.msg_namelen = phone_length;
    }
    for (int done = 0; done < n;) {
      const int m = ::sendmmsg(fd.get(), messages.data() + done, static_cast<unsigned>(n - done), 0);
      if (m <= 0) break;
      done += m;
    }
  }
}

void measure(std::string_view name, const Options& options, const Subject::Body& body,
             RtpGenerator& generator, std::span<const std::uint16_t> phones) {
  const Subject subject{body, options.calls * 2UL};
  for (unsigned i = 0; i < options.calls * 2; ++i) {
    generator.add_stream(phones[i % phones.size()], {kLoopback, subject.ports[i]});
  }
  generator.run(500ms);  // warm-up: addresses are latched, buffers touched
  const Duration before = subject.cpu();
  const auto report = generator.run(std::chrono::seconds{options.seconds});
  const Duration used = subject.cpu() - before;
  const auto us = [](Duration d) { return static_cast<long>(d / 1us); };
  std::printf(
      "%-5.*s calls %u: %llu sent, %llu lost, %llu silent; %.2f CPU s per million; added p50 %ld us, "
      "p99 %ld us, max %ld us; %ld KiB\n",
      static_cast<int>(name.size()), name.data(), options.calls, static_cast<unsigned long long>(report.sent),
      static_cast<unsigned long long>(report.lost()), static_cast<unsigned long long>(report.silent_streams),
      static_cast<double>(used.count()) / 1e3 / static_cast<double>(report.received), us(report.delay_p50),
      us(report.delay_p99), us(report.delay_max), subject.resident_kib());
  std::fflush(stdout);
}

void run_once(std::string_view name, const Options& options) {
  GeneratorSettings settings;
  settings.tick = std::chrono::microseconds{options.tick_us};
  RtpGenerator generator{settings};
  std::vector<std::uint16_t> phones;
  for (unsigned i = 0; i < kPhonePorts; ++i) phones.push_back(generator.open_port());
  const bool bare = name == "bare";
  measure(
      name, options,
      [&](int up, int down) {
        bare ? run_bare_loop(options, phones, up, down) : run_media_loop(options, phones, up, down);
      },
      generator, phones);
}

bool parse(int argc, char** argv, Options& o) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--ipv4") {
      o.ipv4 = true;
      continue;
    }
    if (++i == argc) return false;
    const auto number = static_cast<unsigned>(std::strtoul(argv[i], nullptr, 10));
    if (name == "--mode") {
      o.mode = argv[i];
    } else if (name == "--calls") {
      o.calls = number;
    } else if (name == "--seconds") {
      o.seconds = number;
    } else if (name == "--tick") {
      o.tick_us = number;
    } else if (name == "--gather") {
      o.gather_us = number;
    } else if (name == "--runs") {
      o.runs = number;
    } else {
      return false;
    }
  }
  return o.calls > 0 && o.calls <= 2'500 && o.seconds > 0;
}

}  // namespace
}  // namespace bw::load

int main(int argc, char** argv) {
  bw::load::Options options;
  if (!bw::load::parse(argc, argv, options)) {
    std::fputs(
        "usage: rtp_load [--calls N] [--seconds S] [--tick US] [--gather US] [--runs R] [--ipv4]"
        " [--mode loop|bare|both]\n",
        stderr);
    return 2;
  }
  for (unsigned i = 0; i < options.runs; ++i) {
    if (options.mode != "bare") bw::load::run_once("loop", options);
    if (options.mode != "loop") bw::load::run_once("bare", options);
  }
  return 0;
}
