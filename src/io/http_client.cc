#include "io/http_client.h"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "base/utf8.h"
#include "io/descriptor.h"
#include "io/outbound_address.h"
#include "io/socket_address.h"

namespace bw::io {
namespace {

using Clock = std::chrono::steady_clock;

// A receiver that has moved is found soon; a connection that is open needs no name.
constexpr long kNamesKnownFor = 5;  // seconds

struct Rules {  // shared by all transfers of one client
  HttpClientLimits limits;
  std::vector<Network> allowed;
};

// One request. Its handle is used again for later ones, which saves curl most of its preparations.
struct Transfer {
  explicit Transfer(const Rules& r) : rules(r) {}
  ~Transfer() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  const Rules& rules;
  CURL* easy = curl_easy_init();
  curl_slist* headers = nullptr;
  http::Call call;
  Clock::time_point started;
  std::string excerpt;
  std::size_t read = 0;
  std::size_t head = 0;
  std::string refused;  // the address, and why
  std::array<char, CURL_ERROR_SIZE> error{};
};

bool refuse(Transfer& t, const IpAddress& ip) {
  const auto why = why_not_outbound(ip, t.rules.allowed);
  if (why) t.refused = ip.to_string() + " is " + *why;
  return why.has_value();
}

curl_socket_t open_socket(void* user, curlsocktype purpose, curl_sockaddr* address) {
  auto& t = *static_cast<Transfer*>(user);
  const bool inet = address->family == AF_INET || address->family == AF_INET6;
  if (purpose != CURLSOCKTYPE_IPCXN || !inet) return CURL_SOCKET_BAD;
  sockaddr_storage storage{};
  std::memcpy(&storage, &address->addr, std::min<std::size_t>(address->addrlen, sizeof address->addr));
  // A v6 address is longer than a sockaddr; curl gives room for it behind.
  if (address->family == AF_INET6) std::memcpy(&storage, &address->addr, sizeof(sockaddr_in6));
  if (refuse(t, from_sockaddr(storage).ip)) return CURL_SOCKET_BAD;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
}

// Also asked for a connection that was open already: what is allowed may have changed since.
int before_request(void* user, char* ip, char*, int, int) {
  const auto address = IpAddress::parse(ip);
  return !address || refuse(*static_cast<Transfer*>(user), *address) ? CURL_PREREQFUNC_ABORT
                                                                     : CURL_PREREQFUNC_OK;
}

std::size_t take_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& t = *static_cast<Transfer*>(user);
  const std::size_t room = t.rules.limits.excerpt - std::min(t.rules.limits.excerpt, t.excerpt.size());
  t.excerpt.append(data, std::min(room, size));
  t.read += size;
  return t.read > t.rules.limits.answer ? 0 : size;
}

std::size_t take_header(char*, std::size_t, std::size_t size, void* user) {
  auto& t = *static_cast<Transfer*>(user);
  t.head += size;
  return t.head > t.rules.limits.headers ? 0 : size;
}

// What holds for every request of a client.
void prepare(Transfer& t, const std::string& authorities) {
  CURL* e = t.easy;
  curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(e, CURLOPT_PROXY, "");  // not even that of the environment
  curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(e, CURLOPT_DNS_CACHE_TIMEOUT, kNamesKnownFor);
  curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);  // else a slow DNS server holds this thread
  curl_easy_setopt(e, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!authorities.empty()) curl_easy_setopt(e, CURLOPT_CAINFO, authorities.c_str());
  curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, &t);
  curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, before_request);
  curl_easy_setopt(e, CURLOPT_PREREQDATA, &t);
  curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(e, CURLOPT_WRITEDATA, &t);
  curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(e, CURLOPT_HEADERDATA, &t);
  curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t.error.data());
  curl_easy_setopt(e, CURLOPT_PRIVATE, &t);
}

// What holds for this one. The body is not copied: it stays in the transfer.
void address(Transfer& t) {
  CURL* e = t.easy;
  curl_slist_free_all(std::exchange(t.headers, nullptr));
  for (const std::string& line : t.call.headers.reveal())
    t.headers = curl_slist_append(t.headers, line.c_str());
  t.headers = curl_slist_append(t.headers, "Expect:");
  if (t.call.method == "GET") {
    curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
  } else {
    curl_easy_setopt(e, CURLOPT_POST, 1L);
    curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(t.call.body.size()));
    curl_easy_setopt(e, CURLOPT_POSTFIELDS, t.call.body.data());
  }
  curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, t.call.method.c_str());
  curl_easy_setopt(e, CURLOPT_URL, t.call.url.c_str());
  curl_easy_setopt(e, CURLOPT_HTTPHEADER, t.headers);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(t.call.timeout).count();
  curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(ms)));
  t.excerpt.clear();
  t.refused.clear();
  t.read = t.head = 0;
  t.error[0] = 0;
  t.started = Clock::now();
}

std::string system_words(CURL* easy) {
  long error = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
  return error == 0 ? std::string{} : ": " + std::system_category().message(static_cast<int>(error));
}

std::string sentence(const Transfer& t, CURLcode code) {
  if (!t.refused.empty())
    return "The address " + t.refused +
           ", and features.webhooks.allow_networks does not name it; no connection was made.";
  const auto seconds = std::chrono::duration_cast<std::chrono::milliseconds>(t.call.timeout).count();
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return "The name of the receiver has no address.";
    case CURLE_COULDNT_CONNECT:
      return "The receiver takes no connection" + system_words(t.easy) + '.';
    case CURLE_OPERATION_TIMEDOUT:
      return "The receiver did not answer within " + std::to_string(seconds) + " ms.";
    case CURLE_GOT_NOTHING:
      return "The receiver closed the connection without an answer.";
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return "The receiver broke the connection" + system_words(t.easy) + '.';
    case CURLE_PEER_FAILED_VERIFICATION:
      return "The certificate of the receiver is not valid: " + valid_utf8(t.error.data(), 200) + '.';
    case CURLE_WRITE_ERROR:
      return "The receiver answered with more than is read of an answer.";
    default: {
      const std::string_view own(t.error.data());
      return "The request failed: " + valid_utf8(own.empty() ? curl_easy_strerror(code) : own, 200) + '.';
    }
  }
}

http::Outcome outcome_of(Transfer& t, CURLcode code) {
  http::Outcome out;
  out.id = t.call.id;
  out.latency = Clock::now() - t.started;
  long status = 0;
  curl_easy_getinfo(t.easy, CURLINFO_RESPONSE_CODE, &status);
  // Cut off by us, the head of the answer had come all the same.
  const bool cut = code == CURLE_WRITE_ERROR && t.read > t.rules.limits.answer;
  if (code == CURLE_OK || cut) {
    out.status = static_cast<int>(status);
    curl_off_t after = 0;
    if (curl_easy_getinfo(t.easy, CURLINFO_RETRY_AFTER, &after) == CURLE_OK && after > 0)
      out.retry_after = std::chrono::seconds(after);
  } else {
    out.error = sentence(t, code);
  }
  out.excerpt = valid_utf8(t.excerpt, t.rules.limits.excerpt);
  return out;
}

void start_curl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) throw std::runtime_error("libcurl does not start");
}

}  // namespace

struct HttpClient::Impl {
  Impl(const HttpClientLimits& limits, std::string a) : rules{limits, {}}, authorities(std::move(a)) {
    start_curl();
    multi = curl_multi_init();
    epoll = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
    if (multi == nullptr || !epoll)
      throw std::runtime_error("no HTTP client: the system gives no descriptor");
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, limits.kept_connections);
  }
  ~Impl() {
    for (auto& [easy, transfer] : active) curl_multi_remove_handle(multi, easy);
    active.clear();
    idle.clear();
    curl_multi_cleanup(multi);
  }

  static int on_socket(CURL*, curl_socket_t socket, int what, void* user, void* known) {
    auto& self = *static_cast<Impl*>(user);
    epoll_event event{};
    event.data.fd = socket;
    if (what == CURL_POLL_REMOVE) {
      ::epoll_ctl(self.epoll.get(), EPOLL_CTL_DEL, socket, &event);
      return 0;
    }
    if ((what & CURL_POLL_IN) != 0) event.events |= EPOLLIN;
    if ((what & CURL_POLL_OUT) != 0) event.events |= EPOLLOUT;
    if (known != nullptr) return ::epoll_ctl(self.epoll.get(), EPOLL_CTL_MOD, socket, &event);
    curl_multi_assign(self.multi, socket, &self);
    return ::epoll_ctl(self.epoll.get(), EPOLL_CTL_ADD, socket, &event);
  }

  static int on_timer(CURLM*, long ms, void* user) {
    auto& due = static_cast<Impl*>(user)->due;
    due = ms < 0 ? std::nullopt : std::optional(Clock::now() + std::chrono::milliseconds(ms));
    return 0;
  }

  void keep_time() {
    if (!due || *due > Clock::now()) return;
    due.reset();
    int running = 0;
    curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
  }

  std::unique_ptr<Transfer> free_transfer() {
    if (idle.empty()) {
      auto made = std::make_unique<Transfer>(rules);
      if (made->easy == nullptr) throw std::bad_alloc();
      prepare(*made, authorities);
      return made;
    }
    auto taken = std::move(idle.back());
    idle.pop_back();
    return taken;
  }

  void collect() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      auto node = active.extract(message->easy_handle);
      curl_multi_remove_handle(multi, node.key());
      finished.push_back(outcome_of(*node.mapped(), code));
      if (idle.size() < rules.limits.waiting_handles) idle.push_back(std::move(node.mapped()));
    }
  }

  Rules rules;
  std::string authorities;
  CURLM* multi = nullptr;
  Descriptor epoll;
  int watched = -1;
  std::optional<Clock::time_point> due;  // curl wants to be called
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> active;
  std::vector<std::unique_ptr<Transfer>> idle;
  std::vector<http::Outcome> finished;
};

HttpClient::HttpClient(const HttpClientLimits& limits, std::string authorities)
    : impl_(std::make_unique<Impl>(limits, std::move(authorities))) {}
HttpClient::~HttpClient() = default;

void HttpClient::allow(std::vector<Network> networks) {
  impl_->rules.allowed = std::move(networks);
}

void HttpClient::start(http::Call&& call) {
  auto transfer = impl_->free_transfer();
  transfer->call = std::move(call);
  address(*transfer);
  CURL* const easy = transfer->easy;
  impl_->active.emplace(easy, std::move(transfer));
  curl_multi_add_handle(impl_->multi, easy);
}

std::size_t HttpClient::under_way() const {
  return impl_->active.size();
}

void HttpClient::watch(int descriptor) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = impl_->watched = descriptor;
  if (::epoll_ctl(impl_->epoll.get(), EPOLL_CTL_ADD, descriptor, &event) != 0)
    throw std::system_error(errno, std::system_category(), "epoll_ctl");
}

void HttpClient::wait(Duration at_most) {
  Impl& self = *impl_;
  self.keep_time();
  self.collect();  // what was refused has ended already, without a socket that could wake us
  Duration patience = self.finished.empty() ? std::max(at_most, Duration{0}) : Duration{0};
  if (self.due) patience = std::clamp<Duration>(*self.due - Clock::now(), Duration{0}, patience);
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(patience).count();
  std::array<epoll_event, 128> events{};
  const int count = ::epoll_wait(self.epoll.get(), events.data(), static_cast<int>(events.size()),
                                 static_cast<int>(std::min<std::int64_t>(ms, 3'600'000)));
  int running = 0;
  for (int i = 0; i < count; ++i) {
    const epoll_event& e = events[static_cast<std::size_t>(i)];
    if (e.data.fd == self.watched) continue;
    int what = 0;
    if ((e.events & (EPOLLIN | EPOLLHUP)) != 0) what |= CURL_CSELECT_IN;
    if ((e.events & EPOLLOUT) != 0) what |= CURL_CSELECT_OUT;
    if ((e.events & EPOLLERR) != 0) what |= CURL_CSELECT_ERR;
    curl_multi_socket_action(self.multi, e.data.fd, what, &running);
  }
  self.keep_time();
  self.collect();
}

std::vector<http::Outcome> HttpClient::take_finished() {
  return std::exchange(impl_->finished, {});
}

}  // namespace bw::io
