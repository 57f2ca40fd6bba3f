// The voice of a phone: RTP (RFC 3550) whose payload says who speaks, and keys (RFC 4733).
#include <fmt/format.h>

#include <algorithm>

#include "testkit/detail/pending.h"
#include "testkit/stage.h"

namespace bw::testkit {
namespace {

constexpr std::size_t kHeader = 12;
constexpr std::size_t kVoice = 160;  // 20 ms of G.711
constexpr std::uint32_t kMark = 0xbe11f00d;
constexpr std::uint16_t kKeyTicks = 160;
constexpr std::string_view kKeys = "0123456789*#ABCD";

void put16(std::string& out, std::uint32_t v) {
  out += static_cast<char>(v >> 8U & 0xffU);
  out += static_cast<char>(v & 0xffU);
}
void put32(std::string& out, std::uint32_t v) {
  put16(out, v >> 16U);
  put16(out, v & 0xffffU);
}
std::uint32_t read32(std::string_view in, std::size_t at) {
  std::uint32_t v = 0;
  for (std::size_t i = 0; i < 4; ++i) v = v << 8U | static_cast<unsigned char>(in[at + i]);
  return v;
}

std::string rtp_header(int payload, bool marker, std::uint16_t sequence, std::uint32_t time,
                       std::uint32_t ssrc) {
  std::string out;
  out.reserve(kHeader + kVoice);
  out += static_cast<char>(0x80);
  out += static_cast<char>((marker ? 0x80 : 0) | (payload & 0x7f));
  put16(out, sequence);
  put32(out, time);
  put32(out, ssrc);
  return out;
}

}  // namespace

bool Phone::sends_media(const Line& line) const {
  const bool open = line.state == LineState::kUp || line.state == LineState::kAnswered ||
                    (line.state == LineState::kRinging && habits_.early_media);
  return open && line.remote && line.local.sends() && line.remote->receives();
}

void Phone::start_media() {
  if (media_runs_ || habits_.media_every <= Duration{0}) return;
  if (std::ranges::none_of(lines_, [&](const auto& l) { return sends_media(*l); })) return;
  media_runs_ = true;
  later(habits_.media_every, [this] { media_tick(); });
}

void Phone::media_tick() {
  media_runs_ = false;
  for (const auto& l : lines_) {
    if (sends_media(*l)) send_voice(*l);
  }
  start_media();
}

void Phone::send_voice(Line& line) {
  const int payload = line.remote->codecs.empty() ? 0 : line.remote->codecs.front().payload;
  line.rtp_timestamp += kVoice;
  std::string out = rtp_header(payload, line.rtp_sequence == 0, line.rtp_sequence, line.rtp_timestamp,
                               tone_ << 8U | line.id);
  ++line.rtp_sequence;
  put32(out, kMark);
  put32(out, tone_);
  out.resize(kHeader + kVoice, '\x55');
  stage_.network().send(line.local.rtp, line.remote->rtp,
                        std::make_shared<const std::string>(std::move(out)));
}

void Phone::presses(std::string_view digits) {
  const Line* line = on_ ? current() : nullptr;
  if (line == nullptr || !line->remote) return;
  Duration start{0};
  for (const char digit : digits) {
    const std::uint32_t timestamp =
        line->rtp_timestamp + 1 + static_cast<std::uint32_t>(start / 1ms) * 8;  // one per key (RFC 4733 §2.1)
    for (std::uint16_t i = 1; i <= 7; ++i) {  // the last three say that it ended
      const auto duration = static_cast<std::uint16_t>(std::min<int>(i, 5) * kKeyTicks);
      const bool last = i >= 5;
      later(start + 20ms * i, [this, id = line->id, digit, timestamp, duration, last] {
        send_digit(id, digit, timestamp, static_cast<std::uint16_t>(duration | (last ? 0x8000U : 0U)));
      });
    }
    start += 250ms;
  }
}

void Phone::send_digit(std::uint32_t id, char digit, std::uint32_t timestamp, std::uint16_t duration) {
  Line* line = line_with(id);
  if (line == nullptr || !line->remote || line->remote->telephone_event < 0) return;
  std::string out =
      rtp_header(line->remote->telephone_event, false, line->rtp_sequence, timestamp, tone_ << 8U | line->id);
  ++line->rtp_sequence;
  out += static_cast<char>(kKeys.find(digit));
  out += static_cast<char>((duration & 0x8000U) != 0 ? 0x8a : 0x0a);  // E bit, volume 10
  put16(out, duration & 0x7fffU);
  stage_.network().send(line->local.rtp, line->remote->rtp,
                        std::make_shared<const std::string>(std::move(out)));
}

void Phone::presses_by_info(std::string_view digits) {
  Line* line = on_ ? current() : nullptr;
  if (line == nullptr || line->state != LineState::kUp) return;
  for (const char digit : digits) {
    sip::Message info = line->dialog->make_request(sip::Method::kInfo);
    info.set_body("application/dtmf-relay", fmt::format("Signal={}\r\nDuration=160\r\n", digit));
    send_inside(*line, std::move(info));
  }
}

void Phone::on_media(Endpoint local, const std::string& bytes) {
  const auto it = std::ranges::find_if(
      lines_, [&](const auto& l) { return !l->is_over() && l->local.rtp.port == local.port; });
  if (it == lines_.end() || bytes.size() < kHeader + 4) return;
  Line& line = **it;
  const int payload = static_cast<unsigned char>(bytes[1]) & 0x7f;
  if (payload == line.local.telephone_event && bytes.size() < kHeader + 8) {
    const std::uint32_t timestamp = read32(bytes, 4);
    const auto key = static_cast<unsigned char>(bytes[kHeader]);
    if (line.digit_timestamp != timestamp && key < kKeys.size()) line.digits += kKeys[key];
    line.digit_timestamp = timestamp;
    return;
  }
  if (bytes.size() < kHeader + 8 || read32(bytes, kHeader) != kMark) return;
  Heard& heard = line.heard[read32(bytes, kHeader + 4)];
  heard.last = stage_.now();
  ++heard.packets;
}

}  // namespace bw::testkit
