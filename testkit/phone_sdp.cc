#include "testkit/phone_sdp.h"

#include <fmt/format.h>

#include <charconv>

namespace bw::testkit {
namespace {

std::string_view word(std::string_view& text) {
  const auto end = std::min(text.find(' '), text.size());
  const std::string_view w = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return w;
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

std::string_view text_of(Direction d) {
  switch (d) {
    case Direction::kSendRecv:
      return "sendrecv";
    case Direction::kSendOnly:
      return "sendonly";
    case Direction::kRecvOnly:
      return "recvonly";
    case Direction::kInactive:
      return "inactive";
  }
  return "sendrecv";
}

std::optional<Direction> direction_from(std::string_view text) {
  for (const auto d :
       {Direction::kSendRecv, Direction::kSendOnly, Direction::kRecvOnly, Direction::kInactive}) {
    if (text == text_of(d)) return d;
  }
  return std::nullopt;
}

std::string_view static_name(int payload) {
  switch (payload) {
    case 0:
      return "PCMU/8000";
    case 3:
      return "GSM/8000";
    case 8:
      return "PCMA/8000";
    case 9:
      return "G722/8000";
    case 18:
      return "G729/8000";
    default:
      return {};
  }
}

void read_connection(PhoneSdp& sdp, std::string_view value) {
  word(value);  // IN
  word(value);  // IP4
  if (const auto ip = IpAddress::parse(word(value))) {
    sdp.rtp.ip = *ip;
    sdp.black_hole = ip->is_unspecified();
  }
}

bool read_media(PhoneSdp& sdp, std::string_view value) {
  if (word(value) != "audio") return false;
  sdp.rtp.port = static_cast<std::uint16_t>(number(word(value)).value_or(0));
  word(value);  // RTP/AVP
  while (!value.empty()) {
    const int payload = number(word(value)).value_or(-1);
    if (payload >= 0) sdp.codecs.push_back({payload, std::string{static_name(payload)}});
  }
  return true;
}

void read_attribute(PhoneSdp& sdp, std::string_view value) {
  if (const auto d = direction_from(value)) sdp.direction = *d;
  if (!value.starts_with("rtpmap:")) return;
  value.remove_prefix(7);
  const int payload = number(word(value)).value_or(-1);
  for (auto& codec : sdp.codecs) {
    if (codec.payload == payload) codec.name = word(value);
  }
}

}  // namespace

Direction reverse(Direction d) {
  if (d == Direction::kSendOnly) return Direction::kRecvOnly;
  if (d == Direction::kRecvOnly) return Direction::kSendOnly;
  return d;
}

std::string PhoneSdp::to_text() const {
  const std::string address = black_hole ? "0.0.0.0" : rtp.ip.to_string();
  std::string out =
      fmt::format("v=0\r\no=- {} {} IN IP4 {}\r\ns=-\r\nc=IN IP4 {}\r\nt=0 0\r\nm=audio {} RTP/AVP", session,
                  version, rtp.ip.to_string(), address, rtp.port);
  for (const auto& codec : codecs) out += fmt::format(" {}", codec.payload);
  if (telephone_event >= 0) out += fmt::format(" {}", telephone_event);
  out += "\r\n";
  for (const auto& codec : codecs) out += fmt::format("a=rtpmap:{} {}\r\n", codec.payload, codec.name);
  if (telephone_event >= 0) {
    out += fmt::format("a=rtpmap:{0} telephone-event/8000\r\na=fmtp:{0} 0-15\r\n", telephone_event);
  }
  if (!black_hole) out += fmt::format("a={}\r\n", text_of(direction));
  return out;
}

std::optional<PhoneSdp> PhoneSdp::parse(std::string_view text) {
  PhoneSdp sdp;
  if (!text.starts_with("v=0")) return std::nullopt;
  bool in_audio = false;
  bool other_media = false;
  bool found = false;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() < 2 || line[1] != '=') continue;
    const char type = line[0];
    line.remove_prefix(2);
    if (type == 'm') {
      in_audio = !found && read_media(sdp, line);
      found = found || in_audio;
      other_media = !in_audio;
    }
    if (other_media) continue;
    if (type == 'c') read_connection(sdp, line);
    if (type == 'a') read_attribute(sdp, line);
  }
  if (!found) return std::nullopt;
  std::erase_if(sdp.codecs, [&](const PhoneCodec& codec) {
    if (!codec.name.starts_with("telephone-event")) return codec.name.empty();
    if (codec.name == "telephone-event/8000") sdp.telephone_event = codec.payload;
    return true;
  });
  return sdp;
}

}  // namespace bw::testkit
