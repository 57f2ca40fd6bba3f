#include "media/sessions.h"

#include <algorithm>
#include <utility>

#include "media/detail/leg.h"
#include "media/detail/session.h"
#include "rtp/packet.h"
#include "stun/message.h"

namespace bw::media {

using webrtc::Path;
using webrtc::Transport;
using webrtc::TransportCounters;

namespace {

void add_since(const TransportCounters& before, const TransportCounters& now, TransportCounters& sum) {
  sum.checks_refused += now.checks_refused - before.checks_refused;
  sum.dtls_strangers += now.dtls_strangers - before.dtls_strangers;
  sum.media_strangers += now.media_strangers - before.media_strangers;
  sum.media_refused += now.media_refused - before.media_refused;
}

}  // namespace

Sessions::Sessions(const webrtc::DtlsContext* context, SessionLimits limits)
    : context_(context), limits_(limits) {}

Sessions::~Sessions() = default;

void Sessions::handle(const SessionCommand& command, Instant now) {
  std::visit([&](const auto& c) { on(c, now); }, command);
}

Session* Sessions::find(SessionId id) const {
  const auto it = sessions_.find(id);
  return it == sessions_.end() ? nullptr : it->second.get();
}

void Sessions::on(const OpenSession& command, Instant) {
  if (sessions_.contains(command.session) || by_fragment_.contains(command.local.ufrag)) return;
  if (context_ == nullptr || sessions_.size() >= limits_.sessions) {
    events_.emplace_back(SessionEnded{command.session, true, "there is no room for another browser"});
    return;
  }
  auto session = std::make_unique<Session>(command.session, *context_, command.local, limits_.transport);
  by_fragment_.emplace(command.local.ufrag, session.get());
  sessions_.emplace(command.session, std::move(session));
}

void Sessions::on(const SetSessionRemote& command, Instant now) {
  Session* session = find(command.session);
  if (session == nullptr) return;
  session->transport.handle(Transport::SetRemote{command.remote}, now);
  drain(*session);
}

void Sessions::on(const RestartSession& command, Instant now) {
  Session* session = find(command.session);
  if (session == nullptr || by_fragment_.contains(command.local.ufrag)) return;
  session->transport.handle(Transport::Restart{command.local}, now);
  session->fragments.push_back(command.local.ufrag);
  by_fragment_.emplace(command.local.ufrag, session);
  forget_fragments(*session);
}

void Sessions::on(const CloseSession& command, Instant now) {
  const auto it = sessions_.find(command.session);
  if (it == sessions_.end()) return;
  Session& session = *it->second;
  session.transport.handle(Transport::Close{}, now);
  drain(session);
  if (session.leg != nullptr) session.leg->detach();
  for (const std::string& fragment : session.fragments) by_fragment_.erase(fragment);
  for (const Path& path : session.paths) {
    const auto route = by_path_.find(path);
    if (route != by_path_.end() && route->second == &session) by_path_.erase(route);
  }
  alarms_.cancel(session.alarm);
  sessions_.erase(it);
}

// Those of a generation before the last one answer nobody any more.
void Sessions::forget_fragments(Session& session) {
  std::erase_if(session.fragments, [&](const std::string& fragment) {
    const auto& ice = session.transport.ice();
    if (fragment == ice.ufrag() || fragment == ice.old_ufrag()) return false;
    by_fragment_.erase(fragment);
    return true;
  });
}

void Sessions::tick(Instant now) {
  while (const auto due = alarms_.pop_due(now)) {
    Session* session = find(*due);
    session->transport.handle(Tick{}, now);
    drain(*session);
  }
}

void Sessions::stream_gone(std::uint64_t stream, Instant now) {
  std::vector<Session*> concerned;
  std::erase_if(by_path_, [&](const auto& route) {
    if (route.first.stream != stream) return false;
    concerned.push_back(route.second);
    return true;
  });
  for (Session* session : concerned) {
    std::erase_if(session->paths, [stream](const Path& p) { return p.stream == stream; });
    session->transport.handle(Transport::StreamGone{stream}, now);
    drain(*session);
  }
}

Deadline Sessions::deadline() const {
  const auto next = alarms_.next();
  return next ? Deadline{*next, "a browser may have gone, or its handshake hangs"} : Deadline::never();
}

std::optional<Transport::Send> Sessions::poll_send() {
  if (sends_.empty()) return std::nullopt;
  auto send = std::move(sends_.front());
  sends_.pop_front();
  return send;
}

std::optional<SessionEvent> Sessions::poll_event() {
  if (events_.empty()) return std::nullopt;
  auto event = std::move(events_.front());
  events_.pop_front();
  return event;
}

// A check names its session; everything else comes from where a check has been before.
Session* Sessions::addressee(const SessionPacket& packet, bool check) const {
  if (!check) {
    const auto route = by_path_.find(packet.path);
    return route == by_path_.end() ? nullptr : route->second;
  }
  const auto message = stun::Message::parse(packet.buffer.first(packet.size));
  const auto username = message ? message->text(stun::Type::kUsername) : std::nullopt;
  if (!username) return nullptr;
  const auto named = by_fragment_.find(username->substr(0, username->find(':')));
  return named == by_fragment_.end() ? nullptr : named->second;
}

bool Sessions::is_unclaimed_check(const SessionPacket& packet) const {
  const bool check = rtp::classify(packet.buffer.first(packet.size)) == rtp::Kind::kStun;
  return check && addressee(packet, true) == nullptr;
}

std::optional<Sessions::Media> Sessions::receive(const SessionPacket& packet, Instant now) {
  const auto bytes = packet.buffer.first(packet.size);
  const auto kind = rtp::classify(bytes);
  Session* session = addressee(packet, kind == rtp::Kind::kStun);
  if (session == nullptr) {
    ++counters_.no_session;
    return std::nullopt;
  }
  Transport& t = session->transport;
  const TransportCounters before = t.counters();
  if (kind == rtp::Kind::kRtp || kind == rtp::Kind::kRtcp) {
    const bool rtcp = kind == rtp::Kind::kRtcp;
    const auto size = rtcp ? t.receive_rtcp(packet.path, packet.buffer, packet.size)
                           : t.receive_rtp(packet.path, packet.buffer, packet.size);
    if (t.has_output()) drain(*session);  // it proved a move
    if (!size) {
      add_since(before, t.counters(), counters_.refused);
      return std::nullopt;
    }
    if (session->leg == nullptr) {
      ++counters_.no_leg;
      return std::nullopt;
    }
    return Media{session->leg, rtcp, *size};
  }
  t.handle(Transport::Received{packet.path, bytes}, now);
  add_since(before, t.counters(), counters_.refused);
  if (kind == rtp::Kind::kStun && t.ice().knows(packet.path)) route(*session, packet.path);
  drain(*session);
  return std::nullopt;
}

void Sessions::route(Session& session, const Path& path) {
  Session*& owner = by_path_[path];
  if (owner == &session) return;
  // Who has a session of its own could name a way that is another's, from an address that is not its own.
  if (owner != nullptr && owner->transport.target() != nullptr && *owner->transport.target() == path) return;
  owner = &session;
  session.paths.push_back(path);
  std::erase_if(session.paths, [&](const Path& p) {
    if (session.transport.ice().knows(p)) return false;
    const auto route = by_path_.find(p);
    if (route != by_path_.end() && route->second == &session) by_path_.erase(route);
    return true;
  });
  forget_fragments(session);
}

void Sessions::drain(Session& session) {
  const SessionId id = session.id;
  while (auto output = session.transport.poll()) {
    std::visit(Overloaded{
                   [&](Transport::Send& send) { sends_.push_back(std::move(send)); },
                   [&](const Transport::Connected& e) {
                     events_.emplace_back(SessionConnected{id, e.path.remote, e.path.protocol()});
                   },
                   [&](const Transport::Moved& e) {
                     events_.emplace_back(SessionMoved{id, e.path.remote, e.path.protocol()});
                   },
                   [&](const Transport::Silent& e) { events_.emplace_back(SessionSilent{id, e.silent_for}); },
                   [&](const Transport::Heard&) { events_.emplace_back(SessionHeard{id}); },
                   [&](Transport::Ended& e) {
                     events_.emplace_back(SessionEnded{id, e.failed, std::move(e.sentence)});
                   },
               },
               *output);
  }
  const Instant at = session.transport.deadline().at;
  if (at == Instant::far_future()) {
    alarms_.cancel(session.alarm);
  } else {
    alarms_.arm(session.alarm, at, id);
  }
}

}  // namespace bw::media
