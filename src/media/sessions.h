// The media connections of browsers: all on one port, told apart by ICE. Sans-IO; owned by the relay of
// loop 0.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/core.h"
#include "base/timer_heap.h"
#include "media/packet.h"
#include "ports/media.h"
#include "webrtc/transport.h"

namespace bw::media {

struct SessionLimits {
  std::size_t sessions = 5'000;
  webrtc::TransportLimits transport;
};

// What came to the port of the browsers and was not taken.
struct SessionCounters {
  std::uint64_t no_session = 0;       // from nowhere we know, or a check for nobody here
  std::uint64_t no_leg = 0;           // media while the session is in no call
  webrtc::TransportCounters refused;  // by the sessions there are and have been
};

class Leg;
struct Session;

class Sessions {
 public:
  // Without a context there are no sessions: each that is asked for ends at once.
  explicit Sessions(const webrtc::DtlsContext* context, SessionLimits limits = {});
  ~Sessions();
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  void handle(const SessionCommand& command, Instant now);
  void tick(Instant now);
  void stream_gone(std::uint64_t stream, Instant now);
  Deadline deadline() const;
  // To be sent at once: checks answered, handshakes.
  std::optional<webrtc::Transport::Send> poll_send();
  std::optional<SessionEvent> poll_event();

  struct Media {  // decrypted in place
    Leg* leg = nullptr;
    bool rtcp = false;
    std::size_t size = 0;
  };
  // None: it was no media, or not to be taken.
  std::optional<Media> receive(const SessionPacket& packet, Instant now);

  // A check for a session that is not here, or not yet: whoever drives this looks for commands before
  // receive().
  bool is_unclaimed_check(const SessionPacket& packet) const;

  Session* find(SessionId id) const;
  bool knows(const webrtc::Path& path) const { return by_path_.contains(path); }
  std::size_t size() const { return sessions_.size(); }
  const SessionCounters& counters() const { return counters_; }

 private:
  void on(const OpenSession& command, Instant now);
  void on(const SetSessionRemote& command, Instant now);
  void on(const RestartSession& command, Instant now);
  void on(const CloseSession& command, Instant now);

  Session* addressee(const SessionPacket& packet, bool check) const;
  void drain(Session& session);
  void route(Session& session, const webrtc::Path& path);
  void forget_fragments(Session& session);

  const webrtc::DtlsContext* context_;
  SessionLimits limits_;
  SessionCounters counters_;
  std::unordered_map<SessionId, std::unique_ptr<Session>> sessions_;
  std::unordered_map<std::string, Session*, TextHash, std::equal_to<>> by_fragment_;  // of ICE
  std::unordered_map<webrtc::Path, Session*> by_path_;
  TimerHeap<SessionId> alarms_;
  std::deque<webrtc::Transport::Send> sends_;
  std::deque<SessionEvent> events_;
};

}  // namespace bw::media
