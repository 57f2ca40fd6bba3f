// One browser's connection, and who is attached to it.
#pragma once

#include <string>
#include <vector>

#include "base/timer_heap.h"
#include "media/detail/continuous_stream.h"
#include "ports/media.h"
#include "webrtc/transport.h"

namespace bw::media {

class Leg;

// Owned by Sessions from OpenSession to CloseSession; its leg may go before and after it.
struct Session {
  Session(SessionId number, const webrtc::DtlsContext& context, const webrtc::IceCredentials& local,
          const webrtc::TransportLimits& limits)
      : id(number),
        transport(context, local, limits),
        stream(static_cast<std::uint32_t>(number.value) | 0x4000'0000U),
        fragments{local.ufrag} {}

  const SessionId id;
  webrtc::Transport transport;
  ContinuousStream stream;             // what the browser hears
  Leg* leg = nullptr;                  // attached now
  std::vector<std::string> fragments;  // of ICE: by these a check finds it
  std::vector<webrtc::Path> paths;     // by these everything else
  TimerHandle alarm;
};

}  // namespace bw::media
