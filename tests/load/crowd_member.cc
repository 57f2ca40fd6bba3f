#include "crowd_member.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <complex>
#include <numbers>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "audio/tones.h"
#include "io/socket_address.h"

namespace bw::load {
namespace {

constexpr std::size_t kLargest = 2'048;
constexpr std::uint32_t kSsrcBase = 0x6372'0000;
// As browsers do: often until there is an answer, then so that consent stays fresh (RFC 7675 §5.1).
constexpr Duration kCheckAgain = 100ms;
constexpr Duration kConsent = 2'500ms;
constexpr Duration kLongestDelay = 200ms;

std::optional<audio::CodecKind> codec_of(std::uint8_t payload_type) {
  switch (payload_type) {
    case 0:
      return audio::CodecKind::kPcmu;
    case 8:
      return audio::CodecKind::kPcma;
    case 9:
      return audio::CodecKind::kG722;
    case 111:
      return audio::CodecKind::kOpus;
    default:
      return std::nullopt;
  }
}

// In pieces of a fifth of a second: a packet that was lost shifts the phase of all that follows.
double share_of(std::span<const std::int16_t> samples, std::uint32_t rate, unsigned hertz) {
  const std::complex<double> step =
      std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(hertz) / rate);
  const std::size_t piece = rate / 5;
  double energy = 1;
  double of_tone = 0;
  for (; samples.size() >= piece; samples = samples.subspan(piece)) {
    std::complex<double> turn{1, 0};
    std::complex<double> sum{0, 0};
    for (const std::int16_t sample : samples.first(piece)) {
      sum += turn * static_cast<double>(sample);
      energy += static_cast<double>(sample) * static_cast<double>(sample);
      turn *= step;
    }
    of_tone += 2 * std::norm(sum) / static_cast<double>(piece);
  }
  return of_tone / energy;
}

}  // namespace

std::vector<Bytes> say_tone(audio::CodecKind codec, unsigned hertz) {
  const std::uint32_t rate = audio::native_rate(codec);
  audio::ToneGenerator tone{{.hertz = {static_cast<double>(hertz), 0}, .level = 0.3}, rate};
  const auto encoder = audio::make_encoder(codec, rate, "useinbandfec=1");
  std::vector<std::int16_t> tick(audio::tick_samples(rate));
  std::vector<Bytes> second;
  constexpr int kPackets = 50;
  for (int i = 0; i < 2 * kPackets; ++i) {  // the first second sets the encoder going
    tone.fill(tick);
    Bytes payload(audio::kMostPayload);
    payload.resize(encoder->encode(tick, payload));
    if (i >= kPackets) second.push_back(std::move(payload));
  }
  return second;
}

Member::Security::Security(unsigned number, webrtc::DtlsContext made)
    : context(std::move(made)),
      own{"crowd" + std::to_string(number), Secret{"password-of-number-" + std::to_string(1'000 + number)}},
      peer(context, own, number + 1) {}

Member::Member(unsigned number, const IpAddress& local, audio::CodecKind codec, std::uint8_t payload_type,
               bool browser)
    : codec_(codec),
      payload_type_(payload_type),
      tone_(say_tone(codec, tone_of(number))),
      ssrc_(kSsrcBase + number) {
  sockaddr_storage address{};
  socklen_t length = io::to_sockaddr({local, 0}, address);
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  socket_ = io::Descriptor{::socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket_ || ::bind(socket_.get(), raw, length) != 0 || ::getsockname(socket_.get(), raw, &length) != 0)
    throw std::system_error(errno, std::system_category(), "a socket of the crowd");
  port_ = io::from_sockaddr(address).port;
  if (browser) security_ = std::make_unique<Security>(number, webrtc::test_context());
}

void Member::meet(const Endpoint& server, webrtc::RemoteParameters remote, Instant now) {
  server_ = server;
  if (!security_) return;
  security_->peer.set_remote(std::move(remote));
  security_->next_check = now;
  tick(now);
}

void Member::receive(Instant now) {
  std::array<std::uint8_t, kLargest> buffer;
  for (;;) {
    const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size <= 0) break;
    const Bytes bytes(buffer.begin(), buffer.begin() + size);
    if (!security_) {
      take(bytes);
      continue;
    }
    security_->peer.receive({}, bytes, now);
    for (const auto& [_, packet] : std::exchange(security_->peer.heard, {})) take(packet);
  }
  flush();
}

void Member::tick(Instant now) {
  if (security_ && server_.port != 0) {
    security_->peer.tick(now);
    if (security_->next_check <= now) {
      security_->peer.check({}, true);
      security_->next_check = now + (connected() ? kConsent : kCheckAgain);
    }
    flush();
  }
  // Who could not speak for long has missed it: nobody talks faster afterwards.
  if (talking_ && now - next_ > kLongestDelay) next_ = now;
  for (; talking_ && next_ <= now; next_ = next_ + kInterval) say();
}

void Member::flush() {
  while (const auto out = security_ ? security_->peer.poll() : std::nullopt) send(out->bytes);
}

void Member::send(const Bytes& packet) const {
  sockaddr_storage to{};
  const socklen_t length = io::to_sockaddr(server_, to);
  ::sendto(socket_.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&to), length);
}

void Member::talk(Instant first) {
  talking_ = true;
  next_ = first;
}

Bytes Member::next_packet(const Bytes& payload) {
  Bytes packet(rtp::kHeaderBytes + payload.size());
  timestamp_ += audio::rtp_clock(codec_) / kSecond;
  rtp::write_header({said_ == 0, payload_type_, ++sequence_, timestamp_, ssrc_}, packet);
  std::ranges::copy(payload, packet.begin() + rtp::kHeaderBytes);
  return security_ ? security_->peer.seal(std::move(packet)) : packet;
}

void Member::say() {
  if (!connected()) return;
  Bytes packet = next_packet(tone_[said_ % tone_.size()]);
  send(packet);
  sent_[said_++ % sent_.size()] = std::move(packet);
}

unsigned Member::replay() {
  unsigned count = 0;
  for (const Bytes& packet : sent_) {
    if (packet.empty()) continue;
    send(packet);
    ++count;
  }
  return count;
}

std::vector<Bytes> Member::forge(unsigned hertz) {
  std::vector<Bytes> packets;
  for (const Bytes& payload : say_tone(codec_, hertz)) packets.push_back(next_packet(payload));
  return packets;
}

void Member::take(const Bytes& packet) {
  const auto parsed = rtp::classify(packet) == rtp::Kind::kRtp ? rtp::Packet::parse(packet) : std::nullopt;
  if (!parsed || !codec_of(parsed->header().payload_type)) return;
  auto& [type, payload] = kept_[packets_++ % kept_.size()];
  type = parsed->header().payload_type;
  payload.assign(parsed->payload().begin(), parsed->payload().end());
}

void Member::forget() {
  packets_ = 0;
}

Member::Sound Member::last_second() const {
  Sound sound;
  if (packets_ < kept_.size()) return sound;
  std::unique_ptr<audio::Decoder> decoder;
  std::optional<audio::CodecKind> speaks;
  std::array<std::int16_t, audio::kMostSamples> samples;
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    const auto& [type, payload] = kept_[(packets_ + i) % kept_.size()];
    const auto codec = codec_of(type);
    if (codec != speaks) {  // another coding: what was before is not looked at
      speaks = codec;
      decoder = audio::make_decoder(*codec, audio::best_rate(*codec, 8'000));
      sound = {{}, decoder->rate()};
    }
    const auto size = static_cast<std::ptrdiff_t>(decoder->decode(payload, samples));
    sound.samples.insert(sound.samples.end(), samples.begin(), samples.begin() + size);
  }
  return sound;
}

double Member::heard(unsigned hertz) const {
  const Sound sound = last_second();
  return sound.samples.empty() ? 0 : share_of(sound.samples, sound.rate, hertz);
}

unsigned Member::loudest(std::span<const unsigned> tones) const {
  const Sound sound = last_second();
  unsigned found = 0;
  double most = 0;
  for (const unsigned hertz : tones) {
    const double share = sound.samples.empty() ? 0 : share_of(sound.samples, sound.rate, hertz);
    if (share > most) {
      most = share;
      found = hertz;
    }
  }
  return found;
}

}  // namespace bw::load
