// What stands between OpenSSL and the network: whole datagrams in memory, and a timer that is not OpenSSL's.
#pragma once

#include <openssl/bio.h>
#include <sys/time.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "base/time.h"

namespace bw::webrtc::detail {

// When the last flight is to be sent again (RFC 6347 §4.2.4), in the time of the caller.
//
// OpenSSL 3.0 keeps the moment in a timeval it shows to the BIO (BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT) and
// compares with the clock of the system. Put far off while the flight waits and into the past when its time
// has come, it obeys the caller's time instead. OpenSSL 3.2 and later show a copy, which is left alone: there
// the clock of the system counts (docs/protocols/webrtc.md).
class FlightTimer {
 public:
  static constexpr Duration kFirst = 100ms;
  static constexpr Duration kLongest = 3200ms;

  void set_time(Instant now) { now_ = now; }
  // For DTLS_set_timer_cb: microseconds to wait, `before` being the last answer (0: a new flight).
  unsigned next_wait(unsigned before);
  // OpenSSL started or stopped its timer.
  void on_change(timeval* at);
  std::optional<Instant> due() const { return due_; }
  void expire();  // before DTLSv1_handle_timeout

 private:
  Instant now_;
  Duration wait_ = kFirst;
  timeval* openssls_ = nullptr;
  std::optional<Instant> due_;
};

struct Datagrams {
  std::span<const std::uint8_t> incoming;          // one at a time, as it came
  std::deque<std::vector<std::uint8_t>> outgoing;  // each as it is to leave
  std::size_t mtu = 1200;
  FlightTimer timer;
};

// Reads and writes `datagrams`, which must outlive it. Null if memory is short.
BIO* make_datagram_bio(Datagrams& datagrams);

}  // namespace bw::webrtc::detail
