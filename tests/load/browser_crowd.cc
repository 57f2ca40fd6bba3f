// A crowd of browsers and phones for a server, told what to do line by line (tests/crowd.py): it has their
// media, whoever leads it has their signalling. Each command is answered by one line of JSON.
//
//   browser | phone CODEC TYPE          a new member, numbered from 0
//   meet N IP PORT [UFRAG PASSWORD HASH FINGERPRINT]
//   talk N | hush N | replay N
//   intrude N HERTZ                     a stranger sends what is sealed with N's keys
//   forget | look | hear N HERTZ | whom N
//   storm IP PORT COUNT | stormed
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "crowd_member.h"
#include "crowd_storm.h"
#include "io/clock.h"
#include "io/socket_address.h"
#include "webrtc/fingerprint.h"

namespace bw::load {
namespace {

using Words = std::vector<std::string_view>;

unsigned number_of(std::string_view word) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc{} || end != word.data() + word.size())
    throw std::invalid_argument(fmt::format("{} is no number", word));
  return number;
}

Endpoint endpoint_of(std::string_view ip, std::string_view port) {
  const auto address = IpAddress::parse(ip);
  if (!address) throw std::invalid_argument(fmt::format("{} is no address", ip));
  return {*address, static_cast<std::uint16_t>(number_of(port))};
}

audio::CodecKind codec_of(std::string_view name) {
  static const std::map<std::string_view, audio::CodecKind> kKnown{{"opus", audio::CodecKind::kOpus},
                                                                   {"pcmu", audio::CodecKind::kPcmu},
                                                                   {"pcma", audio::CodecKind::kPcma},
                                                                   {"g722", audio::CodecKind::kG722}};
  const auto it = kKnown.find(name);
  if (it == kKnown.end()) throw std::invalid_argument(fmt::format("{} is no codec", name));
  return it->second;
}

class Crowd {
 public:
  Crowd(const IpAddress& local, Duration pace) : local_(local), pace_(pace) {
    watch(STDIN_FILENO, kOrders);
    ::fcntl(STDIN_FILENO, F_SETFL, ::fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
  }

  void run() {
    while (!left_) {
      std::array<epoll_event, 64> events;
      // Members talk one after the other, not in step: packets leave as evenly as the pace allows.
      const timespec wait{0, (talking_ ? pace_ : Duration{5ms}).count()};
      const int n =
          ::epoll_pwait2(epoll_.get(), events.data(), static_cast<int>(events.size()), &wait, nullptr);
      const Instant now = clock_.now();
      for (int i = 0; i < n; ++i) {
        const auto name = events[static_cast<std::size_t>(i)].data.u64;
        name == kOrders ? take_orders(now) : members_[name]->receive(now);
      }
      for (const auto& member : members_) member->tick(now);
      if (storm_) storm_->blow();
    }
  }

 private:
  static constexpr std::uint64_t kOrders = ~std::uint64_t{0};

  void watch(int fd, std::uint64_t name) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = name;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  }

  void take_orders(Instant now) {
    std::array<char, 4'096> buffer;
    const ssize_t n = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (n <= 0) {
      left_ = n == 0 || errno != EAGAIN;
      return;
    }
    orders_.append(buffer.data(), static_cast<std::size_t>(n));
    for (std::size_t end = orders_.find('\n'); end != orders_.npos; end = orders_.find('\n')) {
      std::string answer;
      try {
        answer = obey(std::string_view{orders_}.substr(0, end), now);
      } catch (const std::exception& e) {
        answer = fmt::format(R"({{"error": "{}"}})", e.what());
      }
      fmt::print("{}\n", answer);
      std::fflush(stdout);
      orders_.erase(0, end + 1);
    }
  }

  std::string obey(std::string_view line, Instant now) {
    Words words;
    for (std::size_t at = 0; at < line.size();) {
      const std::size_t end = std::min(line.find(' ', at), line.size());
      words.push_back(line.substr(at, end - at));
      at = end + 1;
    }
    static const std::map<std::string_view, std::string (Crowd::*)(const Words&, Instant)> kOrdersByName{
        {"browser", &Crowd::browser}, {"phone", &Crowd::phone},   {"meet", &Crowd::meet},
        {"talk", &Crowd::talk},       {"hush", &Crowd::hush},     {"replay", &Crowd::replay},
        {"intrude", &Crowd::intrude}, {"forget", &Crowd::forget}, {"look", &Crowd::look},
        {"hear", &Crowd::hear},       {"whom", &Crowd::whom},     {"storm", &Crowd::storm},
        {"stormed", &Crowd::stormed},
    };
    const auto order = words.empty() ? kOrdersByName.end() : kOrdersByName.find(words[0]);
    if (order == kOrdersByName.end()) throw std::invalid_argument("there is no such command");
    return (this->*order->second)(words, now);
  }

  Member& member(const Words& words) { return *members_.at(number_of(words.at(1))); }

  std::string add(audio::CodecKind codec, unsigned payload_type, bool is_browser) {
    if (members_.size() >= kMostMembers) throw std::length_error("there are no more tones");
    const auto number = static_cast<unsigned>(members_.size());
    members_.push_back(
        std::make_unique<Member>(number, local_, codec, static_cast<std::uint8_t>(payload_type), is_browser));
    tones_.push_back(tone_of(number));
    const Member& made = *members_.back();
    watch(made.descriptor(), number);
    std::string answer =
        fmt::format(R"({{"number": {}, "port": {}, "hertz": {})", number, made.port(), tones_.back());
    if (is_browser) {
      answer += fmt::format(R"(, "ufrag": "{}", "password": "{}", "fingerprint": "{}")", made.ice().ufrag,
                            made.ice().password.reveal(), webrtc::to_string(made.fingerprint()));
    }
    return answer + "}";
  }

  std::string browser(const Words&, Instant) { return add(audio::CodecKind::kOpus, 111, true); }
  std::string phone(const Words& w, Instant) { return add(codec_of(w.at(1)), number_of(w.at(2)), false); }

  std::string meet(const Words& w, Instant now) {
    webrtc::RemoteParameters remote;
    if (member(w).is_browser()) {
      const auto fingerprint = webrtc::parse_fingerprint(fmt::format("{} {}", w.at(6), w.at(7)));
      if (!fingerprint) throw std::invalid_argument("that is no fingerprint");
      remote = {
          {std::string(w.at(4)), Secret{std::string(w.at(5))}}, {*fingerprint}, webrtc::DtlsRole::kClient};
    }
    member(w).meet(endpoint_of(w.at(2), w.at(3)), std::move(remote), now);
    return "{}";
  }

  std::string talk(const Words& w, Instant now) {
    const unsigned number = number_of(w.at(1));
    member(w).talk(now + Member::kInterval * number / kMostMembers);
    talking_ = true;
    return "{}";
  }
  std::string hush(const Words& w, Instant) {
    member(w).hush();
    return "{}";
  }
  std::string replay(const Words& w, Instant) { return fmt::format(R"({{"sent": {}}})", member(w).replay()); }

  std::string intrude(const Words& w, Instant) {
    const io::Descriptor stranger{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    sockaddr_storage to{};
    const socklen_t length = io::to_sockaddr(member(w).server(), to);
    unsigned sent = 0;
    for (const Bytes& packet : member(w).forge(number_of(w.at(2)))) {
      const ssize_t n = ::sendto(stranger.get(), packet.data(), packet.size(), MSG_NOSIGNAL,
                                 reinterpret_cast<const sockaddr*>(&to), length);
      sent += n > 0 ? 1 : 0;
    }
    return fmt::format(R"({{"sent": {}}})", sent);
  }

  std::string forget(const Words&, Instant) {
    for (const auto& member : members_) member->forget();
    return "{}";
  }

  std::string look(const Words&, Instant) {
    std::string all;
    for (const auto& member : members_) {
      const auto errors = member->is_browser() ? member->errors() : std::vector<std::uint16_t>{};
      all += fmt::format(R"({}{{"connected": {}, "packets": {}, "errors": [{}]}})", all.empty() ? "" : ", ",
                         member->connected(), member->packets(), fmt::join(errors, ", "));
    }
    return fmt::format(R"({{"members": [{}]}})", all);
  }
  // One at a time: listening takes a while, in which nobody talks.
  std::string hear(const Words& w, Instant) {
    return fmt::format(R"({{"share": {:.3f}}})", member(w).heard(number_of(w.at(2))));
  }
  std::string whom(const Words& w, Instant) {
    return fmt::format(R"({{"hertz": {}}})", member(w).loudest(tones_));
  }

  std::string storm(const Words& w, Instant now) {
    storm_ = std::make_unique<Storm>(local_, endpoint_of(w.at(1), w.at(2)), number_of(w.at(3)), now);
    return "{}";
  }
  std::string stormed(const Words&, Instant) {
    const auto f = storm_ ? storm_->figures() : Storm::Figures{};
    return fmt::format(R"({{"strangers": {}, "datagrams": {}, "answers": {}, "over": {}}})", f.strangers,
                       f.datagrams, f.answers, !storm_ || storm_->is_over());
  }

  const io::Clock clock_;
  const IpAddress local_;
  const Duration pace_;
  io::Descriptor epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<unsigned> tones_;
  std::unique_ptr<Storm> storm_;
  std::string orders_;
  bool talking_ = false;
  bool left_ = false;
};

}  // namespace
}  // namespace bw::load

int main(int argc, char** argv) {
  const auto local = bw::IpAddress::parse(argc > 1 ? argv[1] : "127.0.0.1");
  const unsigned pace_us = argc > 2 ? bw::load::number_of(argv[2]) : 1'000;
  if (!local) {
    std::fputs("usage: browser_crowd [LOCAL_ADDRESS [PACE_US]]; commands come line by line\n", stderr);
    return 2;
  }
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  bw::load::Crowd{*local, std::chrono::microseconds{pace_us}}.run();
  return 0;
}
