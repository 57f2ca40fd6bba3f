// A browser's media connection: ICE, DTLS and SRTP of one session on a port it shares with all others
// (RFC 8445, RFC 5764, RFC 7983). Sans-IO.
//
//   new ──check with our password──▶ reachable ──DTLS, the right certificate──▶ connected
//    connected ◀──checks come again── silent ◀──no check for a while── connected
//    any ──wrong certificate, DTLS failed, close_notify──▶ ended
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/core.h"
#include "rtp/srtp_streams.h"
#include "webrtc/dtls.h"
#include "webrtc/ice_agent.h"
#include "webrtc/path.h"

namespace bw::webrtc {

struct TransportLimits {
  // Browsers check every 2.5 to 5 s (RFC 7675 §5.1 lets consent last 30 s).
  Duration silence = 15s;
  // How long a way that was taken without proof gets voice.
  Duration trust = 15s;
  // DTLS that came before the other end's description, kept so that the handshake need not wait a second.
  std::size_t early_datagrams = 4;
};

// What was not taken.
struct TransportCounters {
  std::uint64_t checks_refused = 0;   // wrong password, malformed
  std::uint64_t dtls_strangers = 0;   // handshakes over ways without a check
  std::uint64_t media_strangers = 0;  // media over such ways, or before there were keys
  std::uint64_t media_refused = 0;    // replayed, or not made with the key
};

class Transport {
 public:
  struct Received {  // STUN or DTLS; media goes to receive_rtp() and receive_rtcp()
    Path path;
    std::span<const std::uint8_t> bytes;
  };
  struct StreamGone {  // a TCP connection was closed
    std::uint64_t stream = 0;
  };
  struct SetRemote {
    RemoteParameters remote;
  };
  struct Restart {
    IceCredentials local;
  };
  struct Close {};  // says goodbye to the other end
  using Input = std::variant<Received, StreamGone, SetRemote, Restart, Close, Tick>;

  struct Send {
    Path path;
    std::vector<std::uint8_t> bytes;
  };
  struct Connected {
    Path path;
  };
  struct Moved {
    Path path;
  };
  struct Silent {
    Duration silent_for{0};
  };
  struct Heard {};
  struct Ended {
    bool failed = false;
    std::string sentence;
  };
  using Output = std::variant<Send, Connected, Moved, Silent, Heard, Ended>;

  Transport(const DtlsContext& context, IceCredentials local, TransportLimits limits = {});

  void handle(const Input& input, Instant now);
  std::optional<Output> poll();
  Deadline deadline() const;

  // In place; the new size, or none: not from the other end, or not for the first time. No allocation.
  std::optional<std::size_t> receive_rtp(const Path& path, std::span<std::uint8_t> buffer, std::size_t size);
  std::optional<std::size_t> receive_rtcp(const Path& path, std::span<std::uint8_t> buffer, std::size_t size);
  // In place. Only with a target().
  std::optional<std::size_t> protect_rtp(std::span<std::uint8_t> buffer, std::size_t size);
  std::optional<std::size_t> protect_rtcp(std::span<std::uint8_t> buffer, std::size_t size);
  // Where media goes now; null: nowhere (not connected, silent, unproven for too long, ended).
  const Path* target() const { return muted_ ? nullptr : report_target(); }
  // The same for RTCP, which is little, and brings the answer of a browser that has nothing to say.
  const Path* report_target() const {
    return state_ == State::kConnected && !silent_ ? ice_.target() : nullptr;
  }
  bool has_output() const { return !outputs_.empty(); }

  const IceAgent& ice() const { return ice_; }
  const TransportCounters& counters() const { return counters_; }

 private:
  enum class State : std::uint8_t { kConnecting, kConnected, kEnded };
  struct Early {
    Path path;
    std::vector<std::uint8_t> bytes;
  };

  void on(const Received& input, Instant now);
  void on(const StreamGone& input, Instant now);
  void on(const SetRemote& input, Instant now);
  void on(const Restart& input, Instant now);
  void on(const Close& input, Instant now);
  void on(const Tick& input, Instant now);

  void on_check(const Path& path, std::span<const std::uint8_t> bytes, Instant now);
  void on_dtls(const Path& path, std::span<const std::uint8_t> bytes, Instant now);
  void begin_dtls(Instant now);
  void drain_dtls();
  void connect();
  void end(bool failed, std::string sentence);
  bool may_receive(const Path& path);
  void prove(const Path& path);
  void watch_trust(Instant now);
  bool is_silent(Instant now) const { return now - ice_.last_check() >= limits_.silence; }
  void leave_silent_way(Instant now);

  const DtlsContext& context_;
  TransportLimits limits_;
  IceAgent ice_;
  State state_ = State::kConnecting;
  bool silent_ = false;
  bool muted_ = false;
  std::optional<Instant> trusted_until_;  // while the way in use is not proven
  std::optional<RemoteParameters> remote_;
  std::unique_ptr<DtlsEndpoint> dtls_;
  std::vector<Early> early_;
  std::optional<rtp::SrtpStreams> send_;
  std::optional<rtp::SrtpStreams> receive_;
  std::deque<Output> outputs_;
  TransportCounters counters_;
};

static_assert(Core<Transport>);

}  // namespace bw::webrtc
