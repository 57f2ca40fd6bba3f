#include "server/control_thread.h"

#include <pthread.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "io/descriptor.h"
#include "sip/stun_keep_alive.h"

namespace bw::server {
namespace {

using exchange::Exchange;

constexpr std::uint64_t kInboxReady = ~std::uint64_t{0};
constexpr std::size_t kEvents = 16;
constexpr int kSendRounds = 4;
constexpr auto kLongestSleep = std::chrono::milliseconds{60'000};
// CR LF pairs, zero bytes: what phones send to keep a NAT open. Nothing that short can be a message.
constexpr std::size_t kKeepAliveBytes = 4;

// Whole milliseconds, rounded up: waking early would mean turning in circles until the moment has come.
int sleep_ms(Instant deadline, Instant now) {
  if (deadline <= now) return 0;
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
  return static_cast<int>(std::min(ms, kLongestSleep).count());
}

}  // namespace

struct ControlThread::Impl {
  Impl(io::UdpLinks l, std::unique_ptr<Exchange> e, const io::Clock& c, ControlInbox& i, Surroundings& s,
       ControlLimits given)
      : links(std::move(l)),
        exchange(std::move(e)),
        clock(c),
        inbox(i),
        surroundings(s),
        limits(given),
        epoll(::epoll_create1(EPOLL_CLOEXEC)) {
    if (!epoll) throw std::system_error(errno, std::system_category(), "epoll_create1");
    watch(EPOLL_CTL_ADD, inbox.descriptor(), kInboxReady, EPOLLIN);
    for (std::size_t k = 0; k < links.size(); ++k) watch(EPOLL_CTL_ADD, links.descriptor(k), k, EPOLLIN);
    wants_write.resize(links.size());
  }

  void watch(int operation, int fd, std::uint64_t data, std::uint32_t events) const {
    epoll_event event{};
    event.events = events;
    event.data.u64 = data;
    if (::epoll_ctl(epoll.get(), operation, fd, &event) != 0) {
      throw std::system_error(errno, std::system_category(), "epoll_ctl");
    }
  }

  void run();
  void turn();
  void take_datagrams(std::size_t socket, Instant now);
  void answer_keep_alive(const sip::Flow& flow, std::string_view datagram);
  void take_inbox(Instant now);
  void hand_out(Instant now);
  void drain();
  void dispatch(Exchange::Output&& output);
  void send_datagrams(Instant now);

  io::UdpLinks links;
  std::unique_ptr<Exchange> exchange;
  const io::Clock& clock;
  ControlInbox& inbox;
  Surroundings& surroundings;
  ControlLimits limits;
  io::Descriptor epoll;
  std::vector<Exchange::Input> inputs;
  std::vector<sip::Transmit> stream_messages;
  std::vector<sip::Flow> failed;
  std::vector<bool> wants_write;
  Instant last_turn;
  unsigned busy_turns = 0;
  std::size_t received = 0;  // datagrams of this turn
  std::size_t sent = 0;
  std::atomic<bool> stopping = false;
  std::atomic<std::uint64_t> turns = 0;
  std::jthread thread;  // last: everything above stands when it starts
};

ControlThread::ControlThread(io::UdpLinks links, std::unique_ptr<Exchange> exchange, const io::Clock& clock,
                             ControlInbox& inbox, Surroundings& surroundings, ControlLimits limits)
    : impl_(
          std::make_unique<Impl>(std::move(links), std::move(exchange), clock, inbox, surroundings, limits)) {
  impl_->thread = std::jthread([this] { impl_->run(); });
  ::pthread_setname_np(impl_->thread.native_handle(), "control");
}

ControlThread::~ControlThread() {
  impl_->stopping = true;
  impl_->inbox.signal();
}

std::uint64_t ControlThread::turns() const {
  return impl_->turns.load(std::memory_order_relaxed);
}

void ControlThread::Impl::run() {
  hand_out(clock.now());  // what the exchange asked for when it was made
  while (!stopping.load(std::memory_order_relaxed)) turn();
}

void ControlThread::Impl::turn() {
  std::array<epoll_event, kEvents> events{};
  if (busy_turns >= limits.busy_turns) std::this_thread::sleep_for(limits.gather);
  const int timeout = sleep_ms(exchange->deadline().at, clock.now());
  const int ready = ::epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()), timeout);
  const Instant now = clock.now();
  busy_turns = now - last_turn < limits.busy ? busy_turns + 1 : 0;
  last_turn = now;
  for (int i = 0; i < ready; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.u64 == kInboxReady) {
      take_inbox(now);
    } else if ((event.events & (EPOLLIN | EPOLLERR)) != 0) {
      take_datagrams(event.data.u64, now);
    }
  }
  if (exchange->deadline().at <= now) exchange->handle(Tick{}, now);
  hand_out(now);
  turns.fetch_add(1, std::memory_order_relaxed);
}

void ControlThread::Impl::take_datagrams(std::size_t socket, Instant now) {
  for (std::size_t batch = 0; batch < limits.batches_per_turn; ++batch) {
    const auto datagrams = links.receive(socket);
    received += datagrams.size();
    for (const io::UdpLinks::Datagram& d : datagrams) {
      if (d.bytes.size() <= kKeepAliveBytes) continue;
      const sip::Flow flow{sip::Transport::kUdp, {}, d.local, d.remote};
      if (sip::is_stun_request(d.bytes)) {
        answer_keep_alive(flow, d.bytes);
        continue;
      }
      exchange->handle(exchange::Received{flow, std::string(d.bytes)}, now);
    }
    if (datagrams.size() < io::UdpLinks::kBatch) return;
  }
}

// Concerns no registration or call, so the exchange never hears of it.
void ControlThread::Impl::answer_keep_alive(const sip::Flow& flow, std::string_view datagram) {
  if (auto answer = sip::answer_stun(datagram, flow.remote)) {
    links.queue({flow, std::make_shared<const std::string>(std::move(*answer))});
  }
}

void ControlThread::Impl::take_inbox(Instant now) {
  inbox.take(inputs);
  for (Exchange::Input& input : inputs) exchange->handle(std::move(input), now);
  inputs.clear();
}

void ControlThread::Impl::hand_out(Instant now) {
  drain();
  send_datagrams(now);
  if (!stream_messages.empty()) {
    surroundings.to_streams(std::move(stream_messages));
    stream_messages = {};
  }
  surroundings.counted(std::exchange(received, 0), std::exchange(sent, 0));
}

void ControlThread::Impl::drain() {
  while (auto output = exchange->poll()) dispatch(std::move(*output));
  surroundings.turn_ended();
}

void ControlThread::Impl::dispatch(Exchange::Output&& output) {
  std::visit(Overloaded{
                 [&](sip::Transmit&& t) {
                   if (sip::is_stream(t.to.transport)) {
                     stream_messages.push_back(std::move(t));
                   } else {
                     ++sent;
                     links.queue(std::move(t));
                   }
                 },
                 [&](exchange::Resolve&& r) { surroundings.resolve(std::move(r)); },
                 [&](ports::Persist&& p) { surroundings.persist(std::move(p)); },
                 [&](exchange::TellMedia&& m) { surroundings.tell_media(std::move(m)); },
                 [&](exchange::CloseConnection&& c) { surroundings.close_connection(c.connection); },
                 [&](exchange::Answered&& a) { surroundings.answered(std::move(a)); },
                 [&](exchange::Note&& n) { surroundings.note(std::move(n)); },
                 [&](exchange::BrowserPush&& p) { surroundings.push(std::move(p)); },
             },
             std::move(output));
}

// A peer that cannot be reached is news for the exchange, whose answer may be another datagram that fails.
// What still fails after a few rounds is tried by the next turn's retransmission or not at all.
void ControlThread::Impl::send_datagrams(Instant now) {
  for (int round = 0; round < kSendRounds; ++round) {
    failed.clear();
    links.flush(failed);
    if (failed.empty()) break;
    for (const sip::Flow& flow : failed) exchange->handle(exchange::ConnectionLost{flow}, now);
    drain();
  }
  for (std::size_t k = 0; k < links.size(); ++k) {
    if (links.blocked(k) == wants_write[k]) continue;
    wants_write[k] = links.blocked(k);
    watch(EPOLL_CTL_MOD, links.descriptor(k), k, wants_write[k] ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }
}

}  // namespace bw::server
