#include "testkit/media_plane.h"

#include <fmt/format.h>

#include <algorithm>

namespace bw::testkit {

MediaPlane::MediaPlane(VirtualNetwork& network, IpAddress ip, media::PortRange range)
    : network_(network), ip_(ip), share_(range, 0, 1), relay_(range, 0) {}

void MediaPlane::handle(const media::Command& command, Instant now) {
  std::visit(Overloaded{
                 [&](const media::OpenPorts& c) { open_ports(c.count); },
                 [&](const media::OpenLeg& c) { open_leg(c), relay_.handle(c, now); },
                 [&](const media::SetPeer& c) { relay_.handle(c, now); },
                 [&](const media::Connect& c) { relay_.handle(c, now); },
                 [&](const media::Disconnect& c) { relay_.handle(c, now); },
                 [&](const media::Echo& c) { relay_.handle(c, now); },
                 [&](const media::Play& c) { relay_.handle(c, now); },
                 [&](const media::SendDigit& c) { relay_.handle(c, now); },
                 [&](const media::WatchSilence& c) { relay_.handle(c, now); },
                 [&](const media::CloseLeg& c) { close_leg(c), relay_.handle(c, now); },
                 [&](const media::AttachLeg& c) { attach_leg(c, now); },
                 [&](const media::SessionCommand& c) { on_session(c); },
             },
             command);
}

void MediaPlane::open_ports(std::uint16_t count) {
  media::PortsOpened opened;
  for (std::uint16_t i = 0; i < count; ++i) {
    const auto pair = share_.next();
    if (!pair) break;
    opened.ports.push_back(*pair);
    free_.insert(pair->rtp);
    ++opened_;
  }
  opened.range_exhausted = share_.exhausted();
  own_events_.emplace_back(std::move(opened));
}

void MediaPlane::open_leg(const media::OpenLeg& c) {
  if (legs_.contains(c.leg)) violations_.push_back(fmt::format("media leg {} opened twice", c.leg.value));
  if (free_.erase(c.port.rtp) == 0) {
    violations_.push_back(
        fmt::format("media leg {} opened on port {}, which is not free", c.leg.value, c.port.rtp));
  }
  legs_[c.leg] = c.port.rtp;
}

void MediaPlane::attach_leg(const media::AttachLeg& c, Instant now) {
  if (!sessions_.contains(c.session))
    violations_.push_back(fmt::format("media leg {} attached to no session", c.leg.value));
  legs_.insert_or_assign(c.leg, 0);
  relay_.handle(c, now);
}

// Every browser is reached at once: how connections come about has tests of its own.
void MediaPlane::on_session(const media::SessionCommand& command) {
  const auto known = [&](media::SessionId id) {
    if (!sessions_.contains(id)) violations_.push_back(fmt::format("session {} is not open", id.value));
    return sessions_.contains(id);
  };
  std::visit(Overloaded{
                 [&](const media::OpenSession& c) {
                   if (!sessions_.emplace(c.session, "").second)
                     violations_.push_back(fmt::format("session {} opened twice", c.session.value));
                 },
                 [&](const media::SetSessionRemote& c) {
                   if (!known(c.session)) return;
                   auto& ufrag = sessions_[c.session];
                   const bool first = ufrag.empty();
                   ufrag = c.remote.ice.ufrag;
                   if (first) own_events_.emplace_back(media::SessionConnected{c.session, {}, {}});
                 },
                 [&](const media::RestartSession& c) { known(c.session); },
                 [&](const media::CloseSession& c) {
                   if (known(c.session)) sessions_.erase(c.session);
                 },
             },
             command);
}

void MediaPlane::loses_session_of(std::string_view ufrag) {
  for (const auto& [id, name] : sessions_) {
    if (name == ufrag) own_events_.emplace_back(media::SessionSilent{id, 0s});
  }
}

void MediaPlane::close_leg(const media::CloseLeg& c) {
  if (legs_.erase(c.leg) == 0) violations_.push_back(fmt::format("media leg {} closed twice", c.leg.value));
}

std::optional<media::Event> MediaPlane::poll() {
  if (!own_events_.empty()) {
    media::Event event = std::move(own_events_.front());
    own_events_.erase(own_events_.begin());
    return event;
  }
  auto event = relay_.poll();
  if (event) {
    if (const auto* opened = std::get_if<media::PortsOpened>(&*event)) {
      for (const auto& pair : opened->ports) free_.insert(pair.rtp);
    }
  }
  return event;
}

void MediaPlane::packet(Endpoint local, Endpoint from, const Bytes& bytes, Instant now) {
  buffer_.assign(bytes->size() + media::kTailRoom, 0);
  std::ranges::copy(*bytes, reinterpret_cast<char*>(buffer_.data()));
  media::InPacket in{from, local.port, buffer_, bytes->size()};
  out_.clear();
  relay_.on_packets({&in, 1}, now, out_);
  send();
}

void MediaPlane::tick(Instant now) {
  relay_.handle(Tick{}, now);
  for (bool more = true; more;) {
    out_.clear();
    more = relay_.write_audio(now, out_);
    send();
  }
}

void MediaPlane::send() {
  for (const auto& p : out_) {
    network_.send(
        {ip_, p.local_port}, p.to,
        std::make_shared<const std::string>(reinterpret_cast<const char*>(p.bytes.data()), p.bytes.size()));
  }
}

}  // namespace bw::testkit
