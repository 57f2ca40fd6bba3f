#include "io/browser_port.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "io/local_address.h"
#include "io/socket_address.h"
#include "rtp/packet.h"

namespace bw::io {
namespace {

constexpr std::size_t kFrameHead = 2;  // RFC 4571 §2: the length in network order
constexpr std::size_t kReadAhead = 4'096;
constexpr std::uint64_t kFirstStream = 16;  // names of descriptors below are those of sockets
constexpr Duration kSweepEach = 1s;
// Of one batch; so whoever floods one connection, or all of them, leaves room for everybody else.
constexpr std::size_t kFramesPerStream = 8;
constexpr std::size_t kPlacesOfStreams = BrowserPort::kBatch / 4;

struct alignas(16) Buffer {
  std::array<std::uint8_t, BrowserPort::kLargest + media::kTailRoom> bytes;
};

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

std::expected<Descriptor, int> open_socket(const Endpoint& address, int type,
                                           const BrowserPortLimits& limits) {
  const int family = address.ip.is_v4() ? AF_INET : AF_INET6;
  Descriptor fd{::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd) return std::unexpected(errno);
  if (family == AF_INET6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (type == SOCK_DGRAM) {
    set_option(fd.get(), SOL_SOCKET, SO_RCVBUF, limits.receive_buffer);
    set_option(fd.get(), SOL_SOCKET, SO_SNDBUF, limits.send_buffer);
    ask_for_local_address(fd.get(), family);
  } else {
    set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  }
  sockaddr_storage name{};
  const socklen_t length = to_sockaddr(address, name);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), length) != 0) return std::unexpected(errno);
  if (type == SOCK_STREAM && ::listen(fd.get(), 128) != 0) return std::unexpected(errno);
  return fd;
}

Endpoint name_of(int fd, bool peer) {
  sockaddr_storage name{};
  socklen_t length = sizeof name;
  auto* into = reinterpret_cast<sockaddr*>(&name);
  if ((peer ? ::getpeername(fd, into, &length) : ::getsockname(fd, into, &length)) != 0) return {};
  return from_sockaddr(name);
}

// One TCP connection.
struct Stream {
  Descriptor fd;
  webrtc::Path path;
  std::vector<std::uint8_t> in;   // frames not yet cut, at most kReadAhead
  std::vector<std::uint8_t> out;  // what the kernel did not take
  Instant opened;
  Instant heard;
  bool owes = false;   // watched for room to write
  bool begun = false;  // its first frame was a check
  bool waits = false;  // in the backlog
};

// Whose connections are counted together: one customer usually has a whole /64.
IpAddress owner_of(const IpAddress& address) {
  if (address.is_v4()) return address;
  auto bytes = address.bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return IpAddress::v6(bytes);
}

// A browser's first word is a check (RFC 8445 §7.2); whoever says anything else is none.
bool is_check(std::span<const std::uint8_t> frame) {
  constexpr std::size_t kHeader = 20;
  constexpr std::uint8_t kBindingRequest = 1;  // RFC 8489 §18.1
  return frame.size() >= kHeader && rtp::classify(frame) == rtp::Kind::kStun && frame[0] == 0 &&
         frame[1] == kBindingRequest;
}

}  // namespace

struct BrowserPort::Impl {
  struct Socket {
    Descriptor fd;
    Endpoint bound;
  };

  void watch(int fd, std::uint64_t name, std::uint32_t what = EPOLLIN) const;
  void receive_datagrams(std::span<const epoll_event> events);
  void serve_backlog();
  void receive_datagrams(const Socket& socket, std::size_t room);
  void accept(const Socket& listener, Instant now);
  void read(std::uint64_t name, Instant now);
  void cut(Stream& stream);
  void write_on(std::uint64_t name);
  void close(std::uint64_t name);
  void pause_accepting(bool pause);
  void make_room(const std::function<bool(const webrtc::Path&)>& is_proven);
  bool has_room() const { return packets.size() < kBatch; }
  const Socket* socket_for(const media::OutPacket& packet) const;
  void queue(const media::OutPacket& packet);
  std::size_t flush();
  bool send_frame(std::uint64_t name, std::span<const std::uint8_t> bytes);

  BrowserPortLimits limits;
  Descriptor epoll{::epoll_create1(EPOLL_CLOEXEC)};
  std::vector<Socket> datagrams;  // named 0, 1 …
  std::vector<Socket> listeners;  // named 8, 9 …
  static constexpr std::uint64_t kFirstListener = 8;
  std::map<std::uint64_t, Stream> streams;
  std::map<IpAddress, std::size_t> per_owner;
  std::uint64_t next_stream = kFirstStream;
  std::vector<std::uint64_t> backlog;  // streams with whole frames for which there was no room
  std::vector<std::uint64_t> gone;
  bool accepting = true;
  bool crowded = false;  // somebody waits for a place
  std::optional<Instant> sweep_at;

  std::array<Buffer, kBatch> buffers{};
  std::vector<media::SessionPacket> packets;
  std::array<mmsghdr, kBatch> in{};
  std::array<iovec, kBatch> vectors{};
  std::array<sockaddr_storage, kBatch> names{};
  std::array<LocalAddressRoom, kBatch> locals{};

  // Queued for one sendmmsg from `sending`.
  const Socket* sending = nullptr;
  std::size_t queued = 0;
  std::array<mmsghdr, kBatch> out{};
  std::array<iovec, kBatch> out_vectors{};
  std::array<sockaddr_storage, kBatch> out_names{};
  std::array<LocalAddressRoom, kBatch> out_locals{};
};

BrowserPort::BrowserPort(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BrowserPort::BrowserPort(BrowserPort&&) noexcept = default;
BrowserPort& BrowserPort::operator=(BrowserPort&&) noexcept = default;
BrowserPort::~BrowserPort() = default;

std::expected<BrowserPort, OpenError> BrowserPort::open(std::span<const Endpoint> addresses,
                                                        BrowserPortLimits limits) {
  auto impl = std::make_unique<Impl>();
  impl->limits = limits;
  impl->packets.reserve(kBatch);
  for (Endpoint address : addresses) {
    // Port 0 (tests): the same number for all.
    if (address.port == 0 && !impl->datagrams.empty()) address.port = impl->datagrams.front().bound.port;
    auto udp = open_socket(address, SOCK_DGRAM, limits);
    if (!udp) return std::unexpected(open_error("UDP", address, udp.error()));
    const Endpoint bound = name_of(udp->get(), false);
    auto tcp = open_socket(bound, SOCK_STREAM, limits);
    if (!tcp) return std::unexpected(open_error("TCP", bound, tcp.error()));
    impl->watch(udp->get(), impl->datagrams.size());
    impl->watch(tcp->get(), Impl::kFirstListener + impl->listeners.size());
    impl->datagrams.push_back({std::move(*udp), bound});
    impl->listeners.push_back({std::move(*tcp), bound});
  }
  return BrowserPort{std::move(impl)};
}

int BrowserPort::descriptor() const {
  return impl_->epoll.get();
}
std::uint16_t BrowserPort::port() const {
  return impl_->datagrams.empty() ? std::uint16_t{0} : impl_->datagrams.front().bound.port;
}
bool BrowserPort::has_more() const {
  return !impl_->backlog.empty();
}
std::size_t BrowserPort::streams() const {
  return impl_->streams.size();
}
std::vector<std::uint64_t> BrowserPort::take_gone() {
  return std::exchange(impl_->gone, {});
}
Deadline BrowserPort::deadline() const {
  return impl_->sweep_at ? Deadline{*impl_->sweep_at, "a TCP connection may be nobody's"} : Deadline::never();
}

void BrowserPort::Impl::watch(int fd, std::uint64_t name, std::uint32_t what) const {
  epoll_event event{};
  event.events = what;
  event.data.u64 = name;
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0 && errno == EEXIST) {
    ::epoll_ctl(epoll.get(), EPOLL_CTL_MOD, fd, &event);
  }
}

std::span<media::SessionPacket> BrowserPort::receive(Instant now) {
  Impl& m = *impl_;
  m.packets.clear();
  std::array<epoll_event, kBatch> room;
  const int n = ::epoll_wait(m.epoll.get(), room.data(), static_cast<int>(room.size()), 0);
  const auto events = std::span{room}.first(static_cast<std::size_t>(std::max(n, 0)));
  m.receive_datagrams(events);
  m.serve_backlog();
  for (const epoll_event& event : events) {
    const std::uint64_t name = event.data.u64;
    if (name < Impl::kFirstListener) continue;
    if (name < kFirstStream) {
      m.accept(m.listeners[name - Impl::kFirstListener], now);
    } else {
      if ((event.events & EPOLLOUT) != 0) m.write_on(name);
      if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) m.read(name, now);
    }
  }
  return m.packets;
}

// Before anything new, and in turn: who finds no room is the first of the next round.
void BrowserPort::Impl::serve_backlog() {
  auto waiting = std::exchange(backlog, {});
  auto next = waiting.begin();
  for (; next != waiting.end() && has_room(); ++next) {
    const auto it = streams.find(*next);
    if (it == streams.end()) continue;
    it->second.waits = false;
    cut(it->second);
  }
  backlog.insert(backlog.begin(), next, waiting.end());
}

// First, and each socket its share: nobody's TCP connection may stand before the voice of all.
void BrowserPort::Impl::receive_datagrams(std::span<const epoll_event> events) {
  const auto is_ready = [&](std::uint64_t name) {
    // So many were ready that not all are named.
    return events.size() == kBatch ||
           std::ranges::any_of(events, [name](const epoll_event& event) { return event.data.u64 == name; });
  };
  const std::size_t all = streams.empty() ? kBatch : kBatch - kPlacesOfStreams;
  for (std::size_t i = 0; i < datagrams.size(); ++i) {
    if (is_ready(i)) receive_datagrams(datagrams[i], (all - packets.size()) / (datagrams.size() - i));
  }
}

void BrowserPort::Impl::receive_datagrams(const Socket& socket, std::size_t room) {
  const std::size_t first = packets.size();
  for (std::size_t i = 0; i < room; ++i) {
    vectors[i] = {buffers[first + i].bytes.data(), kLargest};
    in[i].msg_hdr = {};
    in[i].msg_hdr.msg_iov = &vectors[i];
    in[i].msg_hdr.msg_iovlen = 1;
    in[i].msg_hdr.msg_name = &names[i];
    in[i].msg_hdr.msg_namelen = sizeof(sockaddr_storage);
    in[i].msg_hdr.msg_control = locals[i].bytes.data();
    in[i].msg_hdr.msg_controllen = kLocalAddressBytes;
  }
  const int n = ::recvmmsg(socket.fd.get(), in.data(), static_cast<unsigned>(room), MSG_DONTWAIT, nullptr);
  for (std::size_t i = 0; i < static_cast<std::size_t>(std::max(n, 0)); ++i) {
    const bool cut_off = (in[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;  // no browser sends such
    packets.push_back({{from_sockaddr(names[i]), local_address_of(in[i].msg_hdr, socket.bound.ip), 0},
                       buffers[first + i].bytes,
                       cut_off ? 0 : in[i].msg_len});
  }
}

void BrowserPort::Impl::accept(const Socket& listener, Instant now) {
  if (streams.size() >= limits.streams) {
    crowded = true;  // it waits in the kernel for what sweep() can do
    return;
  }
  Descriptor fd{::accept4(listener.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  if (!fd) {
    // Without descriptors the waiting connection would wake us for ever.
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) pause_accepting(true);
    if (!accepting && !sweep_at) sweep_at = now + kSweepEach;
    return;
  }
  const Endpoint remote = name_of(fd.get(), true);
  const IpAddress owner = owner_of(remote.ip);
  const auto others = per_owner.find(owner);
  if (others != per_owner.end() && others->second >= limits.streams_per_address) return;
  ++per_owner[owner];
  set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  const std::uint64_t name = next_stream++;
  watch(fd.get(), name);
  const webrtc::Path path{remote, name_of(fd.get(), false).ip, name};
  streams.emplace(name, Stream{std::move(fd), path, {}, {}, now, now, false});
  if (!sweep_at) sweep_at = now + kSweepEach;
}

void BrowserPort::Impl::read(std::uint64_t name, Instant now) {
  const auto it = streams.find(name);
  if (it == streams.end()) return;
  Stream& s = it->second;
  const std::size_t before = s.in.size();
  if (s.waits) return;  // the kernel keeps the rest, and the sender waits
  s.in.resize(kReadAhead);
  const ssize_t n = ::recv(s.fd.get(), s.in.data() + before, kReadAhead - before, 0);
  s.in.resize(before + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return close(name);
  s.heard = now;
  cut(s);
}

// RFC 4571 §2. An empty frame, or one larger than any packet of ours, is nothing we could serve.
void BrowserPort::Impl::cut(Stream& s) {
  std::size_t at = 0;
  for (std::size_t frames = 0; s.in.size() - at >= kFrameHead; ++frames) {
    const std::size_t size = std::size_t{s.in[at]} << 8U | s.in[at + 1];
    if (size == 0 || size > kLargest) return close(s.path.stream);
    if (s.in.size() - at - kFrameHead < size) break;
    if (!has_room() || frames == kFramesPerStream) {
      s.waits = true;
      backlog.push_back(s.path.stream);
      break;
    }
    const auto frame = std::span{s.in}.subspan(at + kFrameHead, size);
    if (!s.begun && !is_check(frame)) return close(s.path.stream);
    s.begun = true;
    Buffer& buffer = buffers[packets.size()];
    std::ranges::copy(frame, buffer.bytes.begin());
    packets.push_back({s.path, buffer.bytes, size});
    at += kFrameHead + size;
  }
  s.in.erase(s.in.begin(), s.in.begin() + static_cast<std::ptrdiff_t>(at));
}

void BrowserPort::Impl::close(std::uint64_t name) {
  const auto it = streams.find(name);
  if (it == streams.end()) return;
  const auto count = per_owner.find(owner_of(it->second.path.remote.ip));
  if (count != per_owner.end() && --count->second == 0) per_owner.erase(count);
  streams.erase(it);  // the descriptor leaves the epoll set by being closed
  gone.push_back(name);
}

void BrowserPort::Impl::pause_accepting(bool pause) {
  if (accepting == !pause) return;
  accepting = !pause;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    watch(listeners[i].fd.get(), kFirstListener + i, pause ? 0U : static_cast<std::uint32_t>(EPOLLIN));
  }
}

bool BrowserPort::send(const webrtc::Path& path, std::span<const std::uint8_t> bytes) {
  const media::OutPacket one{media::kSessionPort, path.remote, bytes, path.local, path.stream};
  return send_all(std::span{&one, 1}) == 1;
}

// One system call for a round's packets: besides the calls themselves, on one machine it saves wake-ups of
// who receives several of them.
std::size_t BrowserPort::send_all(std::span<const media::OutPacket> packets) {
  Impl& m = *impl_;
  std::size_t sent = 0;
  for (const media::OutPacket& packet : packets) {
    if (packet.local_port != media::kSessionPort) continue;
    if (packet.stream != 0) {
      sent += m.send_frame(packet.stream, packet.bytes) ? 1U : 0U;
      continue;
    }
    const Impl::Socket* socket = m.socket_for(packet);
    if (socket == nullptr) continue;
    if (socket != m.sending || m.queued == kBatch) sent += m.flush();
    m.sending = socket;
    m.queue(packet);
  }
  return sent + m.flush();
}

const BrowserPort::Impl::Socket* BrowserPort::Impl::socket_for(const media::OutPacket& packet) const {
  auto socket = std::ranges::find(datagrams, packet.local, [](const Socket& s) { return s.bound.ip; });
  if (socket == datagrams.end()) {
    socket = std::ranges::find_if(
        datagrams, [&](const Socket& s) { return s.bound.ip.is_v4() == packet.to.ip.is_v4(); });
  }
  return socket == datagrams.end() ? nullptr : &*socket;
}

void BrowserPort::Impl::queue(const media::OutPacket& packet) {
  // sendmmsg does not write through the vector; iovec has no const form.
  out_vectors[queued] = {const_cast<std::uint8_t*>(packet.bytes.data()), packet.bytes.size()};
  msghdr& header = out[queued].msg_hdr;
  header = {};
  header.msg_name = &out_names[queued];
  header.msg_namelen = to_sockaddr(packet.to, out_names[queued]);
  header.msg_iov = &out_vectors[queued];
  header.msg_iovlen = 1;
  if (sending->bound.ip.is_unspecified() && !packet.local.is_unspecified() &&
      packet.local.is_v4() == packet.to.ip.is_v4()) {
    leave_from(header, out_locals[queued], packet.local);
  }
  ++queued;
}

std::size_t BrowserPort::Impl::flush() {
  std::size_t sent = 0;
  for (std::size_t at = 0; at < queued;) {
    const int n = ::sendmmsg(sending->fd.get(), &out[at], static_cast<unsigned>(queued - at),
                             MSG_NOSIGNAL | MSG_DONTWAIT);
    // The call ends at one that cannot be sent, and that one is not tried again: voice does not wait.
    sent += static_cast<std::size_t>(std::max(n, 0));
    at += static_cast<std::size_t>(std::max(n, 1));
  }
  queued = 0;
  return sent;
}

bool BrowserPort::Impl::send_frame(std::uint64_t name, std::span<const std::uint8_t> bytes) {
  const auto it = streams.find(name);
  if (it == streams.end() || bytes.size() > 0xFFFF) return false;
  Stream& s = it->second;
  if (s.out.size() + kFrameHead + bytes.size() > limits.stream_waiting) return false;
  const bool was_idle = s.out.empty();
  s.out.push_back(static_cast<std::uint8_t>(bytes.size() >> 8U));
  s.out.push_back(static_cast<std::uint8_t>(bytes.size()));
  s.out.insert(s.out.end(), bytes.begin(), bytes.end());
  if (was_idle) write_on(name);
  return true;
}

void BrowserPort::Impl::write_on(std::uint64_t name) {
  const auto it = streams.find(name);
  if (it == streams.end()) return;
  Stream& s = it->second;
  const ssize_t n = ::send(s.fd.get(), s.out.data(), s.out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n < 0 && errno != EAGAIN && errno != EINTR) return close(name);
  s.out.erase(s.out.begin(), s.out.begin() + std::max<ssize_t>(n, 0));
  if (std::exchange(s.owes, !s.out.empty()) == s.owes) return;
  watch(s.fd.get(), name, s.owes ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

// A browser needs one round trip to prove itself, who only takes up places never does: so the oldest of those
// who did not gives its place to whoever waits. While all are proven, new ones wait.
void BrowserPort::Impl::make_room(const std::function<bool(const webrtc::Path&)>& is_proven) {
  crowded = false;
  const auto idle = std::ranges::find_if(streams, [&](const auto& s) { return !is_proven(s.second.path); });
  if (idle == streams.end()) return pause_accepting(true);
  close(idle->first);
}

void BrowserPort::sweep(Instant now, const std::function<bool(const webrtc::Path&)>& is_proven) {
  Impl& m = *impl_;
  if (m.crowded) m.make_room(is_proven);
  if (!m.sweep_at || *m.sweep_at > now) return;
  m.pause_accepting(false);
  const bool scarce = m.streams.size() >= m.limits.streams / 2;
  const Duration proof = scarce ? m.limits.scarce_stream_proof : m.limits.stream_proof;
  std::vector<std::uint64_t> ended;
  for (const auto& [name, s] : m.streams) {
    const bool unproven = now - s.opened >= proof && !is_proven(s.path);
    if (unproven || now - s.heard >= m.limits.stream_idle) ended.push_back(name);
  }
  for (const std::uint64_t name : ended) m.close(name);
  if (m.streams.empty()) {
    m.sweep_at.reset();
  } else {
    m.sweep_at = now + kSweepEach;
  }
}

}  // namespace bw::io
