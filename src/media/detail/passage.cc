#include "media/detail/passage.h"

#include <algorithm>

#include "base/ascii.h"

namespace bw::media {
namespace {

std::optional<audio::CodecKind> kind_of(const PayloadFormat& f) {
  return audio::codec_kind(f.codec, f.clock_rate, f.channels);
}

bool same_codec(const PayloadFormat& a, const PayloadFormat& b) {
  if (const auto kind = kind_of(a)) return kind == kind_of(b);
  return iequals(a.codec, b.codec) && a.clock_rate == b.clock_rate && a.channels == b.channels;
}

// The same number goes first where a codec is listed twice.
const PayloadFormat* counterpart(const PayloadFormat& format, const std::vector<PayloadFormat>& list) {
  const PayloadFormat* found = nullptr;
  for (const PayloadFormat& f : list) {
    if (!same_codec(f, format)) continue;
    if (f.payload == format.payload) return &f;
    if (found == nullptr) found = &f;
  }
  return found;
}

Way way_of(const PayloadFormat& format, const PayloadMap& to, bool speaks) {
  Way way{.clock_rate = format.clock_rate, .other_clock_rate = format.clock_rate};
  if (const PayloadFormat* same = counterpart(format, to.send)) {
    way.fate = is_telephone_event(format) ? Way::Fate::kEvent : Way::Fate::kRelay;
    way.number = same->payload;
  } else if (is_telephone_event(format)) {
    const auto other = std::ranges::find_if(to.send, is_telephone_event);
    way.fate = other != to.send.end() ? Way::Fate::kEvent : Way::Fate::kKey;
    if (other == to.send.end()) return way;
    way.number = other->payload;
    way.other_clock_rate = other->clock_rate;
  } else if (const auto kind = kind_of(format); kind && speaks) {
    way.fate = Way::Fate::kDecode;
    way.kind = *kind;
  }
  return way;
}

}  // namespace

bool is_telephone_event(const PayloadFormat& format) {
  return iequals(format.codec, "telephone-event");
}

Passage plan_passage(const PayloadMap& from, const PayloadMap& to) {
  Passage plan;
  if (from.receive.empty() || to.send.empty()) return plan;
  const bool speaks = own_voice(to).has_value();
  bool renumbered = false;
  bool own = false;
  for (const PayloadFormat& format : from.receive) {
    if (format.payload >= plan.ways.size()) continue;
    const Way way = way_of(format, to, speaks);
    plan.ways[format.payload] = way;
    const bool relayed = way.fate == Way::Fate::kRelay || way.fate == Way::Fate::kEvent;
    renumbered = renumbered || (relayed && way.number != format.payload);
    own = own || way.fate == Way::Fate::kDecode || (way.fate == Way::Fate::kKey && speaks) ||
          way.clock_rate != way.other_clock_rate;
    if (way.fate == Way::Fate::kDecode && !plan.decodes) plan.decodes = way.kind;
  }
  if (own) {
    plan.kind = Passage::Kind::kOwnStream;
  } else if (renumbered) {
    plan.kind = Passage::Kind::kRenumbered;
  }
  if (std::ranges::any_of(from.receive, is_telephone_event)) return plan;
  plan.hears_tones = plan.decodes.has_value();
  if (std::ranges::none_of(to.send, is_telephone_event)) return plan;
  for (const PayloadFormat& format : from.receive) {
    if (format.payload >= plan.ways.size() || plan.ways[format.payload].fate != Way::Fate::kRelay) continue;
    plan.relayed_voice[format.payload] = kind_of(format);
    plan.hears_relayed_tones = plan.hears_relayed_tones || kind_of(format);
  }
  return plan;
}

std::optional<OwnVoice> own_voice(const PayloadMap& to) {
  for (const PayloadFormat& f : to.send) {
    if (const auto kind = kind_of(f)) return OwnVoice{*kind, f.payload, f.fmtp};
  }
  return std::nullopt;
}

std::optional<OwnEvents> own_events(const PayloadMap& to) {
  const auto voice = own_voice(to);
  const std::uint32_t clock = voice ? audio::rtp_clock(voice->kind) : 8'000;
  std::optional<OwnEvents> found;
  for (const PayloadFormat& f : to.send) {
    if (!is_telephone_event(f)) continue;
    if (f.clock_rate == clock) return OwnEvents{f.payload, f.clock_rate};
    if (!found) found = OwnEvents{f.payload, f.clock_rate};
  }
  return found;
}

}  // namespace bw::media
