#include "sdp/audio.h"

#include <algorithm>
#include <array>
#include <bitset>

#include "base/ascii.h"
#include "sdp/detail/words.h"

namespace bw::sdp {
namespace {

using detail::parse_number;
using detail::take_word;

struct StaticFormat {  // RFC 3551 §6, table 4
  std::uint8_t payload;
  std::string_view name;
  std::uint32_t clock_rate;
  std::uint8_t channels = 1;
};
constexpr std::array kStaticFormats{
    StaticFormat{0, "PCMU", 8000},     StaticFormat{3, "GSM", 8000},
    StaticFormat{4, "G723", 8000},     StaticFormat{5, "DVI4", 8000},
    StaticFormat{6, "DVI4", 16000},    StaticFormat{7, "LPC", 8000},
    StaticFormat{8, "PCMA", 8000},     StaticFormat{9, "G722", 8000},
    StaticFormat{10, "L16", 44100, 2}, StaticFormat{11, "L16", 44100},
    StaticFormat{12, "QCELP", 8000},   StaticFormat{13, "CN", 8000},
    StaticFormat{14, "MPA", 90000},    StaticFormat{15, "G728", 8000},
    StaticFormat{16, "DVI4", 11025},   StaticFormat{17, "DVI4", 22050},
    StaticFormat{18, "G729", 8000},    StaticFormat{19, "CN", 8000},  // reserved, and still sent by Cisco
};

// What the rtpmap and fmtp lines say of each payload number, the number cut off; the first of each counts.
struct Meanings {
  explicit Meanings(const Media& media) {
    for (const Attribute& a : media.attributes.list) {
      const bool rtpmap = a.name == "rtpmap";
      if (!rtpmap && a.name != "fmtp") continue;
      std::string_view rest = a.text();  // "101 telephone-event/8000"
      unsigned number = 0;
      if (!parse_number(take_word(rest), number) || number >= rtpmaps.size()) continue;
      std::optional<std::string_view>& line = (rtpmap ? rtpmaps : fmtps)[number];
      if (!line) line = rest;
    }
  }
  std::array<std::optional<std::string_view>, 128> rtpmaps;
  std::array<std::optional<std::string_view>, 128> fmtps;
};

bool read_rtpmap(std::string_view text, Codec& codec) {  // <name>/<clock>[/<channels>]
  const auto word = take_word(text);
  const auto slash = word.find('/');
  if (slash == word.npos || slash == 0) return false;
  const auto numbers = word.substr(slash + 1);
  const auto second = numbers.find('/');
  std::uint32_t clock = 0;
  if (!parse_number(numbers.substr(0, second), clock) || clock == 0) return false;
  std::uint8_t channels = 1;
  if (second != numbers.npos && !parse_number(numbers.substr(second + 1), channels)) channels = 1;
  codec.name = word.substr(0, slash);
  codec.clock_rate = clock;
  codec.channels = std::max<std::uint8_t>(channels, 1);
  return true;
}

bool find_meaning(const Meanings& meanings, Codec& codec) {
  if (const auto& rtpmap = meanings.rtpmaps[codec.payload]) return read_rtpmap(*rtpmap, codec);
  const auto known = std::ranges::find(kStaticFormats, codec.payload, &StaticFormat::payload);
  if (known == kStaticFormats.end()) return false;
  codec.name = known->name;
  codec.clock_rate = known->clock_rate;
  codec.channels = known->channels;
  return true;
}

std::string find_fmtp(const Meanings& meanings, std::uint8_t payload) {
  const auto& fmtp = meanings.fmtps[payload];
  const auto start = fmtp ? fmtp->find_first_not_of(' ') : std::string_view::npos;
  return start == std::string_view::npos ? std::string{} : std::string{fmtp->substr(start)};
}

std::optional<Direction> named_direction(const Attributes& attributes) {
  for (const Attribute& a : attributes.list) {
    for (const Direction d :
         {Direction::kInactive, Direction::kSendOnly, Direction::kRecvOnly, Direction::kSendRecv}) {
      if (a.name == to_string(d)) return d;
    }
  }
  return std::nullopt;
}

std::string_view plain_name(const Codec& c) {
  if (c.is("G729A") || c.is("G729AB") || c.is("G729B")) return "G729";
  return c.name;
}

std::uint32_t plain_clock(const Codec& c) {
  return c.is("G722") ? 8000 : c.clock_rate;
}

}  // namespace

std::string_view to_string(Direction d) {
  switch (d) {
    case Direction::kInactive:
      return "inactive";
    case Direction::kSendOnly:
      return "sendonly";
    case Direction::kRecvOnly:
      return "recvonly";
    case Direction::kSendRecv:
      return "sendrecv";
  }
  return "sendrecv";
}

bool Codec::is(std::string_view other_name) const {
  return iequals(name, other_name);
}

bool Codec::is_voice() const {
  static constexpr std::array<std::string_view, 8> kNoVoice{
      "telephone-event", "CN", "red", "rtx", "ulpfec", "flexfec", "parityfec", "tone"};
  return std::ranges::none_of(kNoVoice, [this](std::string_view n) { return is(n); });
}

bool same_codec(const Codec& a, const Codec& b) {
  return iequals(plain_name(a), plain_name(b)) && plain_clock(a) == plain_clock(b) &&
         a.channels == b.channels;
}

std::vector<Codec> codecs(const Media& media) {
  std::vector<Codec> out;
  out.reserve(media.formats.size());
  const Meanings meanings{media};
  std::bitset<128> seen;
  for (const std::string& format : media.formats) {
    Codec codec;
    if (!parse_number(format, codec.payload) || codec.payload > 127 || seen[codec.payload]) continue;
    seen.set(codec.payload);
    if (!find_meaning(meanings, codec)) continue;
    codec.fmtp = find_fmtp(meanings, codec.payload);
    out.push_back(std::move(codec));
  }
  return out;
}

Direction direction(const SessionDescription& session, const Media& media) {
  if (const auto d = named_direction(media.attributes)) return *d;
  return named_direction(session.attributes).value_or(Direction::kSendRecv);
}

Direction effective_direction(const SessionDescription& session, const Media& media) {
  const Direction said = direction(session, media);
  const auto ip = address(session, media);
  return ip && ip->is_unspecified() ? direction_of(sends(said), false) : said;
}

bool is_hold(const SessionDescription& session, const Media& media) {
  return !receives(effective_direction(session, media));
}

std::optional<IpAddress> address(const SessionDescription& session, const Media& media) {
  if (!media.connections.empty()) return media.connections.front().ip();
  return session.connection ? session.connection->ip() : std::nullopt;
}

std::optional<Endpoint> rtp_endpoint(const SessionDescription& session, const Media& media) {
  const auto ip = address(session, media);
  if (!ip || ip->is_unspecified() || ip->is_multicast() || media.port == 0) return std::nullopt;
  return Endpoint{*ip, media.port};
}

std::optional<Endpoint> rtcp_endpoint(const SessionDescription& session, const Media& media) {
  const auto rtp = rtp_endpoint(session, media);
  if (!rtp) return std::nullopt;
  if (const Attribute* a = media.attributes.find("rtcp")) {  // a=rtcp:53020 [IN IP4 126.16.64.4]
    std::string_view rest = a->text();
    std::uint16_t port = 0;
    if (parse_number(take_word(rest), port) && port != 0) {
      take_word(rest);
      take_word(rest);
      const auto ip = IpAddress::parse(take_word(rest));
      return Endpoint{ip && !ip->is_unspecified() ? *ip : rtp->ip, port};
    }
  }
  if (rtp->port == 65'535) return std::nullopt;
  return Endpoint{rtp->ip, static_cast<std::uint16_t>(rtp->port + 1)};
}

bool has_rtcp_mux(const Media& media) {
  return media.attributes.has("rtcp-mux");
}

std::optional<std::uint16_t> ptime(const Media& media) {
  const Attribute* a = media.attributes.find("ptime");
  if (!a) return std::nullopt;
  std::string_view rest = a->text();
  std::uint16_t ms = 0;
  const auto word = take_word(rest);
  if (!parse_number(word.substr(0, word.find('.')), ms) || ms == 0 || ms > 1000) return std::nullopt;
  return ms;
}

Profile profile(std::string_view protocol) {
  Profile p;
  if (protocol.starts_with("UDP/TLS/")) {
    p.dtls = true;
    protocol.remove_prefix(8);
  }
  p.secure = protocol == "RTP/SAVP" || protocol == "RTP/SAVPF";
  p.feedback = protocol == "RTP/AVPF" || protocol == "RTP/SAVPF";
  p.rtp = p.secure || p.feedback || protocol == "RTP/AVP";
  return p;
}

}  // namespace bw::sdp
