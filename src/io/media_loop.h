// One thread of the media plane: the sockets of its share of the RTP range around a media::Relay.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "io/browser_port.h"
#include "io/clock.h"
#include "media/port_share.h"
#include "media/relay.h"
#include "ports/media.h"
#include "webrtc/dtls.h"

namespace bw::io {

struct MediaLoopSettings {
  media::PortRange range;
  media::LoopIndex index = 0;
  media::LoopIndex loops = 1;
  std::optional<IpAddress> bind;  // none: every address, IPv4 and IPv6; 0.0.0.0: every IPv4 address
  media::RelayLimits relay;
  // While packets come thick, the thread lets them gather, so long at most, before it looks again: one
  // wake-up then serves many sockets (docs/protocols/media-relay.md has the figures). Zero: never.
  Duration gather = 2ms;
  std::size_t waiting_commands = 16'384;
};

// For the loop that serves the browsers.
struct BrowserSide {
  BrowserPort port;
  webrtc::DtlsContext context;
};

// Since the start; read from any thread.
struct MediaLoopFigures {
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  std::uint64_t send_failed = 0;  // the kernel refused: no route, full queue
  std::uint64_t oversized = 0;
  std::uint64_t no_leg = 0;
  std::uint64_t refused = 0;  // a stranger's, or not as agreed
  std::uint64_t malformed = 0;
  std::uint64_t no_session = 0;     // came to the port of the browsers from nobody we know
  std::uint64_t check_refused = 0;  // ICE: not made with the password of its session
  std::uint64_t unproven_way = 0;   // from where no good check came
  std::uint64_t media_refused = 0;  // of a browser: replayed, or not made with its key
  std::uint64_t untranslated = 0;   // of a codec the other side does not take and we do not know
  std::uint64_t audio_cut = 0;      // 20 ms pieces of transcoded audio: the loop was behind
  std::uint64_t rounds = 0;         // times the thread woke
  std::uint64_t legs = 0;           // at this moment
};

// Constructor: running. Destructor: stopped and joined, sockets closed; events are no longer delivered.
class MediaLoop {
 public:
  // Called on the loop's thread with what happened in one round; must take the events and not block.
  using EventSink = std::function<void(std::vector<media::Event>&&)>;

  // Throws std::system_error if the system gives no descriptor or thread (start-up).
  // `browsers`: null for a loop without sessions.
  MediaLoop(const MediaLoopSettings& settings, const Clock& clock, EventSink sink,
            std::unique_ptr<BrowserSide> browsers = nullptr);
  ~MediaLoop();
  MediaLoop(const MediaLoop&) = delete;
  MediaLoop& operator=(const MediaLoop&) = delete;

  // Any thread. False: `waiting_commands` are waiting, the command is dropped.
  bool push(media::Command command);
  // The same for many, in order, with one wake-up; those that did not fit stay in `commands`.
  bool push_all(std::vector<media::Command>& commands);
  MediaLoopFigures figures() const;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace bw::io
