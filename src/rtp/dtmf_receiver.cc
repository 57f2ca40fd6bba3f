#include "rtp/dtmf_receiver.h"

#include <algorithm>
#include <string_view>

#include "rtp/detail/bytes.h"

namespace bw::rtp {
namespace {

constexpr std::string_view kKeys = "0123456789*#ABCD";  // RFC 4733 §3.2, table 3; 16 (flash) is no key

// a is before b on the circle of timestamps.
bool before(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b) < 0;
}

}  // namespace

DtmfReceiver::Press* DtmfReceiver::find(std::uint32_t timestamp) {
  for (Press& p : presses_) {
    if (p.used && timestamp - p.first <= p.current - p.first) return &p;
  }
  return nullptr;
}

// A press too long for its 16 bit duration goes on under a new timestamp, without end packet and marker. Only
// a nearly full segment is continued: a shorter one is a press whose end packets were lost.
bool DtmfReceiver::continues(const Press& press, const Header& header, std::uint8_t event) const {
  if (!press.used || press.reported || press.event != event || header.marker) return false;
  const std::uint32_t length = header.timestamp - press.current;
  const std::uint32_t unseen = clock_rate_ / 5;  // updates of the last 200 ms may be lost
  return length >= 0xf000 && length <= 0x1'0000 && press.duration + unseen >= length;
}

DtmfReceiver::Press& DtmfReceiver::begin(std::uint32_t timestamp, std::uint8_t event) {
  newest_ = (newest_ + 1) % kRemembered;
  Press& p = presses_[newest_];
  p = Press{};
  p.first = timestamp;
  p.current = timestamp;
  p.event = event;
  p.used = true;
  return p;
}

// A press of which everything before was lost or late, while a newer one has begun: it is over, and must not
// end the newer one.
DtmfReceiver::Press& DtmfReceiver::overtaken(std::uint32_t timestamp, std::uint8_t event,
                                             std::uint16_t duration) {
  Press& place = presses_[newest_];
  const Press newest = place;
  Press& moved = begin(timestamp, event);
  place = moved;
  place.duration = duration;
  moved = newest;
  return place;
}

void DtmfReceiver::report(Press& press, Digits& out) {
  press.reported = true;
  const std::uint64_t ticks = std::uint64_t{press.current - press.first} + press.duration;
  out.push({kKeys[press.event], static_cast<std::uint32_t>(ticks * 1000 / clock_rate_)});
}

Digits DtmfReceiver::on_packet(const Header& header, std::span<const std::uint8_t> payload, Instant now) {
  Digits out;
  if (payload.size() < 4 || payload[0] >= kKeys.size()) return out;
  const std::uint8_t event = payload[0];
  const bool end = (payload[1] & 0x80U) != 0;
  const std::uint16_t duration = detail::get16(payload, 2);

  Press* last = &presses_[newest_];
  if (header.ssrc != ssrc_) {  // another sender: its timestamps have nothing to do with the old ones
    if (last->used && !last->reported) report(*last, out);
    presses_ = {};
    ssrc_ = header.ssrc;
  }
  Press* press = find(header.timestamp);
  if (!press && continues(*last, header, event)) {
    press = last;
    press->current = header.timestamp;
    press->duration = 0;
  }
  if (!press) {
    if (last->used && before(header.timestamp, last->first)) {
      report(overtaken(header.timestamp, event, duration), out);
      return out;
    }
    if (last->used && !last->reported) report(*last, out);
    press = &begin(header.timestamp, event);
    press->duration = duration;
    press->last_packet = now;
    if (end) report(*press, out);
    return out;
  }
  if (press->reported) return out;
  press->last_packet = now;
  if (header.timestamp == press->current) press->duration = std::max(press->duration, duration);
  if (end) report(*press, out);
  return out;
}

Digits DtmfReceiver::on_tick(Instant now) {
  Digits out;
  Press& last = presses_[newest_];
  if (last.used && !last.reported && now >= last.last_packet + kSilence) report(last, out);
  return out;
}

Deadline DtmfReceiver::deadline() const {
  const Press& last = presses_[newest_];
  if (!last.used || last.reported) return Deadline::never();
  return {last.last_packet + kSilence, "the end of a key press may have been lost"};
}

}  // namespace bw::rtp
