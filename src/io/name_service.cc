#include "io/name_service.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "io/inbox.h"
#include "io/socket_address.h"

namespace bw::io {
namespace {

struct Asked {
  dns::QueryId id;
  dns::Question question;
};

// The library's own state, once per process.
void initialise_library() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  if (status != ARES_SUCCESS) throw std::runtime_error(ares_strerror(status));
}

// The least TTL of the records in `section` of an answer: c-ares 1.18 does not give that of SRV and NAPTR.
// Names are skipped with the library's own expander, which checks every bound.
Duration least_ttl(const unsigned char* message, int length) {
  if (length < NS_HFIXEDSZ) return {};
  const unsigned char* end = message + length;
  const unsigned char* at = message + NS_HFIXEDSZ;
  const auto u16 = [](const unsigned char* p) { return static_cast<unsigned>(p[0] << 8U | p[1]); };
  const auto skip_name = [&] {
    char* name = nullptr;
    long size = 0;
    if (ares_expand_name(at, message, length, &name, &size) != ARES_SUCCESS) return false;
    ares_free_string(name);
    at += size;
    return true;
  };
  for (unsigned i = u16(message + 4); i > 0; --i) {
    if (!skip_name() || end - at < NS_QFIXEDSZ) return {};
    at += NS_QFIXEDSZ;
  }
  std::uint32_t least = UINT32_MAX;
  for (unsigned i = u16(message + 6); i > 0; --i) {
    if (!skip_name() || end - at < NS_RRFIXEDSZ) return {};
    least = std::min(least, static_cast<std::uint32_t>(u16(at + 4)) << 16U | u16(at + 6));
    const unsigned data = u16(at + 8);
    at += NS_RRFIXEDSZ;
    if (end - at < static_cast<std::ptrdiff_t>(data)) return {};
    at += data;
  }
  return least == UINT32_MAX ? Duration{0} : Duration{std::chrono::seconds{least}};
}

dns::Answer read_srv(const unsigned char* message, int length, std::size_t most) {
  dns::Answer answer;
  ares_srv_reply* list = nullptr;
  if (ares_parse_srv_reply(message, length, &list) != ARES_SUCCESS) return answer;
  for (const ares_srv_reply* r = list; r != nullptr && answer.srv.size() < most; r = r->next) {
    answer.srv.push_back({r->priority, r->weight, r->port, r->host});
  }
  ares_free_data(list);
  answer.ttl = least_ttl(message, length);
  return answer;
}

std::string text_of(const unsigned char* text) {
  return reinterpret_cast<const char*>(text);
}

dns::Answer read_naptr(const unsigned char* message, int length, std::size_t most) {
  dns::Answer answer;
  ares_naptr_reply* list = nullptr;
  if (ares_parse_naptr_reply(message, length, &list) != ARES_SUCCESS) return answer;
  for (const ares_naptr_reply* r = list; r != nullptr && answer.naptr.size() < most; r = r->next) {
    answer.naptr.push_back({r->order, r->preference, text_of(r->flags), text_of(r->service), r->replacement});
  }
  ares_free_data(list);
  answer.ttl = least_ttl(message, length);
  return answer;
}

dns::Answer read_addresses(const ares_addrinfo& info, std::size_t most) {
  dns::Answer answer;
  int least = INT32_MAX;
  for (const ares_addrinfo_node* n = info.nodes; n != nullptr && answer.addresses.size() < most;
       n = n->ai_next) {
    sockaddr_storage address{};
    std::memcpy(&address, n->ai_addr, std::min<std::size_t>(n->ai_addrlen, sizeof address));
    answer.addresses.push_back(from_sockaddr(address).ip);
    least = std::min(least, n->ai_ttl);
  }
  answer.ttl = std::chrono::seconds{least == INT32_MAX ? 0 : least};
  return answer;
}

}  // namespace

struct NameService::Impl {
  // One question in flight; c-ares gives it back to the callback.
  struct Pending {
    Impl* service;
    dns::QueryId id;
    dns::RecordType type;
  };

  Impl(OnAnswer f, const NameServiceLimits& l) : on_answer(std::move(f)), limits(l), inbox(l.questions) {}
  ~Impl() {
    stopping = true;
    inbox.signal();
    if (thread.joinable()) thread.join();
    if (channel != nullptr) ares_destroy(channel);  // calls back with ARES_EDESTRUCTION
  }

  void open(const std::string& servers);
  void run();
  void wait();
  void start(Asked&& asked);
  void finish(Pending* pending, dns::Answer&& answer);
  static void on_message(void* argument, int status, int, unsigned char* message, int length);
  static void on_addresses(void* argument, int status, int, ares_addrinfo* info);

  OnAnswer on_answer;
  NameServiceLimits limits;
  Inbox<Asked> inbox;
  std::vector<Asked> asked;
  std::size_t in_flight = 0;
  ares_channel channel = nullptr;
  std::atomic<bool> stopping = false;
  std::thread thread;
};

void NameService::Impl::open(const std::string& servers) {
  initialise_library();
  ares_options options{};
  options.timeout = static_cast<int>(limits.timeout.count());
  options.tries = limits.tries;
  const int status = ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
  if (status != ARES_SUCCESS) throw std::runtime_error(ares_strerror(status));
  if (!servers.empty() && ares_set_servers_ports_csv(channel, servers.c_str()) != ARES_SUCCESS) {
    throw std::runtime_error("unusable name servers: " + servers);
  }
}

void NameService::Impl::run() {
  while (!stopping) {
    wait();
    inbox.take(asked);
    for (Asked& a : asked) start(std::move(a));
  }
}

void NameService::Impl::wait() {
  std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
  const int bits = ares_getsock(channel, sockets.data(), ARES_GETSOCK_MAXNUM);
  std::vector<pollfd> watched{{inbox.descriptor(), POLLIN, 0}};
  for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
    const bool readable = (static_cast<unsigned>(bits) >> i & 1U) != 0;
    const bool writable = (static_cast<unsigned>(bits) >> (i + ARES_GETSOCK_MAXNUM) & 1U) != 0;
    if (!readable && !writable) continue;
    const int events = (readable ? POLLIN : 0) | (writable ? POLLOUT : 0);
    watched.push_back({sockets[i], static_cast<short>(events), 0});
  }
  timeval space{};
  const timeval* left = ares_timeout(channel, nullptr, &space);
  // Rounded up, so that the thread does not turn in circles through the last millisecond.
  const int timeout =
      left == nullptr ? -1 : static_cast<int>(left->tv_sec * 1'000 + left->tv_usec / 1'000 + 1);
  ::poll(watched.data(), watched.size(), timeout);
  for (std::size_t i = 1; i < watched.size(); ++i) {
    const bool readable = (watched[i].revents & (POLLIN | POLLERR | POLLHUP)) != 0;
    const bool writable = (watched[i].revents & POLLOUT) != 0;
    ares_process_fd(channel, readable ? watched[i].fd : ARES_SOCKET_BAD,
                    writable ? watched[i].fd : ARES_SOCKET_BAD);
  }
  ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // timeouts
}

void NameService::Impl::start(Asked&& a) {
  if (in_flight >= limits.questions) return on_answer(a.id, {});
  ++in_flight;
  auto* pending = std::make_unique<Pending>(this, a.id, a.question.type).release();
  const char* name = a.question.name.c_str();
  switch (a.question.type) {
    case dns::RecordType::kA:
    case dns::RecordType::kAaaa: {
      ares_addrinfo_hints hints{};
      hints.ai_family = a.question.type == dns::RecordType::kA ? AF_INET : AF_INET6;
      hints.ai_socktype = SOCK_DGRAM;
      return ares_getaddrinfo(channel, name, nullptr, &hints, on_addresses, pending);
    }
    case dns::RecordType::kSrv:
      return ares_query(channel, name, ns_c_in, ns_t_srv, on_message, pending);
    case dns::RecordType::kNaptr:
      return ares_query(channel, name, ns_c_in, ns_t_naptr, on_message, pending);
  }
}

void NameService::Impl::finish(Pending* pending, dns::Answer&& answer) {
  const std::unique_ptr<Pending> owned(pending);
  --in_flight;
  if (!stopping) on_answer(owned->id, std::move(answer));
}

void NameService::Impl::on_message(void* argument, int status, int, unsigned char* message, int length) {
  auto* pending = static_cast<Pending*>(argument);
  Impl& self = *pending->service;
  if (status != ARES_SUCCESS) return self.finish(pending, {});
  self.finish(pending, pending->type == dns::RecordType::kSrv
                           ? read_srv(message, length, self.limits.records)
                           : read_naptr(message, length, self.limits.records));
}

void NameService::Impl::on_addresses(void* argument, int status, int, ares_addrinfo* info) {
  auto* pending = static_cast<Pending*>(argument);
  Impl& self = *pending->service;
  dns::Answer answer;
  if (status == ARES_SUCCESS && info != nullptr) answer = read_addresses(*info, self.limits.records);
  if (info != nullptr) ares_freeaddrinfo(info);
  self.finish(pending, std::move(answer));
}

NameService::NameService(OnAnswer on_answer, const NameServiceLimits& limits, const std::string& servers)
    : impl_(std::make_unique<Impl>(std::move(on_answer), limits)) {
  impl_->open(servers);
  impl_->thread = std::thread([m = impl_.get()] { m->run(); });
  ::pthread_setname_np(impl_->thread.native_handle(), "names");
}

NameService::~NameService() = default;

void NameService::ask(dns::QueryId id, dns::Question&& question) {
  if (!impl_->inbox.push({id, std::move(question)})) impl_->on_answer(id, {});
}

}  // namespace bw::io
