#include "testkit/network.h"

#include <algorithm>
#include <cassert>

namespace bw::testkit {
namespace {

constexpr Duration kStreamRetry = 200ms;  // what a lost segment or a parted path costs a stream

// RTP and RTCP begin with version 2 (RFC 3550 §5.1); nothing of SIP does.
bool is_media(std::string_view bytes) {
  return !bytes.empty() && (static_cast<unsigned char>(bytes.front()) & 0xc0U) == 0x80U;
}

}  // namespace

void VirtualNetwork::Change::between(const Host& a, const Host& b) {
  change_(network_.weather(a.ip(), b.ip()));
  change_(network_.weather(b.ip(), a.ip()));
}

void VirtualNetwork::Change::from_to(const Host& from, const Host& to) {
  change_(network_.weather(from.ip(), to.ip()));
}

void VirtualNetwork::Change::everywhere() {
  change_(network_.default_weather_);
  for (auto& [path, weather] : network_.paths_) change_(weather);
}

void VirtualNetwork::attach(Host& host) {
  assert(!hosts_.contains(host.ip()));
  hosts_[host.ip()] = &host;
  ladder_.name(host.ip(), host.name());
}

void VirtualNetwork::detach(Host& host) {
  std::erase_if(streams_, [&](const auto& s) {
    return s.second.ends[0].ip == host.ip() || s.second.ends[1].ip == host.ip();
  });
  hosts_.erase(host.ip());
}

VirtualNetwork::Change VirtualNetwork::loses(Percent p) {
  return {*this, [p](Weather& w) { w.loss = p; }};
}
VirtualNetwork::Change VirtualNetwork::duplicates(Percent p) {
  return {*this, [p](Weather& w) { w.duplicates = p; }};
}
VirtualNetwork::Change VirtualNetwork::delays(Duration d) {
  return {*this, [d](Weather& w) { w.delay = d; }};
}
VirtualNetwork::Change VirtualNetwork::jitters(Duration d) {
  return {*this, [d](Weather& w) { w.jitter = d; }};
}
VirtualNetwork::Change VirtualNetwork::parts() {
  return {*this, [](Weather& w) { w.parted = true; }};
}
VirtualNetwork::Change VirtualNetwork::heals() {
  return {*this, [](Weather& w) { w = {}; }};
}

void VirtualNetwork::loses_next(std::string_view start, const Host& from) {
  to_lose_.emplace_back(from.ip(), start);
}

Host* VirtualNetwork::host_at(IpAddress ip) const {
  const auto it = hosts_.find(ip);
  return it == hosts_.end() ? nullptr : it->second;
}

Weather& VirtualNetwork::weather(IpAddress from, IpAddress to) {
  return paths_.try_emplace({from, to}, default_weather_).first->second;
}

const Weather& VirtualNetwork::weather_now(IpAddress from, IpAddress to) const {
  const auto it = paths_.find({from, to});
  return it == paths_.end() ? default_weather_ : it->second;
}

bool VirtualNetwork::chance(Percent p) {
  if (p.value <= 0) return false;
  return static_cast<double>(rng_.below(1'000'000)) < p.value * 10'000;
}

Duration VirtualNetwork::travel_time(const Weather& w) {
  if (w.jitter <= Duration{0}) return w.delay;
  return w.delay + Duration{rng_.below(static_cast<std::uint64_t>(w.jitter.count()))};
}

bool VirtualNetwork::lost_on_purpose(const Endpoint& from, std::string_view bytes) {
  const auto it = std::ranges::find_if(
      to_lose_, [&](const auto& l) { return l.first == from.ip && bytes.starts_with(l.second); });
  if (it == to_lose_.end()) return false;
  to_lose_.erase(it);
  return true;
}

void VirtualNetwork::note(const Endpoint& from, const Endpoint& to, const Bytes& bytes, Fate fate) {
  if (!is_media(*bytes)) ladder_.message(time_.now(), from.ip, to.ip, bytes, fate);
}

void VirtualNetwork::send(Endpoint from, Endpoint to, Bytes bytes) {
  ++datagrams_;
  const Weather& w = weather_now(from.ip, to.ip);
  if (w.parted || chance(w.loss) || host_at(to.ip) == nullptr || lost_on_purpose(from, *bytes)) {
    note(from, to, bytes, Fate::kLost);
    return;
  }
  const bool twice = chance(w.duplicates);
  note(from, to, bytes, twice ? Fate::kDuplicated : Fate::kDelivered);
  for (int i = 0; i < (twice ? 2 : 1); ++i) {
    time_.after(travel_time(w), [this, from, to, bytes] {
      if (Host* host = host_at(to.ip)) host->on_datagram(to, from, bytes);
    });
  }
}

sip::ConnectionId VirtualNetwork::connect(Endpoint from, Endpoint to) {
  if (host_at(to.ip) == nullptr || weather_now(from.ip, to.ip).parted) return {};
  const sip::ConnectionId id{++next_stream_};
  streams_[id] = Stream{{from, to}, {time_.now(), time_.now()}, {}};
  return id;
}

bool VirtualNetwork::send_stream(sip::ConnectionId connection, Endpoint from, Bytes bytes) {
  const auto it = streams_.find(connection);
  if (it == streams_.end()) return false;
  Stream& s = it->second;
  const int towards = s.ends[0] == from ? 1 : 0;
  const Endpoint& to = s.ends[towards];
  const Weather& w = weather_now(from.ip, to.ip);
  note(from, to, bytes, Fate::kDelivered);
  Instant arrives = time_.now() + travel_time(w);
  if (chance(w.loss)) arrives = arrives + kStreamRetry;
  arrives = std::max(arrives, s.last[towards]);
  s.last[towards] = arrives;
  s.on_the_way[towards].push_back(std::move(bytes));
  time_.at(arrives, [this, connection, towards] { deliver_stream(connection, towards); });
  return true;
}

void VirtualNetwork::deliver_stream(sip::ConnectionId id, int towards) {
  const auto it = streams_.find(id);
  if (it == streams_.end()) return;
  const Endpoint to = it->second.ends[towards];
  const Endpoint from = it->second.ends[1 - towards];
  if (weather_now(from.ip, to.ip).parted) {
    time_.after(kStreamRetry, [this, id, towards] { deliver_stream(id, towards); });
    return;
  }
  const Bytes bytes = it->second.on_the_way[towards].front();
  it->second.on_the_way[towards].pop_front();
  if (Host* host = host_at(to.ip)) host->on_stream(id, to, from, bytes);
}

void VirtualNetwork::close(sip::ConnectionId connection) {
  const auto it = streams_.find(connection);
  if (it == streams_.end()) return;
  const Stream s = it->second;
  streams_.erase(it);
  for (int end = 0; end < 2; ++end) {
    const Weather& w = weather_now(s.ends[1 - end].ip, s.ends[end].ip);
    time_.after(w.delay, [this, connection, s, end] {
      if (Host* host = host_at(s.ends[end].ip)) {
        host->on_stream_closed(connection, s.ends[end], s.ends[1 - end]);
      }
    });
  }
}

void VirtualNetwork::cuts_streams_of(const Host& host) {
  std::vector<sip::ConnectionId> cut;
  for (const auto& [id, s] : streams_) {
    if (s.ends[0].ip == host.ip() || s.ends[1].ip == host.ip()) cut.push_back(id);
  }
  for (const auto id : cut) close(id);
}

}  // namespace bw::testkit
