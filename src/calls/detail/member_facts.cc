#include "calls/detail/member_facts.h"

namespace bw::calls {

bool has_ports(media::PortPair port) {
  return port.rtp != kNoPort;
}

bool is_secured(const Member& member) {
  const auto agreed = member.media.negotiated();
  return agreed && (agreed->receive || !has_ports(member.port));
}

const std::string& device_of(const Member& member) {
  return member.leg.peer_agent().empty() ? member.device : member.leg.peer_agent();
}

model::LegQuality quality_of(const media::Quality& quality) {
  model::LegQuality q{.mos = quality.mos.value_or(0), .jitter_ms = quality.jitter_ms};
  const auto expected = quality.packets_received + quality.packets_lost;
  if (expected > 0)
    q.loss_percent = 100.0 * static_cast<double>(quality.packets_lost) / static_cast<double>(expected);
  return q;
}

void note_quality(model::LegRecord& leg, const media::Quality& quality) {
  const model::LegQuality q = quality_of(quality);
  leg.mos = q.mos;
  leg.jitter_ms = q.jitter_ms;
  leg.loss_percent = q.loss_percent;
}

}  // namespace bw::calls
