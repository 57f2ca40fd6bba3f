#include "webrtc/detail/datagram_bio.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <limits>

namespace bw::webrtc::detail {
namespace {

// Most that may wait to be fetched: a flight of ours is five datagrams.
constexpr std::size_t kMostOutgoing = 64;

Datagrams& of(BIO* bio) {
  return *static_cast<Datagrams*>(BIO_get_data(bio));
}

int read(BIO* bio, char* out, int room) {
  BIO_clear_retry_flags(bio);
  Datagrams& d = of(bio);
  if (d.incoming.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t size = std::min(d.incoming.size(), static_cast<std::size_t>(std::max(room, 0)));
  std::copy_n(d.incoming.begin(), size, out);
  d.incoming = {};  // like a socket: what does not fit is lost
  return static_cast<int>(size);
}

int write(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  Datagrams& d = of(bio);
  if (d.outgoing.size() < kMostOutgoing) d.outgoing.emplace_back(bytes, bytes + size);
  return size;
}

long control(BIO* bio, int command, long, void* pointer) {
  Datagrams& d = of(bio);
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
      return static_cast<long>(d.mtu);
    case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
      d.timer.on_change(static_cast<timeval*>(pointer));
      return 1;
    default:
      return 0;
  }
}

const BIO_METHOD* method() {
  static BIO_METHOD* const made = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams in memory");
    if (m == nullptr) return m;
    BIO_meth_set_read(m, read);
    BIO_meth_set_write(m, write);
    BIO_meth_set_ctrl(m, control);
    return m;
  }();
  return made;
}

bool shows_its_timer() {
  static const bool shows = OPENSSL_version_major() == 3 && OPENSSL_version_minor() < 2;
  return shows;
}

}  // namespace

unsigned FlightTimer::next_wait(unsigned before) {
  wait_ = before == 0 ? kFirst : std::min(wait_ * 2, kLongest);
  return static_cast<unsigned>(std::chrono::duration_cast<std::chrono::microseconds>(wait_).count());
}

void FlightTimer::on_change(timeval* at) {
  if (at->tv_sec == 0 && at->tv_usec == 0) {
    due_.reset();
    return;
  }
  due_ = now_ + wait_;
  if (!shows_its_timer()) return;
  openssls_ = at;
  openssls_->tv_sec = std::numeric_limits<std::int32_t>::max();
}

void FlightTimer::expire() {
  due_ = now_ + wait_;  // should OpenSSL find that nothing is due yet
  if (openssls_ != nullptr) *openssls_ = {.tv_sec = 1, .tv_usec = 0};
}

BIO* make_datagram_bio(Datagrams& datagrams) {
  if (method() == nullptr) return nullptr;
  BIO* bio = BIO_new(method());
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, &datagrams);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace bw::webrtc::detail
