// What follows from a member and its figures alone, without the engine.
#pragma once

#include <cstdint>
#include <string>

#include "calls/detail/call.h"
#include "model/call_record.h"
#include "ports/media.h"

namespace bw::calls {

// In descriptions of browsers' legs: discard, for their real place is the business of ICE.
inline constexpr std::uint16_t kNoPort = 9;

bool has_ports(media::PortPair port);  // a browser's leg has none of its own
bool is_secured(const Member& member);
const std::string& device_of(const Member& member);  // as it names itself, else as its registration does

model::LegQuality quality_of(const media::Quality& quality);
void note_quality(model::LegRecord& leg, const media::Quality& quality);

}  // namespace bw::calls
