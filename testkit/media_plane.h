// The media loop of a story: the real media::Relay, with virtual packets in place of sockets.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "media/relay.h"
#include "testkit/network.h"

namespace bw::testkit {

class MediaPlane {
 public:
  explicit MediaPlane(VirtualNetwork& network, IpAddress ip, media::PortRange range = {});

  void handle(const media::Command& command, Instant now);
  void packet(Endpoint local, Endpoint from, const Bytes& bytes, Instant now);
  void tick(Instant now);
  std::optional<media::Event> poll();
  Deadline deadline() const { return relay_.deadline(); }

  std::size_t legs() const { return legs_.size(); }
  std::size_t sessions() const { return sessions_.size(); }
  // A browser's packets stop: the one whose page said this a=ice-ufrag.
  void loses_session_of(std::string_view ufrag);
  // Pairs that the exchange may use now, of those that were ever opened.
  std::size_t free_ports() const { return free_.size(); }
  std::size_t opened_ports() const { return opened_; }
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  void open_ports(std::uint16_t count);
  void open_leg(const media::OpenLeg& c);
  void close_leg(const media::CloseLeg& c);
  void send();
  void attach_leg(const media::AttachLeg& c, Instant now);
  void on_session(const media::SessionCommand& command);

  VirtualNetwork& network_;
  IpAddress ip_;
  media::PortShare share_;
  media::Relay relay_;
  std::vector<media::Event> own_events_;
  std::map<media::MediaLegId, std::uint16_t> legs_;
  std::map<media::SessionId, std::string> sessions_;  // and what the browser calls itself
  std::set<std::uint16_t> free_;
  std::size_t opened_ = 0;
  std::vector<std::uint8_t> buffer_;
  media::OutBatch out_;
  std::vector<std::string> violations_;
};

}  // namespace bw::testkit
