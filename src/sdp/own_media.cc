// What Bellwire offers and answers by itself (declared in anchor.h).
#include <algorithm>
#include <array>

#include "sdp/anchor.h"

namespace bw::sdp {
namespace {

struct OwnCodec {
  std::string_view name;
  std::uint32_t clock_rate;
  std::uint8_t channels;
};
constexpr std::array kKnown{OwnCodec{"PCMU", 8000, 1},  OwnCodec{"PCMA", 8000, 1}, OwnCodec{"G722", 8000, 1},
                            OwnCodec{"opus", 48000, 2},  // always two channels (RFC 7587 §7)
                            OwnCodec{"GSM", 8000, 1},   OwnCodec{"G729", 8000, 1}};

bool is_known(const Codec& codec) {
  if (codec.is_telephone_event()) return codec.clock_rate == 8000 || codec.clock_rate == 48'000;
  return std::ranges::any_of(kKnown, [&codec](const OwnCodec& k) {
    return same_codec(codec, {0, std::string{k.name}, k.clock_rate, k.channels, {}});
  });
}

std::string rtpmap(const Codec& codec) {
  std::string out = std::to_string(codec.payload);
  out += ' ';
  out += codec.name;
  out += '/';
  out += std::to_string(codec.clock_rate);
  if (codec.channels != 1) out += '/' + std::to_string(codec.channels);
  return out;
}

void add_format(Media& section, const Codec& codec) {
  section.formats.push_back(std::to_string(codec.payload));
  section.attributes.add("rtpmap", rtpmap(codec));
  if (!codec.fmtp.empty()) section.attributes.add("fmtp", std::to_string(codec.payload) + ' ' + codec.fmtp);
}

Media audio_section() {
  Media section;
  section.type = "audio";
  section.port = 9;  // replaced by dress(); not 0, which would refuse
  return section;
}

}  // namespace

SessionDescription own_offer_content() {
  SessionDescription out;
  Media& section = out.media.emplace_back(audio_section());
  for (const Codec& codec : {Codec{0, "PCMU", 8000, 1, {}}, Codec{8, "PCMA", 8000, 1, {}},
                             Codec{9, "G722", 8000, 1, {}}, Codec{101, "telephone-event", 8000, 1, "0-15"}}) {
    add_format(section, codec);
  }
  section.attributes.add("ptime", "20");
  return out;
}

std::expected<SessionDescription, OfferError> own_answer_content(const Media& offer) {
  SessionDescription out;
  Media& section = out.media.emplace_back(audio_section());
  bool voice = false;
  for (const Codec& codec : codecs(offer)) {
    if (!is_known(codec)) continue;
    add_format(section, codec);
    voice = voice || codec.is_voice();
  }
  if (!voice) return std::unexpected(OfferError::kNoCodec);
  if (const auto ms = ptime(offer)) section.attributes.add("ptime", std::to_string(*ms));
  return out;
}

}  // namespace bw::sdp
