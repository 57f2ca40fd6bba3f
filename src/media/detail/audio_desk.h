// What the relay keeps for audio of its own making.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/timer_heap.h"
#include "media/detail/listener.h"
#include "media/packet.h"
#include "media/relay.h"
#include "rtp/packet.h"

namespace bw::media {

struct Relay::AudioDesk {
  static constexpr std::size_t kPacketBytes = rtp::kHeaderBytes + audio::kMostPayload + kTailRoom;
  struct alignas(16) Buffer {
    std::array<std::uint8_t, kPacketBytes> bytes;
  };

  Workspace workspace;
  std::array<std::int16_t, audio::kMostTickSamples> samples{};
  std::array<Buffer, 16> buffers;  // of one turn of write_audio
  // All that sound do so in one 20 ms beat: one wake-up of the loop serves them all.
  TimerHandle alarm;
  Instant due;                       // the beat that comes next, or is being written
  std::vector<MediaLegId> sounding;  // legs whose peers are to hear something
  std::size_t written = 0;           // of `sounding` in this beat
  bool beat = false;                 // a beat is being written
  Instant behind_told;
};

}  // namespace bw::media
