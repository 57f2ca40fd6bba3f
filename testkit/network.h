// A network in one process: hosts with addresses, datagrams and stream connections between them, and the
// weather on each path. Bytes travel through the Timeline; loss and jitter come from the seed.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/rng.h"
#include "sip/flow.h"
#include "testkit/ladder.h"
#include "testkit/quantity.h"
#include "testkit/timeline.h"

namespace bw::testkit {

using Bytes = std::shared_ptr<const std::string>;

// Something with an address that packets reach.
class Host {
 public:
  virtual ~Host() = default;
  virtual const std::string& name() const = 0;
  virtual IpAddress ip() const = 0;
  virtual void on_datagram(Endpoint local, Endpoint remote, const Bytes& bytes) = 0;
  // Streams carry whole messages: what was sent in one piece arrives in one piece, in order.
  virtual void on_stream(sip::ConnectionId connection, Endpoint local, Endpoint remote,
                         const Bytes& bytes) = 0;
  virtual void on_stream_closed(sip::ConnectionId connection, Endpoint local, Endpoint remote) = 0;
};

struct Weather {
  Percent loss;
  Percent duplicates;
  Duration delay = 5ms;
  Duration jitter{0};  // up to so much more, each packet for itself: packets overtake each other
  bool parted = false;
};

class VirtualNetwork {
 public:
  // A change of the weather, still without a place: `network.loses(30_percent).between(a, b)`.
  class [[nodiscard]] Change {
   public:
    Change(VirtualNetwork& network, std::function<void(Weather&)> change)
        : network_(network), change_(std::move(change)) {}
    void between(const Host& a, const Host& b);
    void from_to(const Host& from, const Host& to);
    void everywhere();

   private:
    VirtualNetwork& network_;
    std::function<void(Weather&)> change_;
  };

  VirtualNetwork(Timeline& time, Rng& rng, Ladder& ladder) : time_(time), rng_(rng), ladder_(ladder) {}

  void attach(Host& host);
  void detach(Host& host);

  Change loses(Percent p);
  Change duplicates(Percent p);
  Change delays(Duration d);
  Change jitters(Duration d);
  Change parts();
  Change heals();  // fair weather, connections that still stand go on

  // One packet is lost on purpose: the next one whose text begins with `start` from that host.
  void loses_next(std::string_view start, const Host& from);

  void send(Endpoint from, Endpoint to, Bytes bytes);

  // None if nobody lives there or the path is parted.
  sip::ConnectionId connect(Endpoint from, Endpoint to);
  // False if that connection does not stand.
  bool send_stream(sip::ConnectionId connection, Endpoint from, Bytes bytes);
  // Both ends hear of it; what was on the way is lost.
  void close(sip::ConnectionId connection);
  void cuts_streams_of(const Host& host);

  std::uint64_t datagrams() const { return datagrams_; }

 private:
  struct Stream {
    Endpoint ends[2];
    Instant last[2];                  // when the last bytes towards that end arrive
    std::deque<Bytes> on_the_way[2];  // towards each end; every arrival takes the first
  };
  using Path = std::pair<IpAddress, IpAddress>;

  Host* host_at(IpAddress ip) const;
  Weather& weather(IpAddress from, IpAddress to);
  const Weather& weather_now(IpAddress from, IpAddress to) const;
  bool chance(Percent p);
  Duration travel_time(const Weather& w);
  bool lost_on_purpose(const Endpoint& from, std::string_view bytes);
  void deliver_stream(sip::ConnectionId id, int towards);
  void note(const Endpoint& from, const Endpoint& to, const Bytes& bytes, Fate fate);

  Timeline& time_;
  Rng& rng_;
  Ladder& ladder_;
  std::map<IpAddress, Host*> hosts_;
  std::map<Path, Weather> paths_;
  Weather default_weather_;
  std::map<sip::ConnectionId, Stream> streams_;
  std::vector<std::pair<IpAddress, std::string>> to_lose_;
  std::uint64_t next_stream_ = 0;
  std::uint64_t datagrams_ = 0;
};

}  // namespace bw::testkit
