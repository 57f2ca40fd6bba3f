// What Bellwire offers and answers by itself (declared in anchor.h).
#include <algorithm>
#include <array>
#include <bitset>

#include "audio/codec.h"
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

std::optional<audio::CodecKind> kind_of(const Codec& codec) {
  return audio::codec_kind(codec.name, codec.clock_rate, codec.channels);
}

constexpr std::uint8_t kFirstDynamic = 96;  // RFC 3551 §6

// Payload numbers of one leg: what one meant before it goes on to mean.
class Numbers {
 public:
  Numbers(const Media& section, const Media* before) {
    if (before != nullptr) before_ = codecs(*before);
    for (const Codec& c : codecs(section)) taken_.set(c.payload);
    for (const Codec& c : before_) meant_.set(c.payload);
  }
  std::uint8_t for_codec(const Codec& codec) {
    std::uint8_t number = codec.payload;
    const auto same = std::ranges::find_if(before_, [&](const Codec& c) { return same_codec(c, codec); });
    if (same != before_.end() && !taken_[same->payload]) {
      number = same->payload;
    } else if (number >= kFirstDynamic && (taken_[number] || meant_[number])) {
      number = kFirstDynamic;
      while (number < 127 && (taken_[number] || meant_[number])) ++number;
    }
    taken_.set(number);
    return number;
  }

 private:
  std::vector<Codec> before_;
  std::bitset<128> taken_;
  std::bitset<128> meant_;
};

}  // namespace

bool is_transcodable(const Codec& codec) {
  return kind_of(codec).has_value();
}

void add_transcodable(Media& section, const Media* before) {
  if (section.port == 0) return;
  Numbers numbers{section, before};
  std::vector<Codec> there = codecs(section);
  if (std::ranges::none_of(there, is_transcodable)) return;
  const auto add = [&](Codec codec) {
    if (std::ranges::any_of(there, [&](const Codec& c) { return same_codec(c, codec); })) return;
    codec.payload = numbers.for_codec(codec);
    add_format(section, codec);
    there.push_back(std::move(codec));
  };
  const auto speaks = [&](std::string_view name) {
    return std::ranges::any_of(there, [name](const Codec& c) { return c.is(name); });
  };
  add({111, "opus", 48'000, 2, "minptime=10;useinbandfec=1"});
  add({9, "G722", 8'000, 1, {}});
  add({0, "PCMU", 8'000, 1, {}});
  add({8, "PCMA", 8'000, 1, {}});
  add({101, "telephone-event", 8'000, 1, "0-15"});
  if (speaks("opus")) add({110, "telephone-event", 48'000, 1, "0-15"});
}

std::expected<SessionDescription, OfferError> transcoding_answer_content(const Media& offer) {
  const std::vector<Codec> offered = codecs(offer);
  const Codec* best = nullptr;
  for (const Codec& c : offered) {
    const auto kind = kind_of(c);
    if (kind && (best == nullptr || audio::sound_rank(*kind) > audio::sound_rank(*kind_of(*best)))) best = &c;
  }
  if (best == nullptr) return std::unexpected(OfferError::kNoCodec);
  SessionDescription out;
  Media& section = out.media.emplace_back(audio_section());
  add_format(section, *best);
  const auto events = [&](bool same_clock) {
    for (const Codec& c : offered) {
      if (c.is_telephone_event() && (c.clock_rate == best->clock_rate) == same_clock) return &c;
    }
    return static_cast<const Codec*>(nullptr);
  };
  const Codec* keys = events(true);
  if (keys == nullptr) keys = events(false);
  if (keys != nullptr) add_format(section, *keys);
  section.attributes.add("ptime", "20");
  return out;
}

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
