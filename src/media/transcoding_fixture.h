// For the tests of transcoding: phones that really encode and decode what they say and hear.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <map>
#include <numbers>
#include <string>

#include "audio/codec.h"
#include "audio/dtmf_detector.h"
#include "audio/tones.h"
#include "base/rng.h"
#include "media/plane_fixture.h"
#include "rtp/dtmf_receiver.h"

namespace bw::media::transcoding {

using audio::CodecKind;

inline const PayloadFormat kPcmu{0, "PCMU", 8'000, 1, {}};
inline const PayloadFormat kPcma{8, "PCMA", 8'000, 1, {}};
inline const PayloadFormat kG722{9, "G722", 8'000, 1, {}};
inline const PayloadFormat kOpus{111, "opus", 48'000, 2, "useinbandfec=1"};
inline const PayloadFormat kG729{18, "G729", 8'000, 1, {}};
inline const PayloadFormat kEvents{101, "telephone-event", 8'000, 1, "0-15"};
inline const PayloadFormat kFastEvents{110, "telephone-event", 48'000, 1, "0-15"};

inline PayloadFormat numbered(PayloadFormat f, std::uint8_t number) {
  f.payload = number;
  return f;
}

inline double share_of(double hertz, audio::ConstSamples pcm, std::uint32_t rate) {
  std::complex<double> sum = 0;
  double power = 1;
  for (std::size_t i = 0; i < pcm.size(); ++i) {
    const double s = pcm[i];
    sum += s * std::polar(1.0, -2 * std::numbers::pi * hertz * static_cast<double>(i) / rate);
    power += s * s;
  }
  return 2 * std::norm(sum) / (power * static_cast<double>(pcm.size()));
}

// A phone with one codec that says a tone for ever.
class Talker {
 public:
  Talker(const PayloadFormat& format, double hertz, std::uint32_t ssrc)
      : format_(format),
        kind_(*audio::codec_kind(format.codec, format.clock_rate, format.channels)),
        encoder_(audio::make_encoder(kind_, audio::native_rate(kind_), {})),
        decoder_(audio::make_decoder(kind_, audio::native_rate(kind_))),
        tone_({{hertz, 0}, 0.3, {}}, audio::native_rate(kind_)),
        ssrc_(ssrc) {}

  Bytes says() {
    std::vector<std::int16_t> tick(audio::tick_samples(encoder_->rate()));
    tone_.fill(tick);
    Bytes packet(rtp::kHeaderBytes + audio::kMostPayload);
    const std::size_t size = encoder_->encode(tick, std::span{packet}.subspan(rtp::kHeaderBytes));
    rtp::write_header({false, format_.payload, ++sequence, timestamp += ticks(), ssrc_}, packet);
    packet.resize(rtp::kHeaderBytes + size);
    return packet;
  }
  void hears(const Bytes& packet) {
    const auto parsed = rtp::Packet::parse(packet);
    if (parsed->header().payload_type != format_.payload) {
      others.push_back(packet);
      return;
    }
    headers.push_back(parsed->header());
    std::vector<std::int16_t> room(audio::kMostSamples);
    room.resize(decoder_->decode(parsed->payload(), room));
    heard.insert(heard.end(), room.begin(), room.end());
  }
  // The mean of the tenths of the last second: a concealed packet may shift the phase.
  double heard_of(double hertz) const {
    const std::uint32_t rate = decoder_->rate();
    if (heard.size() < rate) return 0;
    double sum = 0;
    for (std::size_t i = 0; i < 10; ++i) {
      sum += share_of(hertz, audio::ConstSamples{heard}.last(rate).subspan(i * rate / 10, rate / 10), rate);
    }
    return sum / 10;
  }
  std::uint32_t ticks() const { return audio::rtp_clock(kind_) / 50; }

  std::vector<std::int16_t> heard;
  std::vector<rtp::Header> headers;
  std::vector<Bytes> others;
  std::uint16_t sequence = 65'500;
  std::uint32_t timestamp = 1'000;

 private:
  PayloadFormat format_;
  CodecKind kind_;
  std::unique_ptr<audio::Encoder> encoder_;
  std::unique_ptr<audio::Decoder> decoder_;
  audio::ToneGenerator tone_;
  std::uint32_t ssrc_;
};

class Transcoding : public Plane {
 protected:
  using Formats = std::vector<PayloadFormat>;

  void takes(MediaLegId leg, const Endpoint& at, const Formats& formats) {
    SetPeer command = peer(leg, at);
    command.payloads = {formats, formats};
    for (const PayloadFormat& f : formats) {
      if (f.codec != "telephone-event") continue;
      command.telephone_event = f.payload;
      command.telephone_event_rate = f.clock_rate;
    }
    tell(command);
  }
  void call(const Formats& of_alice, const Formats& of_bob) {
    tell(OpenLeg{kAlice, {0, kAlicePort}});
    tell(OpenLeg{kBob, {0, kBobPort}});
    takes(kAlice, alice, of_alice);
    takes(kBob, bob, of_bob);
    tell(Connect{kAlice, kBob});
  }
  // What came out at a port since the last time.
  std::vector<Bytes> made_for(std::uint16_t port) {
    std::vector<Bytes> out;
    std::erase_if(made, [&](const Sent& s) {
      if (s.local_port == port) out.push_back(s.bytes);
      return s.local_port == port;
    });
    return out;
  }
  void hear(Talker& who, std::uint16_t port) {
    for (const Bytes& b : made_for(port)) who.hears(b);
  }
  void talk(Talker& a, Talker& b, int ticks) {
    for (int i = 0; i < ticks; ++i) {
      if (const auto direct = arrives(kAlicePort, alice, a.says())) b.hears(direct->bytes);
      if (const auto direct = arrives(kBobPort, bob, b.says())) a.hears(direct->bytes);
      pass(20ms);
      hear(a, kAlicePort);
      hear(b, kBobPort);
    }
  }
  // A key of 160 ms in packets of RFC 4733, each through `network`.
  template <typename Network>
  void presses(std::uint16_t port, const Endpoint& from, char key, Talker& who, std::uint8_t number,
               std::uint32_t clock, std::uint32_t ssrc, Network network) {
    static constexpr std::string_view kKeys = "0123456789*#ABCD";
    std::vector<Bytes> packets;
    const std::uint32_t start = who.timestamp;
    for (unsigned i = 1; i <= 10; ++i) {
      const bool end = i >= 8;
      const std::uint32_t duration = clock / 50 * std::min(i, 8U);
      Bytes b(rtp::kHeaderBytes + 4);
      rtp::write_header({i == 1, number, ++who.sequence, start, ssrc}, b);
      b[12] = static_cast<std::uint8_t>(kKeys.find(key));
      b[13] = end ? 0x8a : 0x0a;
      b[14] = static_cast<std::uint8_t>(duration >> 8U);
      b[15] = static_cast<std::uint8_t>(duration);
      packets.push_back(std::move(b));
    }
    who.timestamp += who.ticks() * 12;
    network(packets);
    for (const Bytes& b : packets) {
      if (const auto direct = arrives(port, from, b)) passed_on.push_back(direct->bytes);
      pass(20ms);
    }
    pass(120ms);
  }
  std::string told() const {
    std::string keys;
    for (const DigitPressed& d : events_of<DigitPressed>()) keys += d.digit;
    return keys;
  }
  // Keys that a phone makes of event packets.
  static std::string keys_in(const std::vector<Bytes>& packets, std::uint8_t number, std::uint32_t clock) {
    rtp::DtmfReceiver receiver{clock};
    std::string keys;
    Instant at{1s};
    for (const Bytes& b : packets) {
      const auto parsed = rtp::Packet::parse(b);
      at = at + 20ms;
      if (parsed->header().payload_type != number) continue;
      for (const auto& d : receiver.on_packet(parsed->header(), parsed->payload(), at)) keys += d.key;
    }
    for (const auto& d : receiver.on_tick(at + 1s)) keys += d.key;
    return keys;
  }

  std::vector<Bytes> passed_on;
};

inline void unchanged(std::vector<Bytes>&) {}

inline std::string tones_in(const Talker& who, std::uint32_t rate) {
  audio::DtmfDetector detector{rate};
  std::string keys;
  const std::size_t tick = audio::tick_samples(rate);
  for (std::size_t at = 0; at + tick <= who.heard.size(); at += tick) {
    detector.hear(audio::ConstSamples{who.heard}.subspan(at, tick));
    if (const auto key = detector.next_key()) keys += *key;
  }
  return keys;
}

}  // namespace bw::media::transcoding
