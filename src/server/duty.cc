#include "server/duty.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <ctime>

namespace bw::server {
namespace {

constexpr int kSettleMs = 200;  // editors write a file in several steps
constexpr std::int64_t kMostMs = 60'000;
// A certificate of our own making is renewed 30 days before its end, a given one may have been replaced.
constexpr auto kCertificateRound = std::chrono::hours{24};

std::int64_t monotonic_us() {
  const auto t = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(t).count();
}

void reload(Office& office, const io::ServiceManager& manager) {
  manager.say(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_us()));
  office.reload([&manager](const api::ReloadOutcome&) { manager.say("READY=1"); });
}

}  // namespace

Duty::Duty(const std::optional<std::filesystem::path>& watched) {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  for (const int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, s);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = io::Descriptor{::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
  if (!watched) return;
  // The directory, not the file: editors and configuration tools replace it by another.
  file_name_ = watched->filename();
  changes_ = io::Descriptor{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
  const auto folder = std::filesystem::absolute(*watched).parent_path();
  ::inotify_add_watch(changes_.get(), folder.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO);
}

void Duty::stand(Office& office, const io::ServiceManager& manager, Log& log) const {
  const auto watchdog_ms = static_cast<std::int64_t>(manager.watchdog_us() / 1'000 / 2);
  bool settling = false;
  auto next_round = std::chrono::steady_clock::now() + kCertificateRound;
  for (;;) {
    std::int64_t wait = watchdog_ms > 0 ? std::min(watchdog_ms, kMostMs) : kMostMs;
    if (settling) wait = kSettleMs;
    std::array<pollfd, 2> watched{{{signals_.get(), POLLIN, 0}, {changes_.get(), POLLIN, 0}}};
    const int ready = ::poll(watched.data(), changes_ ? 2 : 1, static_cast<int>(wait));
    if (watchdog_ms > 0 && office.alive()) manager.say("WATCHDOG=1");
    if (std::chrono::steady_clock::now() >= next_round) {
      next_round += kCertificateRound;
      office.renew_certificates();
    }
    office.forget_old_things();
    if (watched[0].revents != 0 && !take_signals(office, manager)) return;
    if (watched[1].revents != 0) settling = file_changed() || settling;
    if (ready == 0 && settling) {
      settling = false;
      log.info("the configuration file has changed");
      reload(office, manager);
    }
  }
}

bool Duty::take_signals(Office& office, const io::ServiceManager& manager) const {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo != SIGHUP) return false;
    reload(office, manager);
  }
  return true;
}

bool Duty::file_changed() const {
  alignas(inotify_event) std::array<char, 4096> space;
  bool ours = false;
  for (;;) {
    const ssize_t n = ::read(changes_.get(), space.data(), space.size());
    if (n <= 0) return ours;
    for (const char* at = space.data(); at < space.data() + n;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      ours = ours || (event->len > 0 && (file_name_ == event->name || std::strcmp(event->name, ".env") == 0));
      at += sizeof(inotify_event) + event->len;
    }
  }
}

}  // namespace bw::server
